// What the My Account API is built on.
import type { AccountVault } from '../../accounts/account-vault.ts'
import type { SignInLimits } from '../../accounts/limits.ts'
import type { LinkNotify } from '../../accounts/link-deps.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { Settings } from '../../domain/settings.ts'
import type { Log } from '../../lib/log.ts'
import type { MinuteLimit } from '../../lib/minute-limit.ts'
import type { Clock } from '../../lib/time.ts'
import type { AccessTokens } from '../../oauth/access-tokens.ts'
import type { ProofOfPossession } from '../../oauth/proof-of-possession.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Origins } from '../cors.ts'

export interface MeDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly clock: Clock
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly possession: ProofOfPossession
  readonly vault: Pick<Vault, 'store' | 'drop' | 'discard' | 'openPending' | 'healthOf'>
  readonly sharing: () => Settings['vault']['sharing']
  /** Hosts that the proxy may reach for a connection; none where it cannot be used. */
  readonly apiHostsOf: (connection: ConnectionRecord) => readonly string[]
  readonly limit: MinuteLimit
  readonly origins: Origins
  readonly log: Pick<Log, 'error'>
}

/** What changes to how somebody signs in are built on, besides. */
export interface MethodDeps extends MeDeps {
  readonly vault: MeDeps['vault'] & AccountVault
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly settings: () => Pick<Settings, 'friendlyName' | 'linking'>
  readonly signInLimits: SignInLimits
  /** Tells people what was done with their ways to sign in. */
  readonly notify: LinkNotify
}
