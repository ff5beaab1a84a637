/** What the vendors' shapes are put together from. */
import { checkAccess } from '../bearer.ts'
import { authenticateClient } from '../client-auth.ts'
import { type Answer, type Json, jsonAnswer } from '../http.ts'
import type { Behaviour } from '../options.ts'
import type { Provider } from '../provider.ts'
import { endToken } from '../revoke.ts'
import { type Call, type Handler, Refusal, type Shape } from '../shape.ts'
import type { ProviderUser } from '../users.ts'

/** A vendor: how it speaks, and what it does when nobody says otherwise. */
export interface Vendor {
  readonly shape: Shape
  readonly defaults: Partial<Behaviour>
  /** Signs ID tokens. */
  readonly signs?: true
}

/** An API that says who the token's person is; other methods than `method` are refused. */
export function aboutMe(method: 'GET' | 'POST', describe: (user: ProviderUser, provider: Provider) => Json): Handler {
  return (provider, call) => {
    if (call.request.method !== method) return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: method })
    const access = checkAccess(provider, call, undefined)
    if (access.kind === 'refused') return access.answer
    const { user } = access.caller
    const truth = describe(user, provider)
    return jsonAnswer(200, provider.tamperUserInfo?.(truth, { user, grant: undefined }) ?? truth)
  }
}

/** Ends the very token that authenticates the call. */
export function revokeShown(answer: Json | undefined): Handler {
  return (provider, call) => {
    const access = checkAccess(provider, call, undefined)
    if (access.kind === 'refused') return access.answer
    const token = call.request.headers.authorization?.split(' ')[1]
    const client = provider.clients.get(access.caller.clientId)
    if (client !== undefined) endToken(provider, client, token, provider.revocationEnds)
    return jsonAnswer(200, answer ?? null)
  }
}

/** RFC 7009 with its request as JSON. */
export function revokeByJson(provider: Provider, call: Call): Answer {
  if (!/json/i.test(call.request.headers['content-type'] ?? '')) return jsonAnswer(400, { code: 'invalid_json' })
  try {
    const client = authenticateClient(provider, call)
    endToken(provider, client, call.entry.body.token, provider.revocationEnds)
    return jsonAnswer(200, {})
  } catch (error) {
    if (error instanceof Refusal) return jsonAnswer(401, { code: 'unauthorized' })
    throw error
  }
}

/** The last part of the path. */
export const tail = ({ url }: Call): string => decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1))

/** A connection of the catalogue that runs here in place of the vendor. */
export const inPlaceOf =
  (strategy: string, scopes: string): Shape['connection'] =>
  ({ endpoints }, scope = scopes) => {
    const { authorize: authorization, token, userinfo, metadata, revoke: revocation } = endpoints
    return {
      strategy,
      options: {
        ...(scope === '' ? {} : { scope: scope.split(' ') }),
        endpoints: defined({ authorization, token, userinfo, metadata, revocation }),
      },
    }
  }

export const defined = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
