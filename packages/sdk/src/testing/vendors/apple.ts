/** Apple: a client secret that is signed, an answer by POST, a name on the first consent alone, and `true` as a text. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { type Json, jsonAnswer } from '../http.ts'
import { OIDC } from '../oidc.ts'
import type { Provider } from '../provider.ts'
import type { ProviderUser } from '../users.ts'
import type { Vendor } from './parts.ts'

/** The developer's, and not what Apple signs ID tokens with. */
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const TEAM = 'TEAM123456'
const KEY_ID = 'KEY1234567'
const MONTHS_6 = 15_777_000

export const apple: Vendor = {
  signs: true,
  defaults: { refresh: 'always' },
  shape: {
    ...OIDC,
    kind: 'vendor',
    sendsIssuer: false,
    routes: OIDC.routes.map((route) => (route.endpoint === 'userinfo' ? { ...route, handle: () => NOTHING } : route)),
    quirks: {
      clientAuth: 'post',
      isSecret,
      required: { response_mode: 'form_post' },
      answerFields: (provider, user) => nameOnce(provider, user),
      idTokenClaims: (_provider, { emailVerified }) => ({ email_verified: String(emailVerified === true) }),
    },
    connection: ({ issuer }, scope = 'openid name email') => ({
      strategy: 'apple',
      options: {
        scope: scope.split(' '),
        endpoints: { issuer },
        client_secret: privateKey.export({ format: 'pem', type: 'pkcs8' }),
        team_id: TEAM,
        kid: KEY_ID,
      },
    }),
  },
}

const NOTHING = jsonAnswer(403, { error: 'insufficient_scope' })

function isSecret(secret: string, clientId: string): boolean {
  const [header = '', claims = '', signature = ''] = secret.split('.')
  const now = Math.floor(Date.now() / 1000)
  const { iss, sub, aud, exp } = decoded(claims)
  const isOurs = iss === TEAM && sub === clientId && aud === 'https://appleid.apple.com'
  const isAlive = typeof exp === 'number' && exp > now && exp <= now + MONTHS_6
  const { alg, kid } = decoded(header)
  if (!isOurs || !isAlive || alg !== 'ES256' || kid !== KEY_ID) return false
  const key = { key: createPublicKey(privateKey), dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))
}

function decoded(part: string): Json {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return {}
  }
}

function nameOnce(provider: Provider, { key, name, email }: ProviderUser): Record<string, string> {
  if (provider.grants.families.some(({ userKey }) => userKey === key)) return {}
  const [firstName = '', ...rest] = name.split(' ')
  return { user: JSON.stringify({ name: { firstName, lastName: rest.join(' ') }, email }) }
}
