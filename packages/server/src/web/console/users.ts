// The console's first page, and users: everybody, or those whom a text fits.
import { reportDuplicates } from '../../accounts/duplicates.ts'
import { type FoundBy, findUsers } from '../../accounts/find-users.ts'
import type { User } from '../../domain/user.ts'
import { renderConsoleHome, renderConsoleUsers, type UserRowView } from '../pages/console-users.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame, recordLook } from './page.ts'

const PAGE_USERS = 50
const ONE = { offset: 0, limit: 1 }
/** The report reads every address: with more users than this it is made when it is asked for. */
const MAX_COMPARED = 10_000

export async function homePage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { storage } = deps
  const { operators, linking } = deps.settings()
  const [users, connections] = await Promise.all([storage.users.list(ONE), storage.connections.list(ONE)])
  const report = users.total <= MAX_COMPARED ? await reportDuplicates(storage, ONE) : undefined
  const html = renderConsoleHome({
    ...consoleFrame(deps, visit),
    users: users.total,
    connections: connections.total,
    policy: linking.policy,
    alike: report?.groups.total,
    namesOperators: operators.length > 0,
  })
  return { html }
}

export async function usersPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const text = visit.query.q?.trim()
  return text ? foundPage(deps, visit, text) : listPage(deps, visit)
}

/** What nobody has is said on the same page, whichever way it was asked. */
export async function foundPage(deps: ConsoleDeps, visit: ConsoleVisit, text: string): Promise<Built> {
  const found = await findUsers(deps.storage, text)
  await recordLook(deps, visit, { type: 'console.users_searched', data: { found: found.length } })
  const users = found.map(({ user, by }) => rowView(user, by))
  const whole = { text, users, total: users.length, olderUrl: undefined, newestUrl: undefined }
  const html = renderConsoleUsers({ ...consoleFrame(deps, visit), ...whole })
  return users.length > 0 ? { html } : { html, status: 404 }
}

async function listPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const offset = offsetOf(visit, PAGE_USERS)
  const sort = { field: 'created_at', descending: true } as const
  const { items, total } = await deps.storage.users.list({ offset, limit: PAGE_USERS, sort })
  const html = renderConsoleUsers({
    ...consoleFrame(deps, visit),
    text: undefined,
    users: items.map((user) => rowView(user, undefined)),
    total,
    olderUrl: offset + PAGE_USERS < total ? `/console/users?page=${offset / PAGE_USERS + 1}` : undefined,
    newestUrl: offset > 0 ? '/console/users' : undefined,
  })
  return { html }
}

const MAX_PAGE = 100_000

/** Of `?page=`, which counts from 0; anything else than a number is the first. */
export function offsetOf({ query }: ConsoleVisit, pageLength: number): number {
  const page = /^\d{1,6}$/.test(query.page ?? '') ? Number(query.page) : 0
  return Math.min(page, MAX_PAGE) * pageLength
}

const rowView = (user: User, by: FoundBy | undefined): UserRowView => ({
  userId: user.userId,
  name: shownName(user),
  address: user.email,
  blocked: user.blocked,
  createdAt: user.createdAt,
  lastLogin: user.lastLogin,
  by,
})

/** As a profile has it; undefined when it holds none. */
export const shownName = ({ profile }: User): string | undefined => profile.name ?? profile.nickname
