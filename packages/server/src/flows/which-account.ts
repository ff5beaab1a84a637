// A client asks for an account at a provider where the person has some: one of them, or another. Only they can tell.
import { parseClient } from '../domain/client.ts'
import { asksWhichAccount } from '../upstream/connectors.ts'
import type { BrowserRequest } from './browser-request.ts'
import { goOn } from './connect.ts'
import { accountsHere, decline, legOf, requireLeg } from './connect-leg.ts'
import { isTypedConnection, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import type { Outcome } from './outcome.ts'

/** @throws {FlowError} `interaction_expired`, `wrong_browser`, `wrong_user`. */
export async function whichAccountPage(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, legOf(interaction), 'opened')
  const [client, connection, accounts] = await Promise.all([
    deps.storage.clients.find(connect.clientId),
    deps.connections.find(deps.storage, connect.connectionId),
    accountsHere(deps, connect),
  ])
  if (client === undefined || connection === undefined) throw new FlowError('transaction_invalid')
  return {
    kind: 'page',
    page: {
      name: 'which-account',
      state: interaction.uid,
      connection: shownConnection(connection),
      client: { name: parseClient(client).name },
      accounts: accounts.map((account) => ({
        id: account.id,
        label: account.label,
        needsReconnecting: deps.vault.healthOf(account) === 'reconnect_required',
        lastUsedAt: account.lastUsedAt,
      })),
      isTyped: isTypedConnection(connection),
      asksThere: asksWhichAccount(deps.connectors, connection),
    },
  }
}

export type WhichAnswer =
  | { readonly kind: 'account'; readonly id: string }
  | { readonly kind: 'another' }
  | { readonly kind: 'cancel' }

/** The page may be answered again, after a step back: nothing hangs on it before the account is confirmed. */
export async function submitWhich(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  answer: WhichAnswer,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, legOf(interaction), 'opened')
  if (answer.kind === 'cancel') return decline(deps, request, connect)
  if (answer.kind === 'another') return goOn(deps, request, connect, { isNamed: false, asksThere: true })
  const account = (await accountsHere(deps, connect)).find(({ id }) => id === answer.id)
  // Somebody else's is one that is not there.
  if (account === undefined) throw new FlowError('interaction_expired')
  return goOn(deps, request, connect, { account, isNamed: true, asksThere: false })
}
