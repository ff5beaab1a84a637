// `/userinfo` (OpenID Connect Core §5.3), ours because the engine refuses an API's JWT there.

import type { JsonObject } from '../lib/json.ts'
import type { AccessTokens } from '../oauth/access-tokens.ts'
import { claimsForScopes } from '../oauth/claims.ts'
import type { ProofOfPossession, ProofVerdict } from '../oauth/proof-of-possession.ts'
import type { Storage } from '../storage/storage.ts'

export interface UserinfoDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly possession: ProofOfPossession
  /** `compatibility.dangerously_accept_userinfo_query_token`. */
  readonly acceptQueryToken: () => boolean
}

export interface UserinfoAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
}

export interface UserinfoRequest {
  readonly method: string
  /** The `DPoP` header. */
  readonly proof: string | undefined
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
  if (access?.userId === undefined) return challenge(deps.issuer, 'invalid_token')
  const shown = { token: token.value, scheme: token.scheme, jkt: access.jkt, clientId: access.clientId }
  const verdict = await deps.possession.check(shown, { ...request, path: '/userinfo' })
  if (verdict.kind === 'fails') return unproven(deps, verdict.code)
  if (!access.audiences.includes(`${deps.issuer}userinfo`) || !access.scopes.has('openid')) {
    return challenge(deps.issuer, 'insufficient_scope')
  }
  const user = await deps.storage.users.find(access.userId)
  if (user === undefined) return challenge(deps.issuer, 'invalid_token')
  const nonce = access.jkt === undefined ? {} : { 'dpop-nonce': deps.possession.nextNonce() }
  const headers = { 'cache-control': 'no-store', ...nonce }
  return { status: 200, headers, body: claimsForScopes(user, access.scopes) }
}

/** One way of sending it, and the header alone unless the operator says otherwise (T-AS-21). */
function tokenOf(
  { authorization, queryToken, sentInForm }: UserinfoRequest,
  acceptQuery: boolean,
): { readonly scheme: string; readonly value: string } | 'none' | 'malformed' {
  if (authorization !== undefined && (queryToken !== undefined || sentInForm)) return 'malformed'
  if (authorization === undefined)
    return acceptQuery && queryToken !== undefined ? { scheme: 'bearer', value: queryToken } : 'none'
  const [, scheme, value] = /^(bearer|dpop) +([^ ]+)$/i.exec(authorization) ?? []
  return scheme === undefined || value === undefined ? 'malformed' : { scheme, value }
}

/** RFC 9449 §7.1. */
function unproven(
  { issuer, possession }: UserinfoDeps,
  code: Extract<ProofVerdict, { kind: 'fails' }>['code'],
): UserinfoAnswer {
  if (code === 'invalid_token') return challenge(issuer, code)
  const answer = challenge(issuer, undefined)
  const headers = {
    'cache-control': 'no-store',
    'www-authenticate': `DPoP realm="${issuer}", error="${code}", algs="ES256 Ed25519 EdDSA"`,
    'dpop-nonce': possession.nextNonce(),
  }
  return { ...answer, headers, body: { ...answer.body, error: code } }
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
