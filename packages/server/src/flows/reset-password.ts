// Choosing a new password by a mailed link. Whoever proves the mailbox gets the account to themselves: every session,
// refresh token, grant and pending proof of before ends (T-PRE-02, T-PRE-04).
import { endEverythingIssued } from '../accounts/end-access.ts'
import { RESET_BY_TICKET } from '../accounts/reset-ticket.ts'
import { sweepOwnAccount, sweepSquatters } from '../accounts/sweep.ts'
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { passwordProblem } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import { gradeOfAddress, isAddressProven } from '../domain/addresses-of-user.ts'
import { PASSWORD_CONNECTION } from '../domain/connection.ts'
import { queueMail } from '../events/mail-queue.ts'
import type { MailProof } from '../storage/records.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome, ResetPage } from './outcome.ts'
import { PROBLEM_WORDS } from './sign-up.ts'
import { provenAmong, tell } from './tell.ts'

const LINK_SECONDS = 1800

export const askReset = (
  open: OpenInteraction,
  email?: string,
  problem?: 'address_missing' | 'address_invalid',
): Outcome =>
  page(
    { name: 'reset-password', step: 'ask', state: open.interaction.uid, email, problem },
    problem === undefined ? 200 : 400,
  )

/** Mails a link when the address has a password; the answer is the same when it has none. */
export async function submitResetRequest(
  deps: FlowDeps,
  open: OpenInteraction,
  email: string | undefined,
): Promise<Outcome> {
  if (email === undefined || email === '') return askReset(open, email, 'address_missing')
  const address = canonicalAddress(email)
  if (address === undefined) return askReset(open, email, 'address_invalid')
  if (await deps.mailLimits.exceeded(address)) throw new FlowError('rate_limited')
  const { passwordConnection } = open
  if (passwordConnection === undefined) throw new FlowError('connection_unavailable')
  const known = await deps.storage.passwords.findByAddress(passwordConnection.id, address)
  const identity = known && (await deps.storage.identities.find(passwordConnection.id, known.subject))
  if (identity !== undefined) await mailLink(deps, identity.userId, address)
  return page({ name: 'reset-password', step: 'sent', email: address, state: open.interaction.uid })
}

/** The page behind the link: opening it changes nothing, for mail scanners open links. */
export async function openReset(deps: FlowDeps, ticket: string | undefined): Promise<Outcome> {
  const { address } = await getProof(deps, ticket)
  return page({ name: 'reset-password', step: 'choose', ticket: ticket ?? '', address, problem: undefined })
}

export async function submitNewPassword(
  deps: FlowDeps,
  ticket: string | undefined,
  password: string | undefined,
): Promise<Outcome> {
  const { storage, clock } = deps
  const proof = await getProof(deps, ticket)
  const problem = passwordProblem(password ?? '', proof.address)
  if (problem !== undefined) {
    return page(
      {
        name: 'reset-password',
        step: 'choose',
        ticket: ticket ?? '',
        address: proof.address,
        problem: PROBLEM_WORDS[problem],
      },
      400,
    )
  }
  const connection = await storage.connections.findByName(PASSWORD_CONNECTION)
  const known = connection && (await storage.passwords.findByAddress(connection.id, proof.address))
  if (connection === undefined || known === undefined) throw new FlowError('ticket_invalid')
  const hash = await deps.passwords.hash(password ?? '')
  const at = clock()
  await storage.transaction(async (tx) => {
    if (!(await tx.proofs.consume(proof.idHash))) throw new FlowError('ticket_invalid')
    const [user] = await tx.users.lock([proof.userId])
    if (user === undefined || user.blocked) throw new FlowError('user_blocked')
    // The address may have become another user's since the mail: the link was not for them.
    const identity = await tx.identities.find(connection.id, known.subject)
    if (identity?.userId !== user.userId) throw new FlowError('ticket_invalid')
    await tx.passwords.replaceHash(connection.id, known.subject, hash, at)
    const before = await tx.evidence.listOfUser(user.userId)
    const provesMailbox = proof.boundTo !== RESET_BY_TICKET
    if (provesMailbox)
      await tx.evidence.put({ userId: user.userId, address: proof.address, source: 'mail', grade: 3, saidAt: at })
    const evidence = await tx.evidence.listOfUser(user.userId)
    await tx.users.replace({ ...user, emailVerified: isAddressProven(evidence, user.email), updatedAt: at })
    const isFirstProof = provesMailbox && (gradeOfAddress(before, proof.address) ?? 0) === 0
    if (isFirstProof) {
      // Whoever made the account is not known to be who owns the mailbox: what they put there goes (T-PRE-03).
      const kept = { connectionId: connection.id, subject: known.subject }
      await sweepOwnAccount(tx, deps.vault, { userId: user.userId, kept, at })
      await sweepSquatters(tx, deps.vault, { address: proof.address, ownerId: user.userId, at })
    } else await endEverythingIssued(tx, deps.vault, user.userId)
    await tx.proofs.deleteOfUser(user.userId)
    await tx.events.append({ type: 'user.password_reset', at, outcome: 'ok', userId: user.userId })
    // Addresses that came with somebody else's ways in are nobody's to tell.
    const to = [proof.address, ...(isFirstProof ? [] : provenAmong(evidence))]
    await tell(deps, tx, { template: 'password-changed', to, at, path: 'account' })
  })
  return page({ name: 'reset-password', step: 'done' })
}

async function mailLink(deps: FlowDeps, userId: string, address: string): Promise<void> {
  const ticket = randomToken()
  const now = deps.clock()
  const link = new URL(`reset-password?ticket=${ticket}`, deps.issuer).href
  await deps.storage.transaction(async (tx) => {
    await tx.proofs.deleteOfUser(userId, 'reset')
    await tx.proofs.insert({
      idHash: sha256Hex(ticket),
      kind: 'reset',
      userId,
      address,
      boundTo: '',
      attempts: 0,
      createdAt: now,
      expiresAt: now + LINK_SECONDS,
    })
    await queueMail(tx, deps.keyring, {
      to: address,
      template: 'reset-link',
      values: { tenant: deps.settings().friendlyName, link, minutes: LINK_SECONDS / 60 },
      notAfter: now + LINK_SECONDS,
    })
  })
}

/** @throws {FlowError} `ticket_invalid`: unknown, used or run out. */
async function getProof({ storage, clock }: FlowDeps, ticket: string | undefined): Promise<MailProof> {
  const proof = ticket === undefined ? undefined : await storage.proofs.find(sha256Hex(ticket))
  if (proof === undefined || proof.kind !== 'reset' || proof.expiresAt <= clock()) throw new FlowError('ticket_invalid')
  return proof
}

const page = (shown: ResetPage, status = 200): Outcome => ({ kind: 'page', page: shown, status })
