// A person proves an address by a mailed code: their own, before anything may be added to the account, and they go on with
// what they were about; or another one, by which the account goes from then on (T-PRE-04).

import { changeAddress } from '../accounts/change-address.ts'
import { issueAddressDenial } from '../accounts/denials.ts'
import { proveAddress } from '../accounts/prove-address.ts'
import { provenAmong, tell } from '../accounts/tell.ts'
import { transact } from '../accounts/transact.ts'
import { maskAddress } from '../domain/address.ts'
import { parseClient } from '../domain/client.ts'
import { Conflict } from '../domain/errors.ts'
import type { User } from '../domain/user.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { backTo, rotateSession } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction, remember, settle, startLocal } from './interactions.ts'
import { CODE_SECONDS, type MailedCode, newCode, tryCode } from './mailed-code.ts'
import type { Outcome, VerifyPage } from './outcome.ts'

const ACCOUNT = '/account'
const NEXT = { next: { kind: 'account', url: ACCOUNT } } as const

export interface AddressProof {
  readonly userId: string
  readonly address: string
  /** It is to become the account's address; otherwise it is. */
  readonly change?: boolean
  /** The client that the person comes from; their own pages when there is none. */
  readonly clientId?: string | undefined
  /** Where the journey goes on, and where it ends when the person would rather not. */
  readonly returnTo: string
  readonly cancelTo: string
}

/**
 * Mails a code, and leads to the page that takes it. One proof waits for a user at a time: a newer one, a link, an unlink,
 * a reset and a block end it.
 *
 * @throws {FlowError} `rate_limited`.
 */
export async function startAddressProof(
  deps: FlowDeps,
  request: BrowserRequest,
  { userId, address, change = false, clientId, returnTo, cancelTo }: AddressProof,
): Promise<Outcome> {
  const params = { ...(clientId === undefined ? {} : { client_id: clientId }), cancel_to: cancelTo, change }
  const state = await deps.storage.transaction((tx) =>
    startLocal(tx, deps, { request, purpose: 'prove-address', returnTo, params, userId }),
  )
  await mailCode(deps, await getInteraction(deps, request, state), { userId, address })
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
    reason: interaction.params.change === true ? 'account' : 'connect',
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
    await mailCode(deps, interaction, { userId, address })
    return provePage(interaction, { resent: true })
  }
  if (answer === 'cancel') return leave(deps, request, interaction)
  const verdict = await tryCode(deps, interaction, { kept, typed: code })
  if (verdict !== 'right') return provePage(interaction, { problem: verdict })
  return finish(deps, request, interaction, { userId, address })
}

async function leave(deps: FlowDeps, request: BrowserRequest, interaction: Interaction): Promise<Outcome> {
  const { cancel_to: cancelTo } = interaction.params
  await deps.storage.transaction((tx) => settle(tx, interaction, { error: 'access_denied', error_description: '' }))
  const url = isString(cancelTo) ? cancelTo : deps.issuer
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

interface Proven {
  readonly userId: string
  readonly address: string
}

async function finish(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  proven: Proven,
): Promise<Outcome> {
  const isChange = interaction.params.change === true
  const at = deps.clock()
  const work = async (tx: Repositories) => {
    await settle(tx, interaction, { error: 'access_denied', error_description: '' })
    const user = await lockWaiting(tx, interaction, proven)
    if (isChange) await change(deps, tx, user, { ...proven, at })
    else await prove(deps, tx, user, { ...proven, at })
    return isChange ? rotateSession(deps, tx, request) : undefined
  }
  try {
    const cookie = await transact(deps.storage, work)
    if (isChange) return backTo(deps, request, ACCOUNT, { code: 'address-changed', thing: proven.address }, cookie)
    return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
  } catch (error) {
    if (!(error instanceof Conflict) || error.code !== 'address_taken') throw error
    // Said to nobody but who reads that mailbox.
    return backTo(deps, request, ACCOUNT, { code: 'address-taken', thing: proven.address })
  }
}

/** @throws {FlowError} `interaction_expired`: something ended the proof meanwhile. */
async function lockWaiting(tx: Repositories, { hash }: Interaction, { userId }: Proven): Promise<User> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked || !(await tx.proofs.consume(hash)))
    throw new FlowError('interaction_expired', NEXT)
  return user
}

async function prove(
  deps: FlowDeps,
  tx: Repositories,
  user: User,
  { address, at }: Proven & { readonly at: EpochSeconds },
): Promise<void> {
  // Another address since: this proof speaks of the old one.
  if (user.email !== address) throw new FlowError('interaction_expired', NEXT)
  const evidence = await proveAddress(tx, deps.vault, { user, address, at })
  await tell(deps, tx, { template: 'address-proven', to: provenAmong(evidence), at, path: 'account' })
}

/**
 * Both are told: who reads the old address may not be who changed it, and can take it back if they had shown that it was
 * theirs. Where a provider that does not own the domain said so, the account may never have been of who reads that
 * mailbox, and giving it their address would prove it for somebody else (T-PRE-03).
 */
async function change(
  deps: FlowDeps,
  tx: Repositories,
  user: User,
  { userId, address, at }: Proven & { readonly at: EpochSeconds },
): Promise<void> {
  const evidence = await tx.evidence.listOfUser(userId)
  const before = provenAmong(evidence)
  const former = evidence.find((word) => word.address === user.email && word.grade >= 2)?.address
  await changeAddress(tx, deps.vault, { user, address, at })
  const others = [...before.filter((one) => one !== former), address]
  await tell(deps, tx, { template: 'address-changed', to: others, at, path: 'account' })
  if (former === undefined) return
  const path = await issueAddressDenial(tx, { userId, address: former, at })
  await tell(deps, tx, { template: 'address-left', to: [former], at, path })
}

async function mailCode(deps: FlowDeps, interaction: Interaction, { userId, address }: Proven): Promise<void> {
  if (await deps.mailLimits.exceeded(address)) throw new FlowError('rate_limited')
  const { client_id: clientId } = interaction.params
  const client = isString(clientId) ? await deps.storage.clients.find(clientId) : undefined
  const { code, kept } = newCode(interaction, deps.clock())
  await deps.storage.transaction(async (tx) => {
    await remember(tx, interaction, { proof: { address, ...kept } })
    await tx.proofs.deleteOfUser(userId, 'verify')
    await tx.proofs.insert({
      idHash: interaction.hash,
      kind: 'verify',
      userId,
      address,
      boundTo: interaction.hash,
      attempts: 0,
      createdAt: deps.clock(),
      expiresAt: kept.expiresAt,
    })
    await queueMail(tx, deps.keyring, {
      to: address,
      template: 'verify-code',
      values: {
        tenant: deps.settings().friendlyName,
        ...(client === undefined ? {} : { app: parseClient(client).name }),
        purpose: interaction.params.change === true ? 'address' : 'connect',
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
