// A server of the bench with its provider and its people, on SQLite or PostgreSQL.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Provider, startOAuth2Provider } from '@tenon/sdk/testing'
import { startPostgres } from '../../../tools/postgres.ts'
import { LOAD_CORE, pinSelf, SERVER_CORE, type Server, startServer, tenonCommand } from './processes.ts'
import { openSeed, type Seed, tenantOf } from './seed.ts'

export type Database = 'sqlite' | 'postgres'

export interface Deployment {
  readonly server: Server
  readonly issuer: string
  readonly databaseUrl: string
  readonly provider: Provider
  readonly seed: Seed
  close(): Promise<void>
}

export interface DeploymentOptions {
  readonly database: Database
  readonly workers?: number
  /** Where the server runs. */
  readonly cores?: string
  /** Where database and provider run. */
  readonly company?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Hosts that the proxy may reach. */
  readonly apiHosts?: readonly string[]
}

export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const { database, workers = 1, cores = SERVER_CORE, company = LOAD_CORE, environment = {} } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'tenon-bench-'))
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  process.once('exit', remove)
  pinSelf(company)
  const postgres = database === 'postgres' ? await startPostgres({ durable: true }) : undefined
  const provider = await startOAuth2Provider({ name: 'work', refresh: 'always', rotation: 'rotating' })
  const tenant = join(dataDir, 'tenant.json')
  const connection = provider.connection()
  const hosts = options.apiHosts === undefined ? {} : { api_hosts: options.apiHosts }
  writeFileSync(tenant, JSON.stringify(tenantOf({ ...connection, options: { ...connection.options, ...hosts } })))
  const url = postgres?.url ?? `sqlite:${join(dataDir, 'tenon.db')}`
  const flags = {
    '--port': '0',
    '--data-dir': dataDir,
    '--database-url': url,
    '--tenant': tenant,
    '--workers': String(workers),
    '--dangerously-allow-upstream-network': '127.0.0.0/8',
  }
  const command = [tenonCommand, 'serve', ...Object.entries(flags).flat()]
  const server = await startServer({ cores, command, environment })
  const seed = await openSeed({ url, dataDir })
  return {
    server,
    issuer: `${server.url}/`,
    databaseUrl: url,
    provider,
    seed,
    async close() {
      await server.stop()
      await seed.close()
      await provider.stop()
      await postgres?.stop()
      process.removeListener('exit', remove)
      remove()
    },
  }
}
