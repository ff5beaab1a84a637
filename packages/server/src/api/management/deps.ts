// What the Management API is built on.
import type { AccountVault } from '../../accounts/account-vault.ts'
import type { MailLimits } from '../../accounts/limits.ts'
import type { LinkNotify } from '../../accounts/link-deps.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { Passwords } from '../../crypto/passwords.ts'
import type { LinkingSettings, Settings } from '../../domain/settings.ts'
import type { Log } from '../../lib/log.ts'
import type { MinuteLimit } from '../../lib/minute-limit.ts'
import type { Clock } from '../../lib/time.ts'
import type { AccessTokens } from '../../oauth/access-tokens.ts'
import type { ProofOfPossession } from '../../oauth/proof-of-possession.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Origins } from '../cors.ts'

export interface ManagementDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly clock: Clock
  readonly accessTokens: Pick<AccessTokens, 'verify' | 'verifyIdToken'>
  readonly possession: ProofOfPossession
  readonly vault: AccountVault
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly passwords: Pick<Passwords, 'hash' | 'adopt'>
  /** Of the settings that hold now. */
  readonly linking: () => Pick<LinkingSettings, 'metadata' | 'undoDays' | 'reauthenticationSeconds'>
  readonly notify: LinkNotify
  readonly settings: () => Pick<Settings, 'friendlyName' | 'allowedLogoutUrls' | 'sessions'>
  /** Resolves when this process serves by what was just written; others follow within a second or so. */
  readonly settingsChanged: () => Promise<void>
  readonly mailLimits: MailLimits
  /** CIDRs that upstream calls may reach although private. */
  readonly allowedPrivateNetworks: readonly string[]
  readonly limit: MinuteLimit
  readonly origins: Origins
  readonly log: Pick<Log, 'error'>
}
