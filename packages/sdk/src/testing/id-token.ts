/** ID tokens (OpenID Connect Core §2), and the claims about a user that user-info shares with them. */
import type { Family } from './grants.ts'
import type { Json } from './http.ts'
import { halfHash, type KeyRing, signJwt } from './keys.ts'
import type { Provider, ProviderClient } from './provider.ts'
import type { ProviderUser } from './users.ts'

const ID_TOKEN_SECONDS = 3600

interface IdTokenParts {
  readonly client: ProviderClient
  readonly family: Family
  readonly scopes: readonly string[]
  readonly accessToken: string
  readonly grant: 'authorization_code' | 'refresh_token'
  readonly nonce?: string | undefined
}

export function signIdToken(provider: Provider, keys: KeyRing, parts: IdTokenParts): string {
  const { client, family, scopes, accessToken, grant, nonce } = parts
  const user = provider.users.get(family.userKey)
  const now = Math.floor(provider.nowMs() / 1000)
  const truth: Json = {
    iss: provider.issuer,
    aud: client.id,
    azp: client.id,
    sub: user.sub,
    iat: now,
    exp: now + ID_TOKEN_SECONDS,
    auth_time: Math.floor(family.authTimeMs / 1000),
    at_hash: halfHash(accessToken),
    ...(nonce === undefined ? {} : { nonce }),
    ...userClaims(user, scopes),
    ...provider.shape.quirks?.idTokenClaims?.(provider, user),
  }
  const context = { user, grant }
  const claims = provider.tamperIdToken?.(truth, context) ?? truth
  const genuine = signJwt(claims, keys.current)
  const tools = { signingKey: keys.current, clientSecret: client.secret }
  const sent = provider.tamperSignedIdToken?.(genuine, { ...context, ...tools }) ?? genuine
  provider.grants.record('id_token', sent)
  return sent
}

/** What `scopes` let a client know of a user (OpenID Connect Core §5.4), without `sub`. */
export function userClaims(user: ProviderUser, scopes: readonly string[]): Json {
  const claims: Json = {}
  if (scopes.includes('profile')) {
    claims.name = user.name
    claims.preferred_username = user.login
    if (user.picture !== undefined) claims.picture = user.picture
  }
  if (scopes.includes('email') && user.email !== undefined) {
    claims.email = user.email
    if (user.emailVerified !== undefined) claims.email_verified = user.emailVerified
  }
  return { ...claims, ...user.extraClaims }
}
