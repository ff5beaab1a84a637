// "This was not me": a mailed link by which somebody who was told of a change takes it back. Opening it changes nothing,
// for scanners open links; it works once, and no session is needed.
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
  /** Undefined when two accounts became one. */
  readonly connection: string | undefined
  readonly at: EpochSeconds
}

/** @throws {FlowError} `ticket_invalid`: unknown, used, run out, or what it denies was taken back already. */
export async function notMePage(deps: FlowDeps, ticket: string | undefined): Promise<NotMePage> {
  const { link } = await openDenial(deps, deps.storage, ticket)
  const added = link.secondaryUserId === undefined ? link.identity : undefined
  const connection = added && (await displayNameOf(deps.storage, added.connectionId))
  return { ticket: ticket ?? '', connection, at: link.createdAt }
}

/** Undoes the link, and ends every session and grant of whoever remains; what was changed since stays as it is. */
export async function submitNotMe(deps: FlowDeps, ticket: string | undefined): Promise<void> {
  const at = deps.clock()
  const { vault, keyring, notifyLink: notify } = deps
  await transact(deps.storage, async (tx) => {
    const { proof, link } = await openDenial(deps, tx, ticket)
    if (!(await tx.proofs.consume(proof.idHash))) throw new FlowError('ticket_invalid')
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

/** It cannot be taken back any more, or has become the only way in: then an operator has to look. */
function stays(cause: unknown): never {
  if (cause instanceof Invalid || cause instanceof Conflict) throw new FlowError('access_denied', { cause })
  throw cause
}

async function openDenial(
  { clock }: FlowDeps,
  repositories: Repositories,
  ticket: string | undefined,
): Promise<{ proof: MailProof; link: LinkRecord }> {
  const proof = ticket === undefined ? undefined : await repositories.proofs.find(sha256Hex(ticket))
  if (proof === undefined || proof.kind !== 'not_me' || proof.expiresAt <= clock())
    throw new FlowError('ticket_invalid')
  const link = await repositories.links.find(proof.boundTo)
  if (link === undefined || link.undoneAt !== undefined) throw new FlowError('ticket_invalid')
  return { proof, link }
}
