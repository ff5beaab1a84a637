// What the journey's steps are made of.

import type { CodeLimits, MailLimits, SignInLimits } from '../accounts/limits.ts'
import type { LinkNotify } from '../accounts/link-deps.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Passwords } from '../crypto/passwords.ts'
import type { Settings } from '../domain/settings.ts'
import type { Log } from '../lib/log.ts'
import type { Clock } from '../lib/time.ts'
import type { AccessTokens } from '../oauth/access-tokens.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Storage } from '../storage/storage.ts'
import type { Connectors } from '../upstream/connectors.ts'
import type { ConnectionReader } from '../vault/connections.ts'
import type { Vault } from '../vault/vault.ts'

export interface FlowDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly clock: Clock
  readonly keyring: Keyring
  readonly passwords: Passwords
  readonly connectors: Connectors
  readonly sessions: Sessions
  readonly accessTokens: AccessTokens
  readonly vault: Vault
  readonly connections: ConnectionReader
  readonly settings: () => Settings
  readonly signInLimits: SignInLimits
  readonly mailLimits: MailLimits
  readonly codeLimits: CodeLimits
  readonly notifyLink: LinkNotify
  /** 24 hex digits for a text: always the same, and telling nobody else which it is. */
  readonly keyedName: (text: string) => string
  readonly log: Log
}
