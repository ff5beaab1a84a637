// "This was not me": a mailed link by which somebody who was told of a change takes it back. Opening it changes nothing,
// for scanners open links; it works once, and no session is needed.
import { changeAddress } from '../accounts/change-address.ts'
import { DENIED_ADDRESS } from '../accounts/denials.ts'
import { endEverythingIssued } from '../accounts/end-access.ts'
import { displayNameOf } from '../accounts/link-notices.ts'
import { undoLink } from '../accounts/link-undo.ts'
import { transact } from '../accounts/transact.ts'
import { isFactorId, sha256Hex } from '../crypto/hashing.ts'
import { Conflict, Invalid } from '../domain/errors.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { SecondFactorRecord } from '../storage/factor-repository.ts'
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
  const { proof, link, factor } = await openDenial(deps, deps.storage, ticket)
  const page = { ticket: ticket ?? '', at: proof.createdAt }
  if (factor !== undefined) return { ...page, denied: { kind: 'second-factor' } }
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
    const { proof, link, factor } = await openDenial(deps, tx, ticket)
    if (!(await tx.proofs.consume(proof.idHash))) throw new FlowError('ticket_invalid')
    if (factor !== undefined) return removeFactor(deps, tx, factor, at)
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

/**
 * Goes with what came after it, which whoever added it may have added as well, with recovery codes, which they may have
 * seen, and with what is issued. What was there before stays: who reads a mailbox takes back, and takes nothing else away.
 */
async function removeFactor(
  { vault }: FlowDeps,
  tx: Repositories,
  { userId, kind, addedAt }: SecondFactorRecord,
  at: EpochSeconds,
): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) throw new FlowError('ticket_invalid')
  for (const one of await tx.secondFactors.listOfUser(userId))
    if (one.addedAt >= addedAt) await tx.secondFactors.delete(userId, one.kind)
  await tx.secondFactors.replaceCodes(userId, [])
  await endEverythingIssued(tx, vault, userId)
  await tx.events.append({ type: 'second_factor.denied', at, outcome: 'ok', userId, data: { kind, proof: 'mail' } })
}

/** It cannot be taken back any more, or has become the only way in: then an operator has to look. */
function stays(cause: unknown): never {
  if (cause instanceof Invalid || cause instanceof Conflict) throw new FlowError('access_denied', { cause })
  throw cause
}

interface OpenDenial {
  readonly proof: MailProof
  /** One of the two is what is denied; neither: the change of an address. */
  readonly link?: LinkRecord
  readonly factor?: SecondFactorRecord
}

async function openDenial(
  { clock }: FlowDeps,
  repositories: Repositories,
  ticket: string | undefined,
): Promise<OpenDenial> {
  const proof = ticket === undefined ? undefined : await repositories.proofs.find(sha256Hex(ticket))
  if (proof === undefined || proof.kind !== 'not_me' || proof.expiresAt <= clock())
    throw new FlowError('ticket_invalid')
  if (isFactorId(proof.boundTo)) {
    const factors = await repositories.secondFactors.listOfUser(proof.userId)
    const factor = factors.find(({ id }) => id === proof.boundTo)
    if (factor === undefined) throw new FlowError('ticket_invalid')
    return { proof, factor }
  }
  if (proof.boundTo === DENIED_ADDRESS) {
    const user = await repositories.users.find(proof.userId ?? '')
    if (user === undefined || user.email === proof.address || (await wasRestored(repositories, proof)))
      throw new FlowError('ticket_invalid')
    return { proof }
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
