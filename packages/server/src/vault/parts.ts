// What the parts of the vault are made from.
import type { Keyring } from '../crypto/keyring.ts'
import type { Log } from '../lib/log.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'
import type { Connector } from '../upstream/connector.ts'
import type { Circuits } from './circuits.ts'
import type { DataKeys } from './data-keys.ts'
import type { OpenedTokensets } from './opened-tokensets.ts'

export interface VaultSettings {
  /** How long a provider may take to answer. */
  readonly refreshTimeoutSeconds: number
  /** Life that an access token must have left when the caller does not say. */
  readonly refreshMarginSeconds: number
}

/**
 * The connector of a connection; undefined when the connection has gone. `deletedToo`: also of one that was deleted, while
 * tokens of it wait to be revoked.
 *
 * @throws {ConnectionUnavailable} it is configured so that it cannot be used.
 */
export type ConnectorSource = (
  connectionId: string,
  options?: { readonly deletedToo?: boolean },
) => Promise<Connector | undefined>

export interface VaultParts {
  readonly storage: Storage
  readonly keyring: Keyring
  readonly connectorFor: ConnectorSource
  readonly clock: Clock
  /** What leases are judged by: the same on every node. */
  readonly leaseClock: Clock
  readonly settings: () => VaultSettings
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly dataKeys: DataKeys
  readonly opened: OpenedTokensets
  readonly circuits: Circuits
}
