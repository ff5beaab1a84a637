// Two `bin/tenon serve` processes with one issuer, one vault key and one PostgreSQL database, behind a proxy that gives each
// of them every other request. Their clocks are the test's to set.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Provider } from '@tenon/sdk/testing'
import { freePort } from '../../../../tools/lib/free-port.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import type { Reachable } from './actors.ts'
import { listening, TENON } from './deployment.ts'
import { ownEnvironment } from './environment.ts'
import { eventually } from './http.ts'
import { type TenantDraft, type TestTenant, testTenant } from './tenant.ts'
import { passTime } from './time.ts'

export interface Cluster extends Reachable {
  readonly tenant: TestTenant
  /** Each node's own address, past the proxy. */
  readonly nodes: readonly [string, string]
  /** How many requests the proxy gave to each. */
  readonly served: () => readonly number[]
  /** Time passes for both nodes, their providers and the test. */
  passTime(seconds: number): Promise<void>
  /** The clock of one node alone is set forward. */
  setForward(node: 0 | 1, seconds: number): Promise<void>
  /** It stands still in whatever it does, and keeps its connections, until it is woken. */
  freeze(node: 0 | 1): void
  wake(node: 0 | 1): void
}

export interface ClusterOptions {
  readonly providers: readonly Provider[]
  readonly tenant?: (file: TenantDraft) => void
  /** By how many seconds each node's clock is ahead. */
  readonly aheadSeconds: readonly [number, number]
  /** Default: a folder. */
  readonly mail?: string
}

/** Ends with the file that started it, and the providers with it. */
export async function startCluster({ providers, aheadSeconds, ...options }: ClusterOptions): Promise<Cluster> {
  const tenant = testTenant(providers)
  options.tenant?.(tenant.file)
  const folder = mkdtempSync(join(tmpdir(), 'tenon-cluster-'))
  const tenantFile = join(folder, 'tenant.json')
  writeFileSync(tenantFile, JSON.stringify(tenant.file))
  const database = await createEmptyDatabase()
  const ports = [await freePort(), await freePort()] as const
  const proxy = await startProxy(ports)
  const issuer = `${proxy.url}/`
  const shared = [
    ['--issuer', issuer],
    ['--database-url', database.url],
    ['--tenant', tenantFile],
    ['--vault-key', `file:${join(folder, 'vault.key')}`],
    ['--mail', options.mail ?? `file:${join(folder, 'outbox')}`],
    ['--trust-proxy', '127.0.0.1/32'],
    ['--dangerously-allow-upstream-network', '127.0.0.0/8'],
  ].flat()
  const clocks = aheadSeconds.map((ahead, index) => ({ file: join(folder, `clock-${index}`), ahead }))
  for (const { file, ahead } of clocks) writeFileSync(file, String(ahead))
  const children: ChildProcess[] = []
  after(async () => {
    const ended = children.map((child) => (child.exitCode === null ? once(child, 'close') : undefined))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ended)
    proxy.close()
    await Promise.all(providers.map((provider) => provider.stop()))
    await database.remove()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const start = async (index: number) => {
    const env = {
      ...ownEnvironment(),
      CLOCK_FILE: clocks[index]?.file,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'moved-clock.ts')}`,
    }
    const own = ['--port', String(ports[index]), '--data-dir', join(folder, `data-${index}`)]
    const child = spawn(TENON, ['serve', ...own, ...shared], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    children[index] = child
    await listening(child, () => {})
  }
  const setForward = async (node: number, seconds: number) => {
    const clock = clocks[node]
    if (clock === undefined) return
    clock.ahead += seconds
    writeFileSync(clock.file, String(clock.ahead))
    children[node]?.kill('SIGUSR2')
    await eventually('the clock', () => readFileSync(`${clock.file}.now`, 'utf8') === String(clock.ahead))
  }
  // Together, as a new deployment is rolled out: one of them makes the tables and keys, the other finds them.
  await Promise.all([start(0), start(1)])
  return {
    url: proxy.url,
    issuer,
    tenant,
    nodes: [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`],
    served: proxy.served,
    async passTime(seconds) {
      passTime(seconds)
      await Promise.all([0, 1].map((node) => setForward(node, seconds)))
    },
    setForward,
    freeze: (node) => void children[node]?.kill('SIGSTOP'),
    wake: (node) => void children[node]?.kill('SIGCONT'),
  }
}

/** A reverse proxy that knows no sessions. */
async function startProxy(ports: readonly number[]) {
  const served = ports.map(() => 0)
  let turn = 0
  const server = createServer((request, response) => {
    const node = turn++ % ports.length
    served[node] = (served[node] ?? 0) + 1
    const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress ?? '' }
    const { method, url: path } = request
    const onward = forward({ host: '127.0.0.1', port: ports[node], method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    served: () => [...served],
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
