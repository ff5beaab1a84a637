/** The token endpoint: codes and refresh tokens for tokens (RFC 6749 §4.1.3, §6). */
import { createHash } from 'node:crypto'
import { authenticateClient, isEqual } from './client-auth.ts'
import type { CodeGrant, Family } from './grants.ts'
import type { Answer, Json } from './http.ts'
import { signIdToken } from './id-token.ts'
import type { Provider, ProviderClient } from './provider.ts'
import { type Call, Refusal } from './shape.ts'

/** What an answer is made from. */
interface Issue {
  readonly family: Family
  readonly scopes: readonly string[]
  readonly grant: 'authorization_code' | 'refresh_token'
  readonly refreshToken: string | undefined
  readonly nonce?: string | undefined
}

export function token(provider: Provider, call: Call): Answer {
  try {
    if (call.request.method !== 'POST') throw new Refusal('bad_request', 'POST is required')
    requireReadable(provider, call)
    const client = authenticateClient(provider, call)
    const issue = grantTokens(provider, call, client)
    call.entry.user = issue.family.userKey
    return provider.shape.tokenAnswer(call, 200, tokenFields(provider, client, issue))
  } catch (error) {
    return refusedAnswer(provider, call, error)
  }
}

/** The wire form of a refusal. @throws whatever is no refusal. */
export function refusedAnswer(provider: Provider, call: Call, cause: unknown): Answer {
  if (!(cause instanceof Refusal)) throw cause
  const { status, error } = provider.shape.refusal(cause.reason)
  call.entry.refused = error
  const fields = provider.shape.quirks?.errorFields?.(error, cause.message)
  const answer = provider.shape.tokenAnswer(call, status, fields ?? { error, error_description: cause.message })
  if (status !== 401) return answer
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': `Basic realm="${provider.name}"` } }
}

function requireReadable({ shape }: Provider, { request }: Call): void {
  const wanted = shape.quirks?.requestBody
  if (wanted === undefined || (wanted === 'json') === /json/i.test(request.headers['content-type'] ?? '')) return
  throw new Refusal('bad_request', `the request is not ${wanted}`)
}

function grantTokens(provider: Provider, call: Call, client: ProviderClient): Issue {
  const { grant_type: grantType, code } = call.entry.body
  if (grantType === 'refresh_token') return refresh(provider, call, client)
  // GitHub's OAuth Apps never send a grant type.
  const isCode = grantType === 'authorization_code' || (grantType === undefined && provider.kind === 'github')
  if (!isCode) throw new Refusal('unknown_grant', 'grant_type is not supported')
  if (code === undefined) throw new Refusal('bad_request', 'code is missing')
  return redeemCode(provider, call, client)
}

function redeemCode(provider: Provider, { entry }: Call, client: ProviderClient): Issue {
  const claim = provider.grants.claimCode(entry.body.code)
  if (claim.kind === 'refused') throw new Refusal('bad_code', 'the code is unknown, expired or spent')
  const { grant, family } = claim
  const refusal = codeRefusal(provider, entry.body, client, grant)
  if (refusal !== undefined) {
    provider.grants.endFamily(family)
    throw refusal
  }
  endOldestConsent(provider, family)
  const refreshToken = grant.wantsRefreshToken
    ? provider.grants.issueRefreshToken(family, provider.refreshTokenSeconds, provider.shape.tokenPrefixes.refresh)
    : undefined
  return { family, scopes: grant.scopes, grant: 'authorization_code', refreshToken, nonce: grant.nonce }
}

function codeRefusal(
  provider: Provider,
  body: Call['entry']['body'],
  client: ProviderClient,
  grant: CodeGrant,
): Refusal | undefined {
  if (grant.clientId !== client.id) return new Refusal('bad_code', 'the code was given to another client')
  const omitted = body.redirect_uri === undefined && provider.kind === 'github'
  if (body.redirect_uri !== grant.redirectUri && !omitted)
    return new Refusal('bad_redirect_uri', 'redirect_uri differs')
  const { code_verifier: verifier } = body
  // A verifier without a challenge shows that somebody stripped the challenge (RFC 9700 §4.8.2).
  if ((verifier === undefined) !== (grant.challenge === undefined)) return new Refusal('bad_verifier', 'PKCE failed')
  if (verifier === undefined || grant.challenge === undefined) return undefined
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  return isEqual(challenge, grant.challenge) ? undefined : new Refusal('bad_verifier', 'PKCE failed')
}

/** GitHub keeps ten tokens of a user for one app and scope set, and drops the oldest. */
function endOldestConsent(provider: Provider, family: Family): void {
  const limit = provider.shape.consentLimit
  if (limit === undefined) return
  const alike = (one: Family) => one.clientId === family.clientId && String(one.scopes) === String(family.scopes)
  const live = provider.grants.liveFamilies(family.userKey).filter(alike)
  for (const one of live.slice(0, Math.max(0, live.length - limit))) provider.grants.endFamily(one)
}

function refresh(provider: Provider, { entry }: Call, client: ProviderClient): Issue {
  const { grants, graceSeconds } = provider
  const claim = grants.claimRefreshToken(entry.body.refresh_token, client.id, graceSeconds)
  if (claim.kind === 'unknown')
    throw new Refusal('bad_refresh_token', 'the refresh token is unknown, expired or revoked')
  if (claim.kind === 'reused') {
    entry.user = claim.family.userKey
    throw new Refusal('bad_refresh_token', 'the refresh token was used before: all tokens of this consent are revoked')
  }
  const { held } = claim
  const scopes = narrowedScopes(entry.body.scope, held.family)
  if (provider.refreshEndsAccessTokens) grants.endAccessTokens((family) => family === held.family)
  held.family.refreshes++
  return { family: held.family, scopes, grant: 'refresh_token', refreshToken: nextRefreshToken(provider, claim) }
}

/** The refresh token that a refresh answers with; a retry within the grace gets the one that its first try made. */
function nextRefreshToken(
  provider: Provider,
  { kind, held }: Extract<ReturnType<Provider['grants']['claimRefreshToken']>, { kind: 'current' | 'retry' }>,
): string | undefined {
  if (kind === 'retry') return held.successor
  if (provider.rotation === 'static') return undefined
  return provider.grants.replaceRefreshToken(held, provider.refreshTokenSeconds, provider.shape.tokenPrefixes.refresh)
}

function narrowedScopes(asked: string | undefined, family: Family): readonly string[] {
  if (asked === undefined) return family.scopes
  const scopes = asked.split(/[\s,]+/).filter(Boolean)
  if (scopes.some((scope) => !family.scopes.includes(scope)))
    throw new Refusal('bad_scope', 'a scope was never granted')
  return scopes
}

function tokenFields(provider: Provider, client: ProviderClient, issue: Issue): Json {
  const { shape, accessTokenSeconds, refreshTokenSeconds } = provider
  const { family, scopes, refreshToken } = issue
  const accessToken = provider.grants.issueAccessToken(family, scopes, accessTokenSeconds, shape.tokenPrefixes.access)
  const fields: Json = {
    access_token: accessToken,
    token_type: shape.tokenType,
    scope: scopes.join(shape.scopeSeparator),
  }
  if (accessTokenSeconds !== undefined) fields.expires_in = accessTokenSeconds
  if (refreshToken !== undefined) {
    fields.refresh_token = refreshToken
    if (refreshTokenSeconds !== undefined) fields.refresh_token_expires_in = refreshTokenSeconds
  }
  if (provider.keys !== undefined && scopes.includes('openid')) {
    fields.id_token = signIdToken(provider, provider.keys, { client, accessToken, ...issue })
  }
  const user = provider.users.get(family.userKey)
  const truth =
    provider.shape.quirks?.tokenFields?.(fields, {
      provider,
      user,
      grant: issue.grant,
      refreshToken: refreshToken ?? family.current,
    }) ?? fields
  return provider.tamperAnswer?.(truth, { user, grant: issue.grant }) ?? truth
}
