// A link by which a person shows that an address is theirs. It counts in a browser where that very person is signed in:
// whoever reads the mailbox of an account that somebody else made does not prove it for them (T-PRE-01, T-PRE-04).
import { findPassword } from '../accounts/change-address.ts'
import { proveAddress } from '../accounts/prove-address.ts'
import { provenAmong, tell } from '../accounts/tell.ts'
import { endOf, VERIFY_BY_TICKET } from '../accounts/tickets.ts'
import { sha256Hex } from '../crypto/hashing.ts'
import { maskAddress } from '../domain/address.ts'
import type { User } from '../domain/user.ts'
import type { MailProof } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { signInFirst } from './sign-in-first.ts'

/**
 * The page behind the link: opening it changes nothing, for mail scanners open links.
 *
 * @throws {FlowError} `ticket_invalid`: unknown, used or run out; `wrong_user`: somebody else is signed in here.
 */
export async function openVerification(
  deps: FlowDeps,
  request: BrowserRequest,
  ticket: string | undefined,
): Promise<Outcome> {
  const { userId, address } = await getTicket(deps, ticket)
  if (request.session === undefined) return signInFirst(deps, request, `/verify-email?ticket=${ticket}`)
  if (request.session.userId !== userId) throw new FlowError('wrong_user')
  return {
    kind: 'page',
    page: { name: 'verify-link', step: 'ask', ticket: ticket ?? '', address: maskAddress(address) },
  }
}

/** @throws {FlowError} as `openVerification`; `user_blocked`. */
export async function submitVerification(
  deps: FlowDeps,
  request: BrowserRequest,
  ticket: string | undefined,
): Promise<Outcome> {
  const proof = await getTicket(deps, ticket)
  const { userId, address, goesTo } = proof
  if (request.session?.userId !== userId) throw new FlowError('wrong_user')
  const at = deps.clock()
  await deps.storage.transaction(async (tx) => {
    const [user] = await tx.users.lock([userId])
    if (user === undefined || user.blocked) throw new FlowError('user_blocked')
    if (!(await tx.proofs.consume(proof.idHash)) || !(await goesBy(tx, user, address)))
      throw new FlowError('ticket_invalid')
    const evidence = await proveAddress(tx, deps.vault, { user, address, at })
    await tell(deps, tx, { template: 'address-proven', to: provenAmong(evidence), at, path: 'account' })
  })
  const cookies = withBrowserCookie(request)
  if (goesTo !== undefined) return { kind: 'redirect', url: endOf(goesTo, address), cookies }
  return { kind: 'page', page: { name: 'verify-link', step: 'done', address: maskAddress(address) }, cookies }
}

/** Another address since: the ticket speaks of the old one. */
async function goesBy(tx: Repositories, { userId, email }: User, address: string): Promise<boolean> {
  if (email === address) return true
  const own = await findPassword(tx, userId)
  return own !== undefined && (await tx.passwords.find(own.connectionId, own.subject))?.address === address
}

async function getTicket({ storage, clock }: FlowDeps, ticket: string | undefined): Promise<MailProof> {
  const proof = ticket === undefined ? undefined : await storage.proofs.find(sha256Hex(ticket))
  if (proof?.kind !== 'verify' || proof.boundTo !== VERIFY_BY_TICKET || proof.expiresAt <= clock())
    throw new FlowError('ticket_invalid')
  return proof
}
