// A command's way to a deployment that may be serving at the same time: its database and its keys.

import { readConfig } from '../config/read-config.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { type Keyring, openKeyring } from '../crypto/keyring.ts'
import { type Clock, systemClock } from '../lib/time.ts'
import { openStorage } from '../storage/open.ts'
import type { Storage } from '../storage/storage.ts'
import { checkVaultKey } from '../vault/meta-secrets.ts'
import type { CommandInput } from './command.ts'

export interface DeploymentAccess {
  readonly storage: Storage
  readonly keyring: Keyring
  readonly clock: Clock
}

/** The configuration of a command that has no use for the tenant file. */
export const configOf = ({ commandLine, environment, folder }: CommandInput): ServerConfig =>
  readConfig({ commandLine, environment, folder, readTenant: false })

/**
 * Runs `work` over an existing, migrated database, whose keys these are.
 *
 * @throws {KeyringError} they are not.
 */
export async function withDeployment<T>(
  input: CommandInput,
  work: (access: DeploymentAccess) => Promise<T>,
): Promise<T> {
  const { database, vaultKey } = configOf(input)
  const keyring = openKeyring({ source: vaultKey, environment: input.environment, pollMs: 0 })
  try {
    const storage = await openStorage({ url: database.url })
    try {
      await checkVaultKey({ storage, keyring })
      return await work({ storage, keyring, clock: systemClock })
    } finally {
      await storage.close()
    }
  } finally {
    keyring.close()
  }
}
