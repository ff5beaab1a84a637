/** APIs behind a provider's access tokens. */
import { type Caller, checkAccess } from './bearer.ts'
import { type Answer, jsonAnswer } from './http.ts'
import type { Provider } from './provider.ts'
import type { Call, Handler } from './shape.ts'

export interface ApiRoute {
  readonly path: string
  /** The only method it takes; default: any. */
  readonly method?: string
  /** The scope that a token needs; default: any live token will do. */
  readonly scope?: string
  readonly answer: (provider: Provider, call: Call, caller: Caller) => Answer
}

export function apiHandler({ method, scope, answer }: ApiRoute): Handler {
  return (provider, call) => {
    const access = checkAccess(provider, call, scope)
    if (access.kind === 'refused') return access.answer
    if (method !== undefined && call.request.method !== method) {
      return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: method })
    }
    return answer(provider, call, access.caller)
  }
}

/** Says whose token it is and what it may do. */
export function whoami(provider: Provider, _call: Call, { user, scopes, clientId }: Caller): Answer {
  return jsonAnswer(200, { provider: provider.name, user: user.key, sub: user.sub, client_id: clientId, scopes })
}
