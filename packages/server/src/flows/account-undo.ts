// Taking back, from one's own history, what was added or joined. What has changed since is shown first, with a choice.
import { UndoConflicts, undoLink } from '../accounts/link-undo.ts'
import { transact } from '../accounts/transact.ts'
import { Conflict, Invalid, NotFound } from '../domain/errors.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountNotice, AccountNoticeCode } from './account-notice.ts'
import { backTo, requireOwner, rotateSession } from './account-owner.ts'
import type { AccountWish } from './account-wish.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account/connections'
/** Where the changes since are shown, and decided on. */
export const UNDO_PAGE = '/account/undo'

export async function undoFromAccount(
  deps: FlowDeps,
  request: BrowserRequest,
  { link: linkId, keepChanges }: Pick<Extract<AccountWish, { kind: 'undo-link' }>, 'link' | 'keepChanges'>,
): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  try {
    const { notice, cookie } = await transact(deps.storage, async (tx) => {
      const notice = await undo(deps, tx, user.userId, { linkId, keepChanges })
      return { notice, cookie: await rotateSession(deps, tx, request) }
    })
    return backTo(deps, request, PAGE, notice, cookie)
  } catch (error) {
    if (error instanceof UndoConflicts) {
      const url = `${UNDO_PAGE}?link=${encodeURIComponent(linkId)}`
      return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
    }
    return backTo(deps, request, PAGE, { code: noticeOf(error), thing: '' })
  }
}

async function undo(
  deps: FlowDeps,
  tx: Repositories,
  userId: string,
  { linkId, keepChanges }: { readonly linkId: string; readonly keepChanges: boolean },
): Promise<AccountNotice> {
  const { vault, keyring, notifyLink: notify } = deps
  // Somebody else's link is one that is not there.
  if ((await tx.links.find(linkId))?.primaryUserId !== userId) return { code: 'gone', thing: '' }
  const at = deps.clock()
  const request = { linkId, at, keepChanges, by: userId, actor: userId }
  const { restoredUserId } = await undoLink(tx, { vault, keyring, notify }, request)
  return { code: restoredUserId === undefined ? 'undone' : 'parted', thing: '' }
}

/** @throws what is no answer of ours. */
function noticeOf(error: unknown): AccountNoticeCode {
  if (error instanceof NotFound) return 'gone'
  if (error instanceof Invalid) return 'undo-last-way'
  if (!(error instanceof Conflict)) throw error
  switch (error.code) {
    case 'link_undone':
      return 'undo-twice'
    case 'undo_expired':
      return 'undo-late'
    case 'last_identity':
      return 'undo-last-way'
    case 'undo_unavailable':
    case 'link_superseded':
    case 'identity_conflict':
      return 'undo-nothing'
    default:
      throw error
  }
}
