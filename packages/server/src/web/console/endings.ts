// The console's page of accounts that will end.
import { endingAccounts } from '../../accounts/ending-accounts.ts'
import { endOf, whyItEnds } from '../../domain/account-end.ts'
import { findConnector } from '../../upstream/connectors.ts'
import { renderConsoleEndings } from '../pages/console-endings.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame } from './page.ts'
import { shownName } from './users.ts'

const DAYS = 30
const DAY_SECONDS = 86_400

export async function endingsPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { storage, clock, connections, connectors } = deps
  const { total, counts, accounts } = await endingAccounts(storage, clock() + DAYS * DAY_SECONDS)
  const rows = accounts.map(async ({ account, connection: record }) => {
    const user = await storage.users.find(account.userId)
    const life = record && findConnector(connectors, connections.open(record))?.traits.refreshTokenEndsAfterSeconds
    return {
      user: { userId: account.userId, name: user && shownName(user) },
      connection: record?.name,
      label: account.label,
      purpose: account.purpose,
      endsAt: endOf(account) ?? 0,
      why: whyItEnds(account, life),
      lastUsedAt: account.lastUsedAt,
    }
  })
  const html = renderConsoleEndings({
    ...consoleFrame(deps, visit),
    days: DAYS,
    total,
    counts: counts.map(({ connection, accounts: count }) => ({ connection: connection?.name, count })),
    accounts: await Promise.all(rows),
  })
  return { html }
}
