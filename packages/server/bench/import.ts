// An import of exported users with linked identities, by the command: how long, how much memory, and is everybody there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '../../../tools/postgres.ts'
import { applyTenant } from '../src/accounts/apply-tenant.ts'
import { openKeyring } from '../src/crypto/keyring.ts'
import { createPasswords } from '../src/crypto/passwords.ts'
import { systemClock } from '../src/lib/time.ts'
import { parseTenantFile } from '../src/protocol/tenant-file.ts'
import { migrate } from '../src/storage/migrate.ts'
import { openStorage } from '../src/storage/open.ts'
import type { Storage } from '../src/storage/storage.ts'
import type { Database } from './deployment.ts'
import { tenonCommand } from './processes.ts'

export interface ImportResult {
  readonly database: Database
  readonly users: number
  readonly run: 'first' | 'again'
  readonly seconds: number
  readonly peakMib: number
  readonly fileMib: number
}

/** A tenth beside the whole shows whether memory grows with the file. */
export const IMPORT_SIZES: readonly number[] = [10_000, 100_000]

const PASSWORD = 'abc'
const HASH = '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'
const PASSWORDS = 'Username-Password-Authentication'
const SAMPLE = 20

export async function importing(database: Database, sizes: readonly number[]): Promise<readonly ImportResult[]> {
  const results: ImportResult[] = []
  for (const users of sizes) {
    const dataDir = mkdtempSync(join(tmpdir(), 'tenon-bench-'))
    const postgres = database === 'postgres' ? await startPostgres({ durable: true }) : undefined
    try {
      const url = postgres?.url ?? `sqlite:${join(dataDir, 'tenon.db')}`
      const storage = await prepare(url, dataDir)
      const file = join(dataDir, 'users.ndjson')
      await pipeline(Readable.from(lines(users)), createWriteStream(file))
      const fileMib = statSync(file).size / 2 ** 20
      for (const run of ['first', 'again'] as const) {
        const { seconds, peakMib } = await runImport(file, url, dataDir)
        console.error(`${database}, ${users} users, ${run}: ${seconds.toFixed(1)} s, ${peakMib.toFixed(0)} MiB`)
        results.push({ database, users, run, seconds, peakMib, fileMib })
      }
      await requireEverybody(storage, users)
      await storage.close()
    } finally {
      await postgres?.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  return results
}

async function prepare(url: string, dataDir: string): Promise<Storage> {
  await migrate(url)
  const keyring = openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 })
  const storage = await openStorage({ url })
  const issuer = 'https://bench.test/'
  const connections = [{ name: 'github', strategy: 'github', options: { client_id: 'x', client_secret: 'y' } }]
  const deps = { storage, keyring, passwords: createPasswords(), clock: systemClock, issuer }
  await applyTenant(deps, parseTenantFile({ connections }, issuer))
  return storage
}

function* lines(count: number): Generator<string> {
  for (let at = 0; at < count; at++) {
    const subject = at.toString(16).padStart(24, '0')
    const user = {
      user_id: `auth0|${subject}`,
      email: `person-${at}@example.test`,
      email_verified: true,
      name: `Person ${at}`,
      nickname: `person-${at}`,
      created_at: '2023-04-05T06:07:08.009Z',
      logins_count: at % 100,
      user_metadata: { theme: 'blue', language: 'en' },
      app_metadata: { plan: 'gold', seats: at % 10 },
      password_hash: HASH,
      identities: [
        { provider: 'auth0', connection: PASSWORDS, user_id: subject, isSocial: false },
        {
          ...{ provider: 'github', connection: 'github', user_id: String(1_000_000 + at), isSocial: true },
          profileData: { name: `Person ${at}`, nickname: `p${at}`, email: `p${at}@work.test`, email_verified: true },
        },
      ],
    }
    yield `${JSON.stringify(user)}\n`
  }
}

async function runImport(file: string, url: string, dataDir: string) {
  const env = { ...process.env, TENON_DATA_DIR: dataDir, TENON_DATABASE_URL: url }
  const startedAtMs = performance.now()
  const child = spawn(tenonCommand, ['import', 'auth0', file], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'close')
  let peakMib = 0
  while (child.exitCode === null && child.signalCode === null) {
    peakMib = Math.max(peakMib, peakOf(child.pid))
    await Promise.race([ended, sleep(50)])
  }
  if (child.exitCode !== 0) throw new Error(`the import ended with ${child.exitCode}`)
  return { seconds: (performance.now() - startedAtMs) / 1000, peakMib }
}

/** The most that a process had in memory so far; 0 where the system does not say, or once it has ended. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Nobody lost, nobody twice, each with both identities; and their passwords open. @throws {Error} otherwise. */
async function requireEverybody(storage: Storage, users: number): Promise<void> {
  const { total } = await storage.users.list({ offset: 0, limit: 1 })
  const password = await storage.connections.findByName(PASSWORDS)
  if (total !== users || password === undefined) throw new Error(`${total} users instead of ${users}`)
  let identities = 0
  for (let after = ''; ; ) {
    const page = await storage.users.listAfter(after, 1000)
    identities += (await storage.identities.listOfUsers(page.map(({ userId }) => userId))).length
    const last = page.at(-1)
    if (last === undefined) break
    after = last.userId
  }
  if (identities !== 2 * users) throw new Error(`${identities} identities instead of ${2 * users}`)
  const passwords = createPasswords()
  for (let turn = 0; turn < SAMPLE; turn++) {
    const email = `person-${Math.floor((turn * users) / SAMPLE)}@example.test`
    const known = await storage.passwords.findByAddress(password.id, email)
    if (!(await passwords.verify(known?.hash, PASSWORD))) throw new Error(`${email} cannot sign in`)
  }
}
