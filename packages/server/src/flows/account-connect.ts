// Keeping an account that was just proven for agents, without making it a way to sign in.
import { mayLink } from '../domain/addresses-of-user.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountNotice } from './account-notice.ts'
import type { Arrival } from './arrival.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'

/** This person has it connected already. */
export async function holdsForAgents(
  repositories: Repositories,
  userId: string,
  { connection, subject }: Arrival,
): Promise<boolean> {
  const key = { userId, connectionId: connection.id, subject, purpose: 'agents' } as const
  return (await repositories.accounts.findBySubject(key)) !== undefined
}

export async function connectForAgents(
  deps: FlowDeps,
  tx: Repositories,
  userId: string,
  arrival: Arrival,
): Promise<AccountNotice> {
  await requireMayAdd(tx, userId)
  await keepAccount(deps, tx, userId, arrival, 'agents')
  return { code: 'connected', thing: shownConnection(arrival.connection).displayName }
}

/** Stores the tokens, new or renewed, and records it. */
export async function keepAccount(
  { vault, clock }: FlowDeps,
  tx: Repositories,
  userId: string,
  { connection, subject, account, scopesAsked }: Arrival,
  purpose: VaultAccount['purpose'],
): Promise<void> {
  if (account?.tokenset === undefined) return
  const { tokenset, upstreamName: label, extras = {} } = account
  const connectionId = connection.id
  const stored = await vault.store(tx, { userId, connectionId, subject, purpose, tokenset, label, scopesAsked, extras })
  await tx.events.append({
    type: 'connected_account.connected',
    at: clock(),
    outcome: 'ok',
    userId,
    actor: userId,
    connectionId,
    accountId: stored.account.id,
    data: { kind: stored.kind, scopes: stored.account.scopesGranted },
  })
}

/** @throws {FlowError} blocked, gone or unproven since the journey began. */
export async function requireMayAdd(tx: Repositories, userId: string): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked) throw new FlowError('user_blocked')
  if (!mayLink(user)) throw new FlowError('address_unproven')
}
