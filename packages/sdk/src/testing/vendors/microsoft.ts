/** Entra ID for every tenant: the issuer names the person's tenant, scopes come back under long names or not at all. */
import { createHash } from 'node:crypto'
import { OIDC } from '../oidc.ts'
import type { Vendor } from './parts.ts'

const GRAPH = 'https://graph.microsoft.com/'
const UNNAMED = ['openid', 'profile', 'email', 'offline_access']

export const microsoft: Vendor = {
  signs: true,
  defaults: { rotation: 'rotating', graceSeconds: 86_400 },
  shape: {
    ...OIDC,
    kind: 'vendor',
    sendsIssuer: false,
    routes: OIDC.routes.filter(({ endpoint }) => endpoint !== 'revoke' && endpoint !== 'discovery'),
    quirks: {
      asksOffline: (scopes) => scopes.includes('offline_access'),
      tokenFields: ({ scope, ...fields }) => ({
        ...fields,
        scope: String(scope)
          .split(' ')
          .filter((one) => !UNNAMED.includes(one))
          .map((one) => (one.startsWith(GRAPH) ? one : GRAPH + one))
          .join(' '),
      }),
      // `tid` and `oid` of a person can be given as their `extraClaims`.
      idTokenClaims: ({ url }, { key, extraClaims }) => {
        const { tid = guid('tenant'), oid = guid(`object ${key}`) } = extraClaims
        return { iss: `${url}/${tid}/v2.0`, tid, oid }
      },
    },
    connection: ({ url, endpoints }, scope = 'openid profile email offline_access') => {
      const { authorize: authorization, token, userinfo, jwks } = endpoints
      return {
        strategy: 'windowslive',
        options: {
          scope: scope.split(' '),
          endpoints: { issuer: `${url}/{tid}/v2.0`, authorization, token, userinfo, jwks },
        },
      }
    },
  },
}

function guid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
