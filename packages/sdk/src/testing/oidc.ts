/** An OpenID provider in Google's shape. */
import { authorize, consent } from './authorize.ts'
import { discovery, jwks } from './discovery.ts'
import { jsonAnswer } from './http.ts'
import { userClaims } from './id-token.ts'
import type { OidcOptions } from './options.ts'
import { type Provider, startProvider } from './provider.ts'
import { revoke } from './revoke.ts'
import { type Shape, standardRefusal } from './shape.ts'
import { token } from './token.ts'
import { userInfo } from './userinfo.ts'
import { decimalSubject } from './users.ts'

/**
 * Starts an OpenID provider on loopback: discovery, JWKS, RS256 or ES256 ID tokens, user-info, PKCE, revocation, `iss` in
 * authorization responses, and refresh tokens for `offline_access` or `access_type=offline`.
 */
export function startOidcProvider({ alg = 'RS256', ...options }: OidcOptions = {}): Promise<Provider> {
  return startProvider({ shape: OIDC, options, alg })
}

export const OIDC: Shape = {
  kind: 'oidc',
  routes: [
    { endpoint: 'discovery', path: '/.well-known/openid-configuration', handle: discovery },
    { endpoint: 'jwks', path: '/jwks', handle: jwks },
    { endpoint: 'authorize', path: '/authorize', handle: authorize },
    { endpoint: 'consent', path: '/consent', handle: consent },
    { endpoint: 'token', path: '/token', handle: token },
    { endpoint: 'userinfo', path: '/userinfo', handle: userInfo('openid') },
    { endpoint: 'revoke', path: '/revoke', handle: revoke },
  ],
  scopeSeparator: ' ',
  tokenType: 'Bearer',
  tokenPrefixes: { access: 'oat_', refresh: 'ort_' },
  sendsIssuer: true,
  responseTypeRequired: true,
  impliedScopes: {},
  consentLimit: undefined,
  defaultSubject: (providerName, userKey) => decimalSubject(`${providerName}:${userKey}`, 21),
  refusal: standardRefusal,
  tokenAnswer: (_call, status, fields) => jsonAnswer(status, fields),
  userInfoAnswer(provider, user, scopes) {
    const truth = { sub: user.sub, ...userClaims(user, scopes) }
    return jsonAnswer(200, provider.tamperUserInfo?.(truth, { user, grant: undefined }) ?? truth)
  },
  connection: (provider, scope = 'openid profile email offline_access') => ({
    strategy: 'oidc',
    options: { issuer: provider.issuer, scope },
  }),
}
