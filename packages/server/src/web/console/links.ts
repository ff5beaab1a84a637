// Links as the console shows them, and the page that takes one back.
import { previewUndo, type UndoPreview } from '../../accounts/link-undo.ts'
import { CONSOLE_LINK } from '../../domain/operators.ts'
import type { UndoConflict } from '../../domain/unmerge.ts'
import type { Grade } from '../../domain/user.ts'
import { undoPath, userPath } from '../../flows/console-wish.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../../lib/json.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import type { LinkRecord } from '../../storage/records.ts'
import { loadNames, type Names } from '../account/names.ts'
import {
  type ConsoleUndoView,
  type LinkMaker,
  type LinkView,
  renderConsoleUndo,
  UNDO_REFUSALS,
} from '../pages/console-links.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleForm, consoleFrame } from './page.ts'
import { foundPage } from './users.ts'

/** A link as it looks from one of its users. */
export function linkView(link: LinkRecord, userId: string, names: Names, now: EpochSeconds): LinkView {
  const { primaryUserId, secondaryUserId, undoneAt, undoneBy, plan } = link
  return {
    id: link.id,
    kind: kindOf(link, userId, names),
    rule: link.rule,
    by: makerOf(link),
    proof: link.proof,
    grades: secondaryUserId === undefined ? undefined : gradesOf(plan),
    moved: secondaryUserId === undefined ? undefined : movedBy(plan),
    createdAt: link.createdAt,
    undoUntil: link.undoUntil,
    canUndo: undoneAt === undefined && link.undoUntil >= now && userId === primaryUserId,
    undone:
      undoneAt === undefined
        ? undefined
        : { at: undoneAt, by: undoneBy === undefined ? undefined : makerNamed(undoneBy) },
  }
}

function kindOf(
  { primaryUserId, secondaryUserId, identity }: LinkRecord,
  userId: string,
  names: Names,
): LinkView['kind'] {
  if (secondaryUserId === undefined) {
    const { connectionId, subject = '' } = identity ?? {}
    return { kind: 'added', connection: names.connection(connectionId)?.name, subject }
  }
  return userId === secondaryUserId ? { kind: 'into', user: primaryUserId } : { kind: 'joined', user: secondaryUserId }
}

function makerOf({ actor, clientId }: LinkRecord): LinkMaker {
  const id = actor ?? clientId
  return id === undefined ? { kind: 'policy' } : makerNamed(id)
}

/** Who made something, by the name that records hold. */
export const makerNamed = (id: string): LinkMaker => (id === CONSOLE_LINK ? { kind: 'console' } : { kind: 'id', id })

const partsOf = (plan: JsonObject, name: string): readonly JsonObject[] => {
  const parts: JsonValue | undefined = plan[name]
  return Array.isArray(parts) ? parts.filter(isJsonObject) : []
}

const movedBy = (plan: JsonObject) => ({
  identities: partsOf(plan, 'identities').filter(({ outcome }) => outcome === 'moved').length,
  accounts: partsOf(plan, 'connected_accounts').filter(({ outcome }) => outcome === 'moved').length,
})

/** The best that was known of an address of either side. */
function gradesOf(plan: JsonObject): LinkView['grades'] {
  const bestOf = (side: string): Grade => {
    const grades = partsOf(plan, 'addresses').flatMap(({ from, grade }) => (from === side ? [Number(grade)] : []))
    // Written from grades.
    return Math.max(0, ...grades) as Grade
  }
  return { primary: bestOf('primary'), secondary: bestOf('secondary') }
}

/** True when this link brought the identity. */
export const brought = ({ plan }: LinkRecord, connectionId: string, subject: string): boolean =>
  partsOf(plan, 'identities').some(
    (one) => one.connection_id === connectionId && one.subject === subject && one.outcome !== 'kept',
  )

export async function undoPage(deps: ConsoleDeps, visit: ConsoleVisit, linkId: string): Promise<Built> {
  const { storage, clock } = deps
  const link = await storage.links.find(linkId)
  if (link === undefined) return foundPage(deps, visit, linkId)
  const preview = await previewUndo(storage, deps, { link, at: clock() })
  const names = await loadNames(deps, { connections: connectionsIn(link, preview), clients: [] })
  const outcome = outcomeOf(link, preview, names)
  const html = renderConsoleUndo({
    ...consoleFrame(deps, visit),
    form: consoleForm(visit.request, undoPath(link.id)),
    link: linkView(link, link.primaryUserId, names, clock()),
    primaryUserId: link.primaryUserId,
    backUrl: userPath(link.primaryUserId),
    stale: visit.query.stale !== undefined,
    outcome,
  })
  return outcome.kind === 'refused' ? { html, status: 409 } : { html }
}

const connectionsIn = ({ identity }: LinkRecord, preview: UndoPreview): readonly string[] => [
  ...(identity === undefined ? [] : [identity.connectionId]),
  ...(preview.kind === 'possible' ? (preview.plan?.identities ?? []) : []).map(({ connectionId }) => connectionId),
]

function outcomeOf(link: LinkRecord, preview: UndoPreview, names: Names): ConsoleUndoView['outcome'] {
  if (preview.kind === 'refused') {
    const code = UNDO_REFUSALS.find((one) => one === preview.code) ?? 'undo_unavailable'
    return { kind: 'refused', code }
  }
  const { plan, conflicts } = preview
  const identities = plan?.identities ?? (link.identity === undefined ? [] : [link.identity])
  return {
    kind: 'possible',
    secondaryUserId: link.secondaryUserId,
    identities: identities.map(({ connectionId, subject }) => ({
      connection: names.connection(connectionId)?.name,
      subject,
    })),
    accounts: (plan?.accounts ?? []).map(({ id }) => id),
    revived: (plan?.revived ?? []).map(({ label }) => label),
    conflicts: conflicts.map((conflict) => ({ code: conflict.code, thing: thingOf(conflict) })),
  }
}

const thingOf = ({ subject, accountId, key, source }: UndoConflict): string | undefined =>
  [subject, accountId, key, source].find(isString)
