// A provider's answer in a sign-in: somebody arrived, or a proof that was asked for came, or the answer was no.
import type { UpstreamAccount } from '../upstream/connector.ts'
import type { UpstreamRefused } from '../upstream/errors.ts'
import { arrivalOf } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, settle } from './interactions.ts'
import type { Outcome } from './outcome.ts'
import { failedProof, finishProof } from './prove.ts'
import { signIn } from './sign-in.ts'
import type { OpenTransaction } from './upstream-callback.ts'

/** A provider said who this is: signs them in, or takes it as the proof that it was asked for. */
export async function finishUpstreamSignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection, secrets, transaction }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  const arrival = arrivalOf({ connection, scopes: transaction.scopes }, account)
  return secrets.proves === undefined
    ? signIn(deps, request, interaction, arrival)
    : finishProof(deps, request, interaction, { arrival, proves: secrets.proves })
}

/** The provider, or the person there, said no: the client hears it, or our own page does. */
export async function refuseUpstreamSignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  { secrets }: OpenTransaction,
  error: UpstreamRefused,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  if (secrets.proves !== undefined) return failedProof(deps, request, interaction, secrets.proves, 'refused')
  if (interaction.local !== undefined) throw new FlowError('access_denied', { cause: error })
  await deps.storage.transaction((tx) =>
    settle(tx, interaction, { error: 'access_denied', error_description: 'The provider or the person refused.' }),
  )
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}
