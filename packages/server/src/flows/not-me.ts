// "This was not me": a mailed link by which somebody who was told of a change takes it back. Opening it changes nothing,
// for scanners open links; it works once, and no session is needed.
import { changeAddress } from '../accounts/change-address.ts'
import { DENIED_ADDRESS, DENIED_SECOND_FACTOR } from '../accounts/denials.ts'
import { endEverythingIssued } from '../accounts/end-access.ts'
import { displayNameOf } from '../accounts/link-notices.ts'
import { undoLink } from '../accounts/link-undo.ts'
import { transact } from '../accounts/transact.ts'
import { sha256Hex } from '../crypto/hashing.ts'
import { Conflict, Invalid } from '../domain/errors.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { LinkRecord, MailProof } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'

export interface NotMePage {
  readonly ticket: string
  readonly denied: Denied
  readonly at: EpochSeconds
}

/** What happened, that somebody says was not them. */
export type Denied =
  | { readonly kind: 'joined' }
  | { readonly kind: 'added'; readonly connection: string }
  | { readonly kind: 'second-factor' }
  /** The account went by this address before. */
  | { readonly kind: 'address'; readonly former: string }

/** @throws {FlowError} `ticket_invalid`: unknown, used, run out, or what it denies was taken back already. */
export async function notMePage(deps: FlowDeps, ticket: string | undefined): Promise<NotMePage> {
  const { proof, link } = await openDenial(deps, deps.storage, ticket)
  const page = { ticket: ticket ?? '', at: proof.createdAt }
  if (proof.boundTo === DENIED_SECOND_FACTOR) return { ...page, denied: { kind: 'second-factor' } }
  if (link === undefined) return { ...page, denied: { kind: 'address', former: proof.address } }
  const added = link.secondaryUserId === undefined ? link.identity : undefined
  const connection = added && (await displayNameOf(deps.storage, added.connectionId))
  return { ...page, denied: connection === undefined ? { kind: 'joined' } : { kind: 'added', connection } }
}

/** Undoes the link or the change of address, and ends every session and grant of whoever remains; what was changed since stays as it is. */
export async function submitNotMe(deps: FlowDeps, ticket: string | undefined): Promise<void> {
  const at = deps.clock()
  const { vault, keyring, notifyLink: notify } = deps
  await transact(deps.storage, async (tx) => {
    const { proof, link } = await openDenial(deps, tx, ticket)
    if (!(await tx.proofs.consume(proof.idHash))) throw new FlowError('ticket_invalid')
    if (proof.boundTo === DENIED_SECOND_FACTOR) return removeFactors(deps, tx, proof, at)
    if (link === undefined) return restoreAddress(deps, tx, proof, at)
    const { primaryUserId: userId } = link
    await undoLink(tx, { vault, keyring, notify }, { linkId: link.id, at, keepChanges: true, by: userId })
    await endEverythingIssued(tx, vault, userId)
    await tx.events.append({
      type: 'link.denied',
      at,
      outcome: 'ok',
      userId,
      data: { link_id: link.id, proof: 'mail' },
    })
  }).catch(stays)
}

/** Who reads the former mailbox has just proven it again. */
async function restoreAddress(
  { vault }: FlowDeps,
  tx: Repositories,
  { userId, address }: MailProof,
  at: EpochSeconds,
): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) throw new FlowError('ticket_invalid')
  await changeAddress(tx, vault, { user, address, at })
  await endEverythingIssued(tx, vault, userId)
  await tx.events.append({ type: 'user.address_restored', at, outcome: 'ok', userId, data: { proof: 'mail' } })
}

/** Whoever added them would be the only one to come in: all of them go, with what is issued. */
async function removeFactors(
  { vault }: FlowDeps,
  tx: Repositories,
  { userId }: MailProof,
  at: EpochSeconds,
): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) throw new FlowError('ticket_invalid')
  await tx.secondFactors.deleteOfUser(userId)
  await endEverythingIssued(tx, vault, userId)
  await tx.events.append({ type: 'second_factor.denied', at, outcome: 'ok', userId, data: { proof: 'mail' } })
}

/** It cannot be taken back any more, or has become the only way in: then an operator has to look. */
function stays(cause: unknown): never {
  if (cause instanceof Invalid || cause instanceof Conflict) throw new FlowError('access_denied', { cause })
  throw cause
}

async function openDenial(
  { clock }: FlowDeps,
  repositories: Repositories,
  ticket: string | undefined,
): Promise<{ proof: MailProof; link: LinkRecord | undefined }> {
  const proof = ticket === undefined ? undefined : await repositories.proofs.find(sha256Hex(ticket))
  if (proof === undefined || proof.kind !== 'not_me' || proof.expiresAt <= clock())
    throw new FlowError('ticket_invalid')
  if (proof.boundTo === DENIED_SECOND_FACTOR) {
    // One that was added later has a mail of its own, and is not taken back by an older one.
    const enrolled = await repositories.secondFactors.listOfUser(proof.userId)
    if (!enrolled.some(({ addedAt }) => addedAt <= proof.createdAt)) throw new FlowError('ticket_invalid')
    return { proof, link: undefined }
  }
  if (proof.boundTo === DENIED_ADDRESS) {
    const user = await repositories.users.find(proof.userId ?? '')
    if (user === undefined || user.email === proof.address || (await wasRestored(repositories, proof)))
      throw new FlowError('ticket_invalid')
    return { proof, link: undefined }
  }
  const link = await repositories.links.find(proof.boundTo)
  if (link === undefined || link.undoneAt !== undefined) throw new FlowError('ticket_invalid')
  return { proof, link }
}

/** Whoever changed an address more than once left such links in mailboxes of their own: the first restoring ends them all. */
async function wasRestored({ events }: Repositories, { userId, createdAt }: MailProof): Promise<boolean> {
  const types = ['user.address_restored']
  const [last] = await events.list({ userId, types, descending: true, limit: 1 })
  return last !== undefined && last.at >= createdAt
}
