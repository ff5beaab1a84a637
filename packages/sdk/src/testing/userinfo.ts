/** User-info, and GitHub's list of addresses. */
import { checkAccess } from './bearer.ts'
import { type Answer, type Json, jsonAnswer } from './http.ts'
import type { Provider } from './provider.ts'
import type { Call, Handler } from './shape.ts'

/** User-info of this kind of provider, for tokens with `scope`. */
export function userInfo(scope?: string): Handler {
  return (provider, call) => {
    const access = checkAccess(provider, call, scope)
    if (access.kind === 'refused') return access.answer
    return provider.shape.userInfoAnswer(provider, access.caller.user, access.caller.scopes)
  }
}

/** GitHub's `/user/emails`, which it hides with a 404 from tokens without `user:email`. */
export function emails(provider: Provider, call: Call): Answer {
  const access = checkAccess(provider, call, 'user:email')
  if (access.kind === 'refused') {
    return access.answer.status === 403 ? jsonAnswer(404, { message: 'Not Found' }) : access.answer
  }
  const { user } = access.caller
  const truth: Json[] = []
  if (user.email !== undefined) {
    truth.push({ email: user.email, primary: true, verified: user.emailVerified === true, visibility: 'private' })
  }
  return jsonAnswer(200, provider.tamperEmails?.(truth, { user, grant: undefined }) ?? truth)
}
