// The page of users who may be one person, and that of those who are kept separate.
import { type DuplicatesReport, reportDuplicates } from '../../accounts/duplicates.ts'
import type { Duplicate } from '../../domain/duplicates.ts'
import type { Identity } from '../../domain/user.ts'
import { shownConnection } from '../../flows/connections.ts'
import { type DuplicateView, renderConsoleDuplicates } from '../pages/console-duplicates.ts'
import { renderConsoleKeptApart } from '../pages/console-kept-apart.ts'
import { makerNamed } from './links.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleForm, consoleFrame } from './page.ts'
import { offsetOf, shownName } from './users.ts'

const PAGE_GROUPS = 20
const PAGE_PAIRS = 50
const NONE = { offset: 0, limit: 0 }

export const duplicatesPage = (deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> =>
  visit.query.kept === undefined ? listedPage(deps, visit) : keptPage(deps, visit)

async function listedPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { storage, connections } = deps
  const offset = offsetOf(visit, PAGE_GROUPS)
  const report = await reportDuplicates(storage, { offset, limit: PAGE_GROUPS })
  const identities = await storage.identities.listOfUsers([...report.users.keys()])
  const ids = [...new Set(identities.map(({ connectionId }) => connectionId))]
  const found = await Promise.all(ids.map((id) => connections.find(storage, id)))
  const names = new Map(found.flatMap((one) => (one ? [[one.id, shownConnection(one).displayName] as const] : [])))
  const html = renderConsoleDuplicates({
    ...consoleFrame(deps, visit),
    form: consoleForm(visit.request, '/console/duplicates'),
    kept: (await storage.apart.list(NONE)).total,
    duplicates: report.duplicates.map((one) => duplicateView(one, report.users, identities, names)),
    nextUrl:
      offset + PAGE_GROUPS < report.groups.total ? `/console/duplicates?page=${offset / PAGE_GROUPS + 1}` : undefined,
    firstUrl: offset > 0 ? '/console/duplicates' : undefined,
  })
  return { html }
}

async function keptPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { storage } = deps
  const offset = offsetOf(visit, PAGE_PAIRS)
  const { items, total } = await storage.apart.list({ offset, limit: PAGE_PAIRS })
  const nameOf = async (userId: string) => {
    const user = await storage.users.find(userId)
    return { userId, name: user && shownName(user) }
  }
  const pairs = await Promise.all(
    items.map(async ({ lesserUserId, greaterUserId, keptAt, keptBy }) => ({
      users: await Promise.all([nameOf(lesserUserId), nameOf(greaterUserId)]),
      keptAt,
      keptBy: makerNamed(keptBy),
    })),
  )
  const html = renderConsoleKeptApart({
    ...consoleFrame(deps, visit),
    form: consoleForm(visit.request, '/console/duplicates'),
    pairs,
    total,
    olderUrl: offset + PAGE_PAIRS < total ? `/console/duplicates?kept=1&page=${offset / PAGE_PAIRS + 1}` : undefined,
  })
  return { html }
}

/** The older account is the one to keep (linking.md §4). */
function duplicateView(
  { match, reasons, users: held }: Duplicate,
  users: DuplicatesReport['users'],
  identities: readonly Identity[],
  names: ReadonlyMap<string, string>,
): DuplicateView {
  const known = held.flatMap(({ userId, address, grade }) => {
    const user = users.get(userId)
    return user === undefined ? [] : [{ user, address, grade }]
  })
  const [oldest] = known.toSorted((a, b) => a.user.createdAt - b.user.createdAt)
  return {
    match,
    reasons,
    suggestedPrimary: oldest?.user.userId,
    users: known.map(({ user, address, grade }) => ({
      userId: user.userId,
      name: shownName(user),
      address,
      grade,
      blocked: user.blocked,
      ways: [
        ...new Set(
          identities.flatMap((one) => (one.userId === user.userId ? (names.get(one.connectionId) ?? []) : [])),
        ),
      ],
      createdAt: user.createdAt,
      lastLogin: user.lastLogin,
    })),
  }
}
