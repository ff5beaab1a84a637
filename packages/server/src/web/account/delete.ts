// What would end with a person's account, by name.
import { waysIn } from '../../accounts/ways-in.ts'
import { isPasswordConnection, shownConnection } from '../../flows/connections.ts'
import { ownName } from '../../flows/shown-user.ts'
import { type DeletedWay, renderAccountDelete } from '../pages/account-delete.ts'
import type { Html } from '../pages/html.ts'
import { agentsOf } from './agents.ts'
import { distinctAccounts, loadNames } from './names.ts'
import { type AccountDeps, accountForm, accountFrame, type Visit } from './page.ts'

export async function deletePage(deps: AccountDeps, visit: Visit): Promise<Html> {
  const { userId } = visit.user
  const [ways, accounts, agents, sessions] = await Promise.all([
    waysIn(deps.storage, userId),
    deps.storage.accounts.listOfUser(userId),
    agentsOf(deps, userId),
    deps.sessions.listOfUser(userId),
  ])
  const connected = distinctAccounts(accounts).filter(({ purpose }) => purpose === 'agents')
  const names = await loadNames(deps, { connections: connected.map(({ connectionId }) => connectionId), clients: [] })
  return renderAccountDelete({
    ...accountFrame(deps, visit),
    form: accountForm(visit, '/account/delete'),
    ways: ways.map(({ identity, connection: record }): DeletedWay => {
      const connection = deps.connections.open(record)
      return isPasswordConnection(connection)
        ? { kind: 'password' }
        : { kind: 'connection', displayName: shownConnection(connection).displayName, name: ownName(identity) }
    }),
    connected: connected.map(({ connectionId, label }) => ({
      connection: names.displayName(connectionId) ?? '',
      label,
    })),
    agents: agents.filter(({ stoppedAt }) => stoppedAt === undefined).map(({ name }) => name),
    sessions: sessions.length,
  })
}
