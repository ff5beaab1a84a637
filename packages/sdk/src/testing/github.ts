/** An OAuth2-only provider in GitHub's shape. */
import { authorize, consent } from './authorize.ts'
import { formAnswer, type Json, jsonAnswer, textAnswer } from './http.ts'
import type { Behaviour, GithubOptions } from './options.ts'
import { type Provider, startProvider } from './provider.ts'
import { deleteToken, revoke } from './revoke.ts'
import type { RefusalReason, Shape } from './shape.ts'
import { token } from './token.ts'
import { emails, userInfo } from './userinfo.ts'
import { decimalSubject } from './users.ts'

/**
 * Starts a provider that speaks OAuth2 as GitHub does: form-encoded token answers unless JSON is asked for, errors with
 * status 200, numeric ids, comma-separated scopes, at most ten tokens per user and scope set, and tokens that do not
 * expire. `expiring` makes it a GitHub App: 8 hours, and refresh tokens that rotate and end the access token before.
 */
export async function startGithubProvider({ expiring = false, ...options }: GithubOptions = {}): Promise<Provider> {
  const shape = expiring ? { ...GITHUB, ...GITHUB_APP } : GITHUB
  const provider = await startProvider({ shape, options, defaults: expiring ? APP_BEHAVIOUR : OAUTH_APP_BEHAVIOUR })
  const application = `/applications/${provider.clientId}`
  provider.addRoute({ endpoint: 'revoke', path: `${application}/token`, handle: deleteToken() })
  provider.addRoute({ endpoint: 'revoke', path: `${application}/grant`, handle: deleteToken('grant') })
  return provider
}

const OAUTH_APP_BEHAVIOUR: Partial<Behaviour> = { refresh: 'never', accessTokenSeconds: undefined }

const APP_BEHAVIOUR: Partial<Behaviour> = {
  refresh: 'always',
  rotation: 'rotating',
  accessTokenSeconds: 8 * 3600,
  refreshTokenSeconds: 15_897_600,
  refreshEndsAccessTokens: true,
}

const ERRORS: Readonly<Record<RefusalReason, string>> = {
  bad_request: 'invalid_request',
  bad_client: 'incorrect_client_credentials',
  bad_code: 'bad_verification_code',
  bad_redirect_uri: 'redirect_uri_mismatch',
  bad_verifier: 'bad_verification_code',
  bad_refresh_token: 'bad_refresh_token',
  bad_scope: 'invalid_scope',
  unknown_grant: 'unsupported_grant_type',
}

const GITHUB: Shape = {
  kind: 'github',
  routes: [
    { endpoint: 'authorize', path: '/login/oauth/authorize', handle: authorize },
    { endpoint: 'consent', path: '/login/oauth/consent', handle: consent },
    { endpoint: 'token', path: '/login/oauth/access_token', handle: token },
    { endpoint: 'userinfo', path: '/user', handle: userInfo() },
    { endpoint: 'emails', path: '/user/emails', handle: emails },
    { endpoint: 'revoke', path: '/revoke', handle: revoke },
  ],
  scopeSeparator: ',',
  tokenType: 'bearer',
  tokenPrefixes: { access: 'gho_', refresh: 'ghr_' },
  sendsIssuer: false,
  responseTypeRequired: false,
  impliedScopes: { user: ['read:user', 'user:email', 'user:follow'], repo: ['public_repo', 'repo:status'] },
  consentLimit: 10,
  defaultSubject: (providerName, userKey) => decimalSubject(`${providerName}:${userKey}`, 9),
  refusal: (reason) => ({ status: 200, error: ERRORS[reason] }),
  tokenAnswer: (call, status, fields) =>
    /\bjson\b/.test(call.request.headers.accept ?? '') ? jsonAnswer(status, fields) : formAnswer(status, fields),
  userInfoAnswer(provider, user, scopes) {
    const truth: Json = {
      login: user.login,
      id: user.sub,
      type: 'User',
      name: user.name,
      // The public address, which most people leave empty.
      email: null,
      avatar_url: user.picture ?? `${provider.url}/avatars/${user.sub}.png`,
      html_url: `${provider.url}/${user.login}`,
      ...user.extraClaims,
    }
    const sent = provider.tamperUserInfo?.(truth, { user, grant: undefined }) ?? truth
    const headers = { 'content-type': 'application/json; charset=utf-8', 'x-oauth-scopes': scopes.join(', ') }
    return textAnswer(200, withNumericId(sent), headers)
  },
  connection({ endpoints }, scope) {
    const { authorize: authorization, token, userinfo, emails, revoke: revocation } = endpoints
    return {
      strategy: 'github',
      options: {
        scope: scope?.split(' ') ?? ['read:user', 'user:email'],
        endpoints: { authorization, token, userinfo, emails, revocation },
      },
    }
  },
}

const GITHUB_APP: Partial<Shape> = { tokenPrefixes: { access: 'ghu_', refresh: 'ghr_' }, consentLimit: undefined }

/** JSON with `id` as a number that keeps every digit, beyond what a double can hold too. */
function withNumericId({ id, ...rest }: Json): string {
  if (typeof id !== 'string' || !/^\d+$/.test(id)) return JSON.stringify({ id, ...rest })
  return `{"id":${id},${JSON.stringify(rest).slice(1)}`
}
