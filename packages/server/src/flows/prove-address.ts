// A person whose address is unproven may add nothing to their account; here they prove it by a mailed code, and go on with
// what they were about (contract.md "Small certainties").
import { sweepSquatters } from '../accounts/sweep.ts'
import { maskAddress } from '../domain/address.ts'
import { isAddressProven } from '../domain/addresses-of-user.ts'
import { parseClient } from '../domain/client.ts'
import type { User } from '../domain/user.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction, remember, settle, startLocal } from './interactions.ts'
import { CODE_SECONDS, type MailedCode, newCode, tryCode } from './mailed-code.ts'
import type { Outcome, VerifyPage } from './outcome.ts'

export interface AddressProof {
  readonly user: User & { readonly email: string }
  /** The client that the person comes from; their own pages when there is none. */
  readonly clientId?: string | undefined
  /** Where the journey goes on, and where it ends when the person would rather not. */
  readonly returnTo: string
  readonly cancelTo: string
}

/** Mails a code, and leads to the page that takes it. @throws {FlowError} `rate_limited`. */
export async function startAddressProof(
  deps: FlowDeps,
  request: BrowserRequest,
  { user, clientId, returnTo, cancelTo }: AddressProof,
): Promise<Outcome> {
  const { userId } = user
  const params = { ...(clientId === undefined ? {} : { client_id: clientId }), cancel_to: cancelTo }
  const state = await deps.storage.transaction((tx) =>
    startLocal(tx, deps, { request, purpose: 'prove-address', returnTo, params, userId }),
  )
  await mailCode(deps, await getInteraction(deps, request, state), user.email)
  const url = new URL(`u/address?state=${state}`, deps.issuer).href
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

export function provePage(
  interaction: Interaction,
  more: Partial<Pick<VerifyPage, 'problem' | 'resent'>> = {},
): Outcome {
  const { problem, resent = false } = more
  const page: VerifyPage = {
    name: 'verify-email',
    reason: 'connect',
    state: interaction.uid,
    address: maskAddress(pendingProof(interaction).address),
    problem,
    resent,
  }
  return { kind: 'page', page, status: problem === undefined ? 200 : 400 }
}

export interface ProofForm {
  readonly code: string | undefined
  readonly answer: 'code' | 'resend' | 'cancel'
}

/** What the person answers; the right code makes the address G3, and takes it from whoever only claimed it. */
export async function submitProof(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { code, answer }: ProofForm,
): Promise<Outcome> {
  const { userId } = interaction.artifact
  if (userId === undefined || request.session?.userId !== userId) throw new FlowError('wrong_user')
  const { address, kept } = pendingProof(interaction)
  if (answer === 'resend') {
    await mailCode(deps, interaction, address)
    return provePage(interaction, { resent: true })
  }
  if (answer === 'cancel') return leave(deps, request, interaction)
  const verdict = await tryCode(deps, interaction, { kept, typed: code })
  if (verdict !== 'right') return provePage(interaction, { problem: verdict })
  await prove(deps, interaction, { userId, address })
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}

async function leave(deps: FlowDeps, request: BrowserRequest, interaction: Interaction): Promise<Outcome> {
  const { cancel_to: cancelTo } = interaction.params
  await deps.storage.transaction((tx) => settle(tx, interaction, { error: 'access_denied', error_description: '' }))
  const url = isString(cancelTo) ? cancelTo : deps.issuer
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

async function prove(
  { storage, clock, vault }: FlowDeps,
  interaction: Interaction,
  { userId, address }: { userId: string; address: string },
): Promise<void> {
  const at = clock()
  await storage.transaction(async (tx) => {
    await settle(tx, interaction, { error: 'access_denied', error_description: '' })
    const [user] = await tx.users.lock([userId])
    // Another address since: this proof speaks of the old one.
    if (user === undefined || user.blocked || user.email !== address) throw new FlowError('interaction_expired')
    await tx.evidence.put({ userId, address, source: 'mail', grade: 3, saidAt: at })
    const emailVerified = isAddressProven(await tx.evidence.listOfUser(userId), address)
    await tx.users.replace({ ...user, emailVerified, updatedAt: at })
    await sweepSquatters(tx, vault, { address, ownerId: userId, at })
    await tx.events.append({
      type: 'user.address_proven',
      at,
      outcome: 'ok',
      userId,
      data: { grade: 3, source: 'mail' },
    })
  })
}

async function mailCode(deps: FlowDeps, interaction: Interaction, address: string): Promise<void> {
  if (await deps.mailLimits.exceeded(address)) throw new FlowError('rate_limited')
  const { client_id: clientId } = interaction.params
  const client = isString(clientId) ? await deps.storage.clients.find(clientId) : undefined
  const { code, kept } = newCode(interaction, deps.clock())
  await deps.storage.transaction(async (tx) => {
    await remember(tx, interaction, { proof: { address, ...kept } })
    await queueMail(tx, deps.keyring, {
      to: address,
      template: 'verify-code',
      values: {
        tenant: deps.settings().friendlyName,
        ...(client === undefined ? {} : { app: parseClient(client).name }),
        purpose: 'connect',
        code,
        minutes: CODE_SECONDS / 60,
      },
      notAfter: kept.expiresAt,
    })
  })
}

function pendingProof({ artifact }: Interaction): { address: string; kept: MailedCode } {
  const { proof } = artifact.payload
  if (!isJsonObject(proof) || !isString(proof.address) || !isString(proof.codeHash))
    throw new FlowError('interaction_expired')
  return { address: proof.address, kept: { codeHash: proof.codeHash, expiresAt: Number(proof.expiresAt) } }
}
