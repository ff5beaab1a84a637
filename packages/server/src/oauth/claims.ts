// What a client learns about a person: ID token and user-info claims.
import type { User } from '../domain/user.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { toIso } from '../lib/time.ts'
import { CLAIMS_BY_SCOPE } from './scopes.ts'

/** Every claim that we know of this user, whatever was asked. */
export function claimsOf(user: User): JsonObject {
  const { profile } = user
  const claims: Record<string, JsonValue | undefined> = {
    sub: user.userId,
    name: profile.name,
    given_name: profile.givenName,
    family_name: profile.familyName,
    nickname: profile.nickname,
    picture: profile.picture,
    updated_at: toIso(user.updatedAt),
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified,
    phone_number: profile.phoneNumber,
  }
  return withoutUndefined(claims)
}

/** The claims that these scopes open, for user-info (OpenID Connect Core §5.4). */
export function claimsForScopes(user: User, scopes: ReadonlySet<string>): JsonObject {
  const allowed = new Set<string>(
    Object.entries(CLAIMS_BY_SCOPE).flatMap(([scope, claims]) => (scopes.has(scope) ? [...claims] : [])),
  )
  return Object.fromEntries(Object.entries(claimsOf(user)).filter(([claim]) => allowed.has(claim)))
}

function withoutUndefined(claims: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(claims).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  )
}
