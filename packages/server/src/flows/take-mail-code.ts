// What becomes of a mailed code that was typed: it signs in, or proves what was asked.
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import type { OpenInteraction } from './login.ts'
import { type MailCodeForm, submitMailCode } from './mail-sign-in.ts'
import type { Outcome } from './outcome.ts'
import { finishProof } from './prove.ts'
import { signIn } from './sign-in.ts'

export async function takeMailCode(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  form: MailCodeForm,
): Promise<Outcome> {
  const result = await submitMailCode(deps, request, open, form)
  if (result.kind === 'outcome') return result.outcome
  const { interaction, arrival, proves } = result
  return proves === undefined
    ? signIn(deps, request, interaction, arrival)
    : finishProof(deps, request, interaction, { arrival, proves })
}
