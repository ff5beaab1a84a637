// A person deletes their account from its own page, after what ends was named there.
import { deleteUser } from '../accounts/end-access.ts'
import { provenAmong, tell } from '../accounts/tell.ts'
import { transact } from '../accounts/transact.ts'
import { SESSION_COOKIE, serializeHostCookie } from '../sessions/browser-cookies.ts'
import { requireOwner } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

/** Where the browser is once there is no account any more. */
export const DELETED_PAGE = '/account/deleted'

/**
 * Ends everything of theirs at once: sessions, tokens and the data key; tokens at providers are queued for revocation.
 * Every address that was proven theirs is told.
 */
export async function deleteAccount(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const { userId } = user
  const at = deps.clock()
  await transact(deps.storage, async (tx) => {
    const addresses = provenAmong(await tx.evidence.listOfUser(userId))
    if (!(await deleteUser(tx, deps.vault, { userId, at, actor: userId }))) throw new FlowError('wrong_user')
    await tell(deps, tx, { template: 'account-deleted', to: addresses, at, path: '' })
  })
  deps.vault.forgetUser(userId)
  const gone = serializeHostCookie(SESSION_COOKIE, '', deps.settings().sessions.cookieSameSite, 0)
  return { kind: 'redirect', url: DELETED_PAGE, cookies: withBrowserCookie(request, [gone]) }
}
