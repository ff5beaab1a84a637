/** Whether an access token opens an endpoint (RFC 6750). */
import type { HeldAccessToken } from './grants.ts'
import { type Answer, jsonAnswer } from './http.ts'
import type { Provider } from './provider.ts'
import type { Call } from './shape.ts'
import type { ProviderUser } from './users.ts'

export interface Caller {
  readonly user: ProviderUser
  readonly scopes: readonly string[]
  readonly clientId: string
}

export type Access =
  | { readonly kind: 'granted'; readonly caller: Caller }
  | { readonly kind: 'refused'; readonly answer: Answer }

/** @param scope what the token must have been granted; undefined: any live token will do */
export function checkAccess(provider: Provider, call: Call, scope: string | undefined): Access {
  const token = /^(?:bearer|token)\s+(\S+)$/i.exec(call.request.headers.authorization ?? '')?.[1]
  if (token === undefined) return refuse(401, `Bearer realm="${provider.name}"`, 'unauthorized')
  const held = provider.grants.findLiveAccessToken(token)
  const user = held === undefined ? undefined : provider.users.find(held.family.userKey)
  if (held === undefined || user === undefined) {
    return refuse(401, `Bearer realm="${provider.name}", error="invalid_token"`, 'invalid_token')
  }
  call.entry.user = user.key
  if (scope !== undefined && !holdsScope(provider, held, scope)) {
    return refuse(
      403,
      `Bearer realm="${provider.name}", error="insufficient_scope", scope="${scope}"`,
      'insufficient_scope',
    )
  }
  return { kind: 'granted', caller: { user, scopes: held.scopes, clientId: held.family.clientId } }
}

function holdsScope(provider: Provider, { scopes }: HeldAccessToken, needed: string): boolean {
  return scopes.some((one) => one === needed || provider.shape.impliedScopes[one]?.includes(needed))
}

function refuse(status: number, challenge: string, error: string): Access {
  const message = status === 403 ? 'The token lacks a scope' : 'Bad credentials'
  return { kind: 'refused', answer: jsonAnswer(status, { error, message }, { 'www-authenticate': challenge }) }
}
