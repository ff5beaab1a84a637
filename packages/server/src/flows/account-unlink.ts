// Removing a way to sign in from the person's own pages (linking.md §6): gone, not split off.
import { removeWay } from '../accounts/remove-way.ts'
import { transact } from '../accounts/transact.ts'
import { waysIn } from '../accounts/ways-in.ts'
import { fullUserId } from '../domain/connection.ts'
import { Invalid } from '../domain/errors.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountNotice } from './account-notice.ts'
import { backTo, type Owner, requireOwner, rotateSession } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account/connections'

/** @param name `provider|user_id`, as the page named it. */
export async function unlinkFromAccount(deps: FlowDeps, request: BrowserRequest, name: string): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const { notice, cookie } = await transact(deps.storage, async (tx) => {
    const notice = await remove(deps, tx, owner, name)
    return { notice, cookie: await rotateSession(deps, tx, request) }
  })
  return backTo(deps, request, PAGE, notice, cookie)
}

async function remove(deps: FlowDeps, tx: Repositories, { user }: Owner, name: string): Promise<AccountNotice> {
  const { userId } = user
  const ways = await waysIn(tx, userId)
  const way = ways.find(({ connection, identity }) => fullUserId(connection, identity.subject) === name)
  if (way === undefined) return { code: 'gone', thing: '' }
  const { connectionId, subject } = way.identity
  const thing = shownConnection(deps.connections.open(way.connection)).displayName
  if (way.identity.position === 0) return { code: 'first-way', thing }
  try {
    const change = { vault: deps.vault, notify: deps.notifyLink }
    const removed = await removeWay(change, tx, { userId, connectionId, subject, at: deps.clock() })
    return { code: removed ? 'unlinked' : 'gone', thing }
  } catch (error) {
    // Thrown before anything was written.
    if (error instanceof Invalid) return { code: 'last-way', thing }
    throw error
  }
}
