// Which ways to sign in a page offers.
import type { Connection } from '../domain/connection.ts'
import {
  CREDENTIAL_STRATEGIES,
  MAIL_STRATEGY,
  OWN_STRATEGIES,
  PASSKEY_STRATEGY,
  PASSWORD_STRATEGY,
} from '../domain/connection.ts'
import type { Repositories } from '../storage/storage.ts'
import type { ConnectionReader } from '../vault/connections.ts'
import type { ShownConnection } from './outcome.ts'

/** Connections that sign people in, for a client; every one for our own pages. */
export async function signInConnections(
  repositories: Repositories,
  reader: ConnectionReader,
  clientId: string | undefined,
): Promise<readonly Connection[]> {
  const records =
    clientId === undefined
      ? (await repositories.connections.list({ offset: 0, limit: 100 })).items
      : await repositories.connections.listForClient(clientId)
  return records.map((record) => reader.open(record)).filter((connection) => connection.authenticationActive)
}

export const isPasswordConnection = ({ strategy }: Pick<Connection, 'strategy'>): boolean =>
  strategy === PASSWORD_STRATEGY

export const isMailConnection = ({ strategy }: Pick<Connection, 'strategy'>): boolean => strategy === MAIL_STRATEGY

export const isPasskeyConnection = ({ strategy }: Pick<Connection, 'strategy'>): boolean =>
  strategy === PASSKEY_STRATEGY

/** An account is connected by typing a credential. */
export const isTypedConnection = ({ strategy }: Pick<Connection, 'strategy'>): boolean =>
  CREDENTIAL_STRATEGIES.has(strategy)

/** There is a provider to be sent to. */
export const isUpstream = ({ strategy }: Pick<Connection, 'strategy'>): boolean => !OWN_STRATEGIES.has(strategy)

export const shownConnection = ({ name, displayName, strategy }: Connection): ShownConnection => ({
  name,
  displayName: displayName ?? name,
  strategy,
})
