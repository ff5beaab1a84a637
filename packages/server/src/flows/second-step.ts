// The page on which a sign-in, or a proof, gets its second half.
import { withMethods } from '../domain/second-factor.ts'
import { giveBack } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, remember, settle } from './interactions.ts'
import type { Outcome, SecondStepPage } from './outcome.ts'
import { finishMergeProof, finishProof } from './prove.ts'
import { judgeSecondProof, offeredProofs, type SecondProofForm } from './second-proof.ts'
import { openSecondStep, requireActive, type SecondStep } from './second-step-state.ts'
import { signIn } from './sign-in.ts'

const purposeOf = ({ id }: SecondStep): string => `second-step:${id}`

export async function secondStepPage(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  problem?: SecondStepPage['problem'],
): Promise<Outcome> {
  const step = await openSecondStep(deps, interaction)
  const asked = { userId: step.userId, purpose: purposeOf(step) }
  const page: SecondStepPage = {
    name: 'mfa',
    state: interaction.uid,
    ...(await offeredProofs(deps, request, asked)),
    problem,
  }
  return { kind: 'page', page, status: problem === undefined ? 200 : 403 }
}

export interface SecondStepForm extends SecondProofForm {
  readonly action: string | undefined
}

/** The right proof lets the journey go on; the wrong one shows the page again. */
export async function submitSecondStep(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  form: SecondStepForm,
): Promise<Outcome> {
  const step = await openSecondStep(deps, interaction)
  if (form.action === 'cancel') return cancel(deps, request, interaction, step)
  await requireActive(deps, step.userId)
  const asked = { userId: step.userId, purpose: purposeOf(step) }
  const methods = await judgeSecondProof(deps, request, asked, form)
  if (methods === undefined) {
    const problem = form.passkey !== undefined ? 'passkey_refused' : 'code_wrong'
    return secondStepPage(deps, request, interaction, problem)
  }
  const { goal } = step
  const arrival = { ...step.arrival, amr: withMethods(step.arrival.amr, methods) }
  switch (goal.kind) {
    case 'sign-in':
      return signIn(deps, request, interaction, arrival, { asAnother: goal.asAnother })
    case 'proof':
      return finishProof(deps, request, interaction, { arrival, proves: goal.proves })
    case 'merge':
      return finishMergeProof(deps, request, interaction, { arrival, proves: goal.proves })
  }
}

/** Back to the ways in, or, where somebody is asked about an account that arrived, out of it. */
async function cancel(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { goal, arrival, userId }: SecondStep,
): Promise<Outcome> {
  const cookies = withBrowserCookie(request)
  if (goal.kind === 'sign-in') {
    await deps.storage.transaction(async (tx) => {
      await giveBack(deps, tx, arrival, userId)
      await remember(tx, interaction, { secondStep: null })
    })
    return { kind: 'redirect', url: `/u/login?state=${interaction.uid}`, cookies }
  }
  await deps.storage.transaction((tx) =>
    settle(tx, interaction, { error: 'access_denied', error_description: 'The person decided against it.' }),
  )
  if (interaction.local === 'sign-in') throw new FlowError('access_denied')
  return { kind: 'redirect', url: interaction.returnTo, cookies }
}
