// `bin/tenon serve` in a process of its own, on a port and a database that outlive it: a test can kill it, look at what
// lies on the disk, and start it again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider } from '@tenon/sdk/testing'
import { freePort } from '../../../../tools/lib/free-port.ts'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'
import type { Reachable } from './actors.ts'
import { ownEnvironment } from './environment.ts'
import { type TenantDraft, type TestTenant, testTenant } from './tenant.ts'

export const DATABASES = postgresServer === undefined ? (['sqlite'] as const) : (['sqlite', 'postgres'] as const)
export type Database = (typeof DATABASES)[number]

export interface DeploymentOptions {
  readonly database?: Database
  readonly providers: readonly Provider[]
  /** Changes the tenant file before the start. */
  readonly tenant?: (file: TenantDraft) => void
  /** Further flags of `serve`. */
  readonly flags?: readonly string[]
}

export interface Deployment extends Reachable {
  readonly database: Database
  readonly tenant: TestTenant
  readonly dataDir: string
  readonly databaseUrl: string
  /** Starts a process, and resolves once it listens. @throws {Error} it ended instead; holds what it said. */
  start(): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
  /** Asks it to end, as an operator does. */
  stop(): Promise<void>
  /** All that its processes said so far. */
  readonly output: () => string
  /** Ends the process, and removes what it kept. */
  close(): Promise<void>
}

export const TENON = join(import.meta.dirname, '../../../../bin/tenon')

/** A deployment that runs. */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { database = 'sqlite', providers, flags = [] } = options
  const tenant = testTenant(providers)
  options.tenant?.(tenant.file)
  const folder = mkdtempSync(join(tmpdir(), 'tenon-deployment-'))
  const dataDir = join(folder, 'data')
  const tenantFile = join(folder, 'tenant.json')
  writeFileSync(tenantFile, JSON.stringify(tenant.file))
  const postgres = database === 'postgres' ? await createEmptyDatabase() : undefined
  const databaseUrl = postgres?.url ?? `sqlite:${join(dataDir, 'tenon.db')}`
  const port = await freePort()
  const places = ['--port', String(port), '--data-dir', dataDir, '--database-url', databaseUrl, '--tenant', tenantFile]
  const args = ['serve', ...places, '--dangerously-allow-upstream-network', '127.0.0.0/8', ...flags]
  let output = ''
  let child: ChildProcess | undefined

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'close')
    ending.kill(signal)
    await ended
  }
  const deployment: Deployment = {
    database,
    tenant,
    url: `http://127.0.0.1:${port}`,
    issuer: `http://127.0.0.1:${port}/`,
    dataDir,
    databaseUrl,
    async start() {
      const env = ownEnvironment()
      child = spawn(TENON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      await listening(child, (text) => {
        output += text
      })
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    output: () => output,
    async close() {
      await end('SIGKILL')
      await postgres?.remove()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  try {
    await deployment.start()
  } catch (error) {
    await deployment.close()
    throw error
  }
  return deployment
}

export async function listening(child: ChildProcess, say: (text: string) => void): Promise<void> {
  let words = ''
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      say(String(chunk))
      words += String(chunk)
      if (words.includes('"event":"listening"')) resolve()
    })
  }
  const ended = once(child, 'close').then(() => Promise.reject(new Error(`the server ended: ${words}`)))
  await Promise.race([ready, ended])
}
