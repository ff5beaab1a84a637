// `tenon doctor`: looks at everything that a deployment stands on, says what is wrong, and how to mend it.
import { statSync } from 'node:fs'
import { readConfig } from '../config/read-config.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { openKeyring } from '../crypto/keyring.ts'
import { systemClock } from '../lib/time.ts'
import { readSigningKeys } from '../oauth/signing-keys.ts'
import { openStorage } from '../storage/open.ts'
import type { Storage } from '../storage/storage.ts'
import { checkVaultKey } from '../vault/meta-secrets.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { examineConnections } from './doctor/connections.ts'
import { type Finding, fail, ok, render, warn } from './doctor/finding.ts'
import { examineWebhooks } from './doctor/webhooks.ts'

/** Status 1 when something is wrong; warnings alone are no failure. Writes nothing. */
export async function doctor(input: CommandInput): Promise<ExitStatus> {
  const { commandLine, environment, folder, print } = input
  let failed = false
  const tell = (finding: Finding) => {
    failed ||= finding.verdict === 'fail'
    for (const line of render(finding)) print(line)
  }
  // What is wrong with flags, variables and the tenant file ends here, with status 2.
  const config = readConfig({ commandLine, environment, folder, readTenant: true })
  tell(ok('configuration', config.tenant ? `flags, variables and ${config.tenant.path}` : 'flags and variables'))
  tell(examineFolder(config))
  const storage = await openDatabase(config, tell)
  if (storage) {
    try {
      await examineDatabase({ config, storage, input, tell })
    } finally {
      await storage.close()
    }
  }
  return failed ? 1 : 0
}

type Tell = (finding: Finding) => void

const OTHERS = 0o077

function examineFolder({ dataDir }: ServerConfig): Finding {
  const stat = statSync(dataDir, { throwIfNoEntry: false })
  if (!stat) return warn('data folder', `${dataDir} does not exist yet`, 'the first "tenon serve" makes it')
  if ((stat.mode & OTHERS) === 0) return ok('data folder', dataDir)
  return fail('data folder', `${dataDir} can be entered by others`, `chmod 700 ${dataDir}`)
}

async function openDatabase({ database }: ServerConfig, tell: Tell): Promise<Storage | undefined> {
  const name = database.kind === 'sqlite' ? database.path : 'PostgreSQL'
  if (database.kind === 'sqlite' && !statSync(database.path, { throwIfNoEntry: false })) {
    tell(warn('database', `${name} does not exist yet`, 'the first "tenon serve" makes it'))
    return undefined
  }
  try {
    const storage = await openStorage({ url: database.url })
    tell(ok('database', `${name} answers and is migrated`))
    return storage
  } catch (error) {
    tell(fail('database', messageOf(error), 'see --database-url, and run "tenon migrate" after an update'))
    return undefined
  }
}

interface Examined {
  readonly config: ServerConfig
  readonly storage: Storage
  readonly input: CommandInput
  readonly tell: Tell
}

async function examineDatabase({ config, storage, input, tell }: Examined): Promise<void> {
  tell(await examineClock(storage))
  if ((await storage.signingKeys.list()).length === 0) {
    tell(warn('keys', 'nobody has served from this database yet', 'the first "tenon serve" makes the keys'))
    return
  }
  let keyring: ReturnType<typeof openKeyring>
  try {
    keyring = openKeyring({ source: config.vaultKey, environment: input.environment, pollMs: 0 })
    await checkVaultKey({ storage, keyring })
  } catch (error) {
    tell(fail('vault key', messageOf(error), 'see --vault-key; without its key the vault stays closed'))
    return
  }
  tell(ok('vault key', keyring.activeKeyId))
  try {
    const { publicKeys } = await readSigningKeys({ storage, keyring, clock: systemClock })
    const current = (await storage.signingKeys.list()).some(({ state }) => state === 'current')
    if (current) tell(ok('signing keys', `${publicKeys.length} in use`))
    else tell(fail('signing keys', 'none is current', 'run "tenon keys rotate --signing"'))
  } catch (error) {
    tell(fail('signing keys', messageOf(error), 'restore the vault key that sealed them'))
  }
  await examineConnections({ config, storage, keyring, tell })
  for (const finding of await examineWebhooks(storage, { config, clock: systemClock })) tell(finding)
  keyring.close()
}

const CLOCK_SECONDS = 60

/** An event of the future was written by a clock that was ahead, or this one is behind. */
async function examineClock(storage: Storage): Promise<Finding> {
  const [newest] = await storage.events.list({ descending: true, limit: 1 })
  const ahead = newest === undefined ? 0 : newest.at - systemClock()
  if (ahead <= CLOCK_SECONDS) return ok('clock', 'agrees with what was recorded')
  return fail('clock', `the newest event is ${ahead} s in the future`, 'let every node keep time by NTP')
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : 'an unknown error')
