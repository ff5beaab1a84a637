// `/userinfo` (OpenID Connect Core §5.3), ours because the engine refuses an API's JWT there.

import type { JsonObject } from '../lib/json.ts'
import type { AccessTokens } from '../oauth/access-tokens.ts'
import { claimsForScopes } from '../oauth/claims.ts'
import type { Storage } from '../storage/storage.ts'

export interface UserinfoDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  /** `compatibility.dangerously_accept_userinfo_query_token`. */
  readonly acceptQueryToken: () => boolean
}

export interface UserinfoAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
}

export interface UserinfoRequest {
  readonly authorization: string | undefined
  /** A token in the URL: an old SDK sends it, and only a dangerous setting has it taken (RFC 6750 §2.3). */
  readonly queryToken: string | undefined
  /** A token in the body, which is never taken. */
  readonly sentInForm: boolean
}

/** Answers with the claims that the token's scopes open. */
export async function userinfo(deps: UserinfoDeps, request: UserinfoRequest): Promise<UserinfoAnswer> {
  const token = tokenOf(request, deps.acceptQueryToken())
  if (token === 'none') return challenge(deps.issuer, undefined)
  if (token === 'malformed') return challenge(deps.issuer, 'invalid_request')
  const access = await deps.accessTokens.verify(token.value)
  // A token bound to a key opens nothing without proof of it (RFC 9449 §7.1).
  if (access?.userId === undefined || access.jkt !== undefined) return challenge(deps.issuer, 'invalid_token')
  if (!access.audiences.includes(`${deps.issuer}userinfo`) || !access.scopes.has('openid')) {
    return challenge(deps.issuer, 'insufficient_scope')
  }
  const user = await deps.storage.users.find(access.userId)
  if (user === undefined) return challenge(deps.issuer, 'invalid_token')
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: claimsForScopes(user, access.scopes) }
}

/** One way of sending it, and the header alone unless the operator says otherwise (T-AS-21). */
function tokenOf(
  { authorization, queryToken, sentInForm }: UserinfoRequest,
  acceptQuery: boolean,
): { value: string } | 'none' | 'malformed' {
  if (authorization !== undefined && (queryToken !== undefined || sentInForm)) return 'malformed'
  if (authorization === undefined) return acceptQuery && queryToken !== undefined ? { value: queryToken } : 'none'
  const [, value] = /^bearer +([^ ]+)$/i.exec(authorization) ?? []
  return value === undefined ? 'malformed' : { value }
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
