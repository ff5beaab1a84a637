// What was added to a person's account or joined with it, as they can see and take back.
import { previewUndo } from '../../accounts/link-undo.ts'
import { backTo } from '../../flows/account-owner.ts'
import type { Outcome } from '../../flows/outcome.ts'
import type { LinkRecord } from '../../storage/records.ts'
import {
  type HistoryView,
  type LinkView,
  renderUndoConflicts,
  type UndoConflictView,
} from '../pages/account-history.ts'
import type { Html } from '../pages/html.ts'
import { loadNames, type Names } from './names.ts'
import { type AccountDeps, accountForm, accountFrame, type Visit } from './page.ts'

const PAGE = '/account/connections'
const PAGE_LINKS = 20
const UNDO = '/account/connections/undo'

export async function historyView(deps: AccountDeps, visit: Visit): Promise<HistoryView> {
  const { userId } = visit.user
  const offset = offsetOf(visit.query.history)
  const { items, total } = await deps.storage.links.listOfUser(userId, { offset, limit: PAGE_LINKS })
  const names = await loadNames(deps, {
    connections: items.flatMap(({ identity }) => identity?.connectionId ?? []),
    clients: items.flatMap(({ clientId }) => clientId ?? []),
  })
  const now = deps.clock()
  return {
    links: items.map((link) => linkView(link, { userId, names, now })),
    olderUrl: offset + items.length < total ? `${PAGE}?history=${offset + PAGE_LINKS}#history` : undefined,
    newestUrl: offset > 0 ? `${PAGE}#history` : undefined,
    undo: accountForm(visit, UNDO),
  }
}

function offsetOf(asked: string | undefined): number {
  return asked !== undefined && /^\d{1,6}$/.test(asked) ? Number(asked) : 0
}

function linkView(
  link: LinkRecord,
  { userId, names, now }: { readonly userId: string; readonly names: Names; readonly now: number },
): LinkView {
  const { id, identity, rule, clientId, createdAt, undoneAt, undoUntil } = link
  const isOwn = link.primaryUserId === userId
  const kind = link.secondaryUserId === undefined ? 'identity' : 'merge'
  return {
    id,
    kind: isOwn ? kind : 'away',
    connection: names.displayName(identity?.connectionId),
    rule,
    app: clientId === undefined ? undefined : (names.client(clientId)?.name ?? clientId),
    at: createdAt,
    undoneAt,
    undoUntil,
    canUndo: isOwn && undoneAt === undefined && undoUntil >= now,
  }
}

/** What has changed since a link; a link that is not theirs, or is over, leads back. */
export async function undoPage(deps: AccountDeps, visit: Visit): Promise<Html | Outcome> {
  const link = await deps.storage.links.find(visit.query.link ?? '')
  const own = link?.primaryUserId === visit.user.userId ? link : undefined
  const preview = own && (await previewUndo(deps.storage, deps, { link: own, at: deps.clock() }))
  if (own === undefined || preview?.kind !== 'possible')
    return backTo(deps, visit.request, PAGE, { code: 'undo-nothing', thing: '' })
  const names = await loadNames(deps, {
    connections: preview.conflicts.flatMap(({ connectionId }) => connectionId ?? []),
    clients: [],
  })
  return renderUndoConflicts({
    ...accountFrame(deps, visit),
    linkId: own.id,
    undo: accountForm(visit, UNDO),
    conflicts: preview.conflicts.map(
      ({ code, connectionId, key }): UndoConflictView => ({ code, connection: names.displayName(connectionId), key }),
    ),
  })
}
