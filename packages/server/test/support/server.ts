// The real application over real HTTP, in this process, on a database of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Provider } from '@tenon/sdk/testing'
import { createApp, prepareDeployment } from '../../src/app.ts'
import { certificateOf } from '../../src/cli/process/certificate.ts'
import { type Certificate, type Listener, listen } from '../../src/cli/process/listener.ts'
import type { App } from '../../src/config/app-contract.ts'
import { ensureSelfSigned } from '../../src/config/self-signed.ts'
import type { ServerConfig } from '../../src/config/server-config.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createLog } from '../../src/lib/log.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import { type ReceivedMail, readOutbox } from './outbox.ts'
import { startProviders } from './providers.ts'
import { type TenantDraft, type TestTenant, testTenant } from './tenant.ts'

type DefaultProviders = Awaited<ReturnType<typeof startProviders>>

export interface StartOptions<P extends Record<string, Provider> = DefaultProviders> {
  /** Default: those of `startProviders`. Started ones are stopped with the server. */
  readonly providers?: P
  /** Changes the tenant file before the start. */
  readonly tenant?: (file: TenantDraft) => void
  readonly settings?: JsonObject
  /** `postgres` needs TENON_TEST_POSTGRES (see `storage/postgres-database.ts`). */
  readonly database?: 'sqlite' | 'postgres'
  /** How many applications serve the one database; `nodes[0]` has the issuer's address. */
  readonly nodes?: number
  /** The public URL, for a server behind something that ends TLS; pages then lead where nothing listens. */
  readonly issuer?: string
  readonly trustProxy?: readonly string[]
  /** Serves by the certificate of `--tls-self-signed`, and makes this process trust it. */
  readonly https?: boolean
  /** What the loopback address is called; its certificate knows `localhost` as well. Default: `127.0.0.1`. */
  readonly hostName?: 'localhost'
  /** Networks that upstream calls may reach; default: loopback. */
  readonly allowedNetworks?: readonly string[]
}

export interface TestServer<P extends Record<string, Provider> = DefaultProviders> {
  /** Without a slash at the end. */
  readonly url: string
  readonly issuer: string
  /** Every node's URL, without a slash at the end. */
  readonly nodes: readonly string[]
  readonly tenant: TestTenant
  readonly providers: P
  readonly dataDir: string
  readonly databaseUrl: string
  /** Everything that was logged so far, as JSON lines. */
  readonly logs: () => string
  readonly mails: () => readonly ReceivedMail[]
  /** A new person with an account at each of these providers, signed in there now; the address is theirs alone. */
  person(name: string, at: readonly (keyof P & string)[], details?: Parameters<Provider['addUser']>[1]): TestPerson
  /** Ends every node and starts it anew at its address: what was only in memory is gone. */
  restart(): Promise<void>
  close(): Promise<void>
}

export interface TestPerson {
  /** Key at the providers. */
  readonly key: string
  readonly email: string
  /** Subject at each provider. */
  readonly subjects: Readonly<Record<string, string>>
  /** Makes them the one who is signed in there. */
  at(provider: string): void
}

/** Starts a server. Call it at the top of a file, where it ends with the file, or in a test; not in a `before` hook. */
export async function startServer(options?: StartOptions): Promise<TestServer>
export async function startServer<P extends Record<string, Provider>>(
  options: StartOptions<P> & { readonly providers: P },
): Promise<TestServer<P>>
export async function startServer(options: StartOptions<Record<string, Provider>> = {}): Promise<unknown> {
  const providers: Record<string, Provider> = options.providers ?? (await startProviders())
  const tenant = testTenant(Object.values(providers), options.settings)
  options.tenant?.(tenant.file)
  const dataDir = join(mkdtempSync(join(tmpdir(), 'tenon-test-')), 'data')
  const database = await openDatabase(options.database ?? 'sqlite', dataDir)
  const lines: string[] = []
  const log = createLog({ stream: { write: (line) => void lines.push(line) } })
  const certificate = options.https ? await trustedCertificate(join(dataDir, 'tls')) : undefined
  const listeners = await Promise.all(
    Array.from({ length: options.nodes ?? 1 }, () => listen({ host: '127.0.0.1', port: 0, certificate })),
  )
  const scheme = certificate ? 'https' : 'http'
  const nodes = listeners.map(({ port }) => `${scheme}://${options.hostName ?? '127.0.0.1'}:${port}`)
  const url = nodes[0] ?? ''
  const issuer = options.issuer ?? `${url}/`
  const config = configOf(options, dataDir, database.config, tenant.file)
  const apps: App[] = []
  let people = 0
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= stop(listeners, apps, Object.values(providers), database.remove, dataDir)
    return closed
  }
  after(close)
  await prepareDeployment({ config, issuer, log })
  const start = async () => {
    for (const listener of listeners) {
      const app = await createApp({ config, issuer, log })
      apps.push(app)
      listener.use(app.handler)
    }
  }
  await start()
  return {
    url,
    issuer,
    nodes,
    tenant,
    providers,
    dataDir,
    databaseUrl: database.config.url,
    logs: () => lines.join(''),
    mails: () => readOutbox(join(dataDir, 'outbox')),
    person: (name: string, at: readonly string[], details = {}) =>
      addPerson(providers, `${name}-${++people}`, at, details),
    async restart() {
      await Promise.all(apps.splice(0).map((app) => app.close()))
      await start()
    },
    close,
  }
}

async function trustedCertificate(folder: string): Promise<Certificate | undefined> {
  await ensureSelfSigned({ folder, hosts: [] })
  const authority = readFileSync(join(folder, 'ca.pem'), 'utf8')
  setDefaultCACertificates([...getCACertificates('default'), authority])
  return certificateOf({ kind: 'self-signed', folder })
}

function configOf(
  { trustProxy = [], allowedNetworks = ['127.0.0.0/8'] }: Pick<StartOptions, 'trustProxy' | 'allowedNetworks'>,
  dataDir: string,
  database: ServerConfig['database'],
  file: TenantDraft,
): ServerConfig {
  return {
    port: 0,
    host: '127.0.0.1',
    issuer: undefined,
    dataDir,
    database,
    // As it would come from a file: plain JSON.
    tenant: { path: 'tenant.json', document: JSON.parse(JSON.stringify(file)) as JsonObject },
    tls: { kind: 'none' },
    vaultKey: `file:${join(dataDir, 'vault.key')}`,
    trustProxy,
    dangerouslyAllowUpstreamNetwork: allowedNetworks,
    // Two: nodes that share the database, so that none of them takes over the other's work.
    workers: 2,
    mail: { kind: 'folder', path: join(dataDir, 'outbox') },
    metricsPort: undefined,
  }
}

async function openDatabase(
  kind: 'sqlite' | 'postgres',
  dataDir: string,
): Promise<{ config: ServerConfig['database']; remove: () => Promise<void> }> {
  if (kind === 'postgres') {
    const { url, remove } = await createEmptyDatabase()
    return { config: { kind, url }, remove }
  }
  const path = join(dataDir, 'tenon.db')
  return { config: { kind, path, url: `sqlite:${path}` }, remove: async () => {} }
}

async function stop(
  listeners: readonly Listener[],
  apps: readonly App[],
  providers: readonly Provider[],
  removeDatabase: () => Promise<void>,
  dataDir: string,
): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stop(1000)))
  await Promise.all([...apps.map((app) => app.close()), ...providers.map((provider) => provider.stop())])
  await removeDatabase()
  rmSync(join(dataDir, '..'), { recursive: true, force: true })
}

function addPerson(
  providers: Readonly<Record<string, Provider>>,
  key: string,
  at: readonly string[],
  details: Parameters<Provider['addUser']>[1],
): TestPerson {
  const provider = (name: string): Provider => {
    const found = providers[name]
    if (found === undefined) throw new Error(`no provider ${name}`)
    return found
  }
  const email = details?.email ?? `${key}@example.test`
  const subjects = at.map((name) => [name, provider(name).addUser(key, { email, name: key, ...details }).sub] as const)
  for (const name of at) provider(name).switchUser(key)
  return { key, email, subjects: Object.fromEntries(subjects), at: (name) => void provider(name).switchUser(key) }
}
