// What the Management API is built on.
import type { AccountVault } from '../../accounts/account-vault.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { Passwords } from '../../crypto/passwords.ts'
import type { MergePolicy } from '../../domain/merge.ts'
import type { Log } from '../../lib/log.ts'
import type { MinuteLimit } from '../../lib/minute-limit.ts'
import type { Clock } from '../../lib/time.ts'
import type { AccessTokens } from '../../oauth/access-tokens.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Origins } from '../cors.ts'

export interface ManagementDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly clock: Clock
  readonly accessTokens: Pick<AccessTokens, 'verify' | 'verifyIdToken'>
  readonly vault: AccountVault
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly passwords: Pick<Passwords, 'hash'>
  /** `linking.metadata` of the settings that hold now. */
  readonly mergePolicy: () => MergePolicy
  /** CIDRs that upstream calls may reach although private. */
  readonly allowedPrivateNetworks: readonly string[]
  readonly limit: MinuteLimit
  readonly origins: Origins
  readonly log: Pick<Log, 'error'>
}
