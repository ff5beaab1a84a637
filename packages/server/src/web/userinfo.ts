// `/userinfo` (OpenID Connect Core §5.3), ours because the engine refuses an API's JWT there.

import type { JsonObject } from '../lib/json.ts'
import type { AccessTokens } from '../oauth/access-tokens.ts'
import { claimsForScopes } from '../oauth/claims.ts'
import type { Storage } from '../storage/storage.ts'

export interface UserinfoDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly accessTokens: Pick<AccessTokens, 'verify'>
}

export interface UserinfoAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
}

/** Answers with the claims that the token's scopes open. */
export async function userinfo(deps: UserinfoDeps, authorization: string | undefined): Promise<UserinfoAnswer> {
  const [, token] = /^bearer +([^ ]+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) return challenge(deps.issuer, authorization === undefined ? undefined : 'invalid_request')
  const access = await deps.accessTokens.verify(token)
  // A token bound to a key opens nothing without proof of it (RFC 9449 §7.1).
  if (access?.userId === undefined || access.jkt !== undefined) return challenge(deps.issuer, 'invalid_token')
  if (!access.audiences.includes(`${deps.issuer}userinfo`) || !access.scopes.has('openid')) {
    return challenge(deps.issuer, 'insufficient_scope')
  }
  const user = await deps.storage.users.find(access.userId)
  if (user === undefined) return challenge(deps.issuer, 'invalid_token')
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: claimsForScopes(user, access.scopes) }
}

/** RFC 6750 §3.1: no error code when no token was sent. */
function challenge(
  issuer: string,
  error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | undefined,
): UserinfoAnswer {
  const status = error === 'insufficient_scope' ? 403 : error === 'invalid_request' ? 400 : 401
  const parts = [`realm="${issuer}"`, ...(error === undefined ? [] : [`error="${error}"`])]
  return {
    status,
    headers: { 'cache-control': 'no-store', 'www-authenticate': `Bearer ${parts.join(', ')}` },
    body: { error: error ?? 'unauthorized', error_description: 'The access token does not open user-info.' },
  }
}
