// What a person does with the accounts that agents may use: disconnect, name, choose the default. Only their own answer.
import { transact } from '../accounts/transact.ts'
import { isLabel, tidyLabel } from '../domain/label.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountNotice } from './account-notice.ts'
import { backTo, requireOwner } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import { isTypedConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account/connections'

/** Gone at once, for the kept tokens of a sign-in by the same account as well; the revocation upstream is queued. */
export function disconnectAccount(deps: FlowDeps, request: BrowserRequest, id: string | undefined): Promise<Outcome> {
  return change(deps, request, id, async (tx, account) => {
    const at = deps.clock()
    const { userId, connectionId, subject, label } = account
    await deps.vault.drop(tx, account, at)
    const purpose = account.purpose === 'agents' ? 'sign_in' : 'agents'
    const twin = await tx.accounts.findBySubject({ userId, connectionId, subject, purpose })
    if (twin !== undefined) await deps.vault.drop(tx, twin, at)
    await tx.events.append({
      type: 'connected_account.disconnected',
      at,
      outcome: 'ok',
      userId,
      actor: userId,
      connectionId,
      accountId: account.id,
    })
    const connection = await tx.connections.find(connectionId)
    // Nobody can be asked to end what the person typed.
    const isTyped = connection !== undefined && isTypedConnection(connection)
    return { code: isTyped ? 'disconnected-typed' : 'disconnected', thing: label }
  })
}

/** The name by which agents may ask for it (`login_hint`). */
export function labelAccount(
  deps: FlowDeps,
  request: BrowserRequest,
  id: string | undefined,
  wanted: string | undefined,
): Promise<Outcome> {
  const label = tidyLabel(wanted)
  return change(deps, request, id, async (tx, account) => {
    if (!isLabel(label)) return { code: 'label-bad', thing: account.label }
    if (label !== account.label) await tx.accounts.setLabel(account.id, account.userId, label)
    return { code: 'labelled', thing: label }
  })
}

/** The account that an exchange without a hint gets. */
export function setDefaultAccount(deps: FlowDeps, request: BrowserRequest, id: string | undefined): Promise<Outcome> {
  return change(deps, request, id, async (tx, account) => {
    await tx.accounts.setDefault(account.id, account.userId)
    return { code: 'default-set', thing: account.label }
  })
}

/** Somebody else's account is one that is not there. */
async function change(
  deps: FlowDeps,
  request: BrowserRequest,
  id: string | undefined,
  work: (tx: Repositories, account: StoredAccount) => Promise<AccountNotice>,
): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const notice = await transact(deps.storage, async (tx): Promise<AccountNotice> => {
    const account = id === undefined ? undefined : await tx.accounts.find(id)
    if (account === undefined || account.userId !== user.userId) return { code: 'gone', thing: '' }
    return work(tx, account)
  })
  return backTo(deps, request, PAGE, notice)
}
