// Choosing a new password by a mailed link. Whoever proves the mailbox gets the account to themselves: every session,
// refresh token, grant and pending proof of before ends (T-PRE-02, T-PRE-04).
import { endEverythingIssued } from '../accounts/end-access.ts'
import { sweepOwnAccount, sweepSquatters } from '../accounts/sweep.ts'
import { provenAmong, tell } from '../accounts/tell.ts'
import { endOf, issueTicket, RESET_BY_TICKET } from '../accounts/tickets.ts'
import { createPasswordUser } from '../accounts/users.ts'
import { sha256Hex } from '../crypto/hashing.ts'
import { passwordProblem } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import { gradeOfAddress, isAddressProven } from '../domain/addresses-of-user.ts'
import { PASSWORD_CONNECTION } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import { profileOf } from '../domain/profile.ts'
import { queueMail } from '../events/mail-queue.ts'
import type { MailProof, SignUp } from '../storage/records.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome, ResetPage } from './outcome.ts'
import { PROBLEM_WORDS } from './sign-up.ts'

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
  if (identity !== undefined) await mailResetLink(deps, { ...identity, address })
  return page({ name: 'reset-password', step: 'sent', email: address, state: open.interaction.uid })
}

/** The page behind the link: opening it changes nothing, for mail scanners open links. */
export async function openReset(deps: FlowDeps, ticket: string | undefined): Promise<Outcome> {
  const { address } = (await openTicket(deps, ticket)).row
  return page({ name: 'reset-password', step: 'choose', ticket: ticket ?? '', address, problem: undefined })
}

export async function submitNewPassword(
  deps: FlowDeps,
  ticket: string | undefined,
  password: string | undefined,
): Promise<Outcome> {
  const opened = await openTicket(deps, ticket)
  const { address } = opened.row
  const problem = passwordProblem(password ?? '', address)
  if (problem !== undefined) {
    return page(
      {
        name: 'reset-password',
        step: 'choose',
        ticket: ticket ?? '',
        address,
        problem: PROBLEM_WORDS[problem],
      },
      400,
    )
  }
  const hash = await deps.passwords.hash(password ?? '')
  if (opened.kind === 'sign-up') await finishSignUp(deps, opened.row, hash)
  else await setPassword(deps, opened.row, hash)
  if (opened.kind === 'reset' && opened.row.goesTo !== undefined)
    return { kind: 'redirect', url: endOf(opened.row.goesTo, address) }
  return page({ name: 'reset-password', step: 'done' })
}

async function setPassword(deps: FlowDeps, proof: MailProof, hash: string): Promise<void> {
  const { storage, clock } = deps
  // Tickets of operators, and links of before this was kept, are of the connection that every tenant has.
  const connection =
    proof.boundTo === '' || proof.boundTo === RESET_BY_TICKET
      ? await storage.connections.findByName(PASSWORD_CONNECTION)
      : await storage.connections.find(proof.boundTo)
  const known = connection && (await storage.passwords.findByAddress(connection.id, proof.address))
  if (connection === undefined || known === undefined) throw new FlowError('ticket_invalid')
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
      await sweepOwnAccount(tx, deps.vault, { userId: user.userId, address: proof.address, kept, at })
      await sweepSquatters(tx, deps.vault, { address: proof.address, ownerId: user.userId, at })
    } else await endEverythingIssued(tx, deps.vault, user.userId)
    await tx.proofs.deleteOfUser(user.userId)
    await tx.events.append({ type: 'user.password_reset', at, outcome: 'ok', userId: user.userId })
    // Addresses that came with somebody else's ways in are nobody's to tell.
    const to = [proof.address, ...(isFirstProof ? [] : provenAmong(evidence))]
    await tell(deps, tx, { template: 'password-changed', to, at, path: 'account' })
  })
}

/** Makes the account that was asked for over the API, its address proven. */
async function finishSignUp(deps: FlowDeps, signUp: SignUp, hash: string): Promise<void> {
  const { storage, clock } = deps
  const { address, subject } = signUp
  const connection = await storage.connections.find(signUp.connectionId)
  if (connection === undefined) throw new FlowError('ticket_invalid')
  const at = clock()
  try {
    await storage.transaction(async (tx) => {
      if (!(await tx.signUps.consume(signUp.idHash))) throw new FlowError('ticket_invalid')
      const made = await createPasswordUser(tx, {
        connection,
        email: address,
        hash,
        subject,
        profile: profileOf(signUp.profile),
        userMetadata: signUp.userMetadata,
        grade: 3,
        source: 'mail',
        at,
      })
      // Whoever only claimed the address was sitting on it.
      await sweepSquatters(tx, deps.vault, { address, ownerId: made.userId, at })
    })
  } catch (error) {
    // Made meanwhile, in another way: the person signs in.
    if (!(error instanceof Conflict)) throw error
    throw new FlowError('ticket_invalid', { cause: error })
  }
}

/** A link to the page for a new password; `account-exists` says that one was asked for by signing up. */
export async function mailResetLink(
  deps: FlowDeps,
  {
    connectionId,
    userId,
    address,
  }: { readonly connectionId: string; readonly userId: string; readonly address: string },
  template: 'reset-link' | 'account-exists' = 'reset-link',
): Promise<void> {
  const now = deps.clock()
  await deps.storage.transaction(async (tx) => {
    const ticket = { kind: 'reset', userId, address, boundTo: connectionId, at: now, seconds: LINK_SECONDS } as const
    const link = new URL(await issueTicket(tx, ticket), deps.issuer).href
    await queueMail(tx, deps.keyring, {
      to: address,
      ...contentOf(template, deps.settings().friendlyName, link),
      notAfter: now + LINK_SECONDS,
    })
  })
}

const contentOf = (template: 'reset-link' | 'account-exists', tenant: string, link: string) =>
  template === 'reset-link'
    ? ({ template, values: { tenant, link, minutes: LINK_SECONDS / 60 } } as const)
    : ({ template, values: { tenant, link } } as const)

type Ticket = { readonly kind: 'sign-up'; readonly row: SignUp } | { readonly kind: 'reset'; readonly row: MailProof }

/** @throws {FlowError} `ticket_invalid`: unknown, used or run out. */
async function openTicket(deps: FlowDeps, ticket: string | undefined): Promise<Ticket> {
  const signUp = ticket === undefined ? undefined : await deps.storage.signUps.find(sha256Hex(ticket))
  if (signUp !== undefined && signUp.expiresAt > deps.clock()) return { kind: 'sign-up', row: signUp }
  return { kind: 'reset', row: await getProof(deps, ticket) }
}

/** @throws {FlowError} `ticket_invalid`: unknown, used or run out. */
async function getProof({ storage, clock }: FlowDeps, ticket: string | undefined): Promise<MailProof> {
  const proof = ticket === undefined ? undefined : await storage.proofs.find(sha256Hex(ticket))
  if (proof === undefined || proof.kind !== 'reset' || proof.expiresAt <= clock()) throw new FlowError('ticket_invalid')
  return proof
}

const page = (shown: ResetPage, status = 200): Outcome => ({ kind: 'page', page: shown, status })
