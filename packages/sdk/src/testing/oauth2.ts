/** A plain OAuth2 provider: JSON token answers, no ID tokens, `/me`. */
import { authorize, consent } from './authorize.ts'
import { jsonAnswer } from './http.ts'
import type { ProviderOptions } from './options.ts'
import { type Provider, startProvider } from './provider.ts'
import { revoke } from './revoke.ts'
import { type Shape, standardRefusal } from './shape.ts'
import { token } from './token.ts'
import { userInfo } from './userinfo.ts'
import { decimalSubject } from './users.ts'

/** Starts an OAuth2 provider that always gives refresh tokens and tells of its users at `/me`: `id`, `email`, `display_name`. */
export function startOAuth2Provider(options: ProviderOptions = {}): Promise<Provider> {
  return startProvider({ shape: OAUTH2, options, defaults: { refresh: 'always' } })
}

export const OAUTH2: Shape = {
  kind: 'oauth2',
  routes: [
    { endpoint: 'authorize', path: '/oauth/authorize', handle: authorize },
    { endpoint: 'consent', path: '/oauth/consent', handle: consent },
    { endpoint: 'token', path: '/oauth/token', handle: token },
    { endpoint: 'userinfo', path: '/me', handle: userInfo() },
    { endpoint: 'revoke', path: '/oauth/revoke', handle: revoke },
  ],
  scopeSeparator: ' ',
  tokenType: 'Bearer',
  tokenPrefixes: { access: 'pat_', refresh: 'prt_' },
  sendsIssuer: false,
  responseTypeRequired: true,
  impliedScopes: {},
  consentLimit: undefined,
  defaultSubject: (providerName, userKey) => `u-${decimalSubject(`${providerName}:${userKey}`, 12)}`,
  refusal: standardRefusal,
  tokenAnswer: (_call, status, fields) => jsonAnswer(status, fields),
  userInfoAnswer(provider, user) {
    const { sub: id, email, emailVerified: email_verified, name: display_name, extraClaims } = user
    const truth = { id, email, email_verified, display_name, ...extraClaims }
    return jsonAnswer(200, provider.tamperUserInfo?.(truth, { user, grant: undefined }) ?? truth)
  },
  connection: ({ endpoints }, scope = 'profile files.read') => ({
    strategy: 'oauth2',
    options: {
      authorizationURL: endpoints.authorize,
      tokenURL: endpoints.token,
      userInfoURL: endpoints.userinfo,
      revocationURL: endpoints.revoke,
      scope,
      fieldsMap: { user_id: 'id', email: 'email', name: 'display_name' },
    },
  }),
}
