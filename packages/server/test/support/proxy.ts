// An API of a provider's that says what it got, and the call through our proxy to it.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import { expectStatus, mgmt, type Reachable } from './actors.ts'
import { type Answer, type RequestOptions, request } from './http.ts'
import type { TenantDraft } from './tenant.ts'

export interface ApiCall {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Api {
  /** With its port. */
  readonly host: string
  readonly calls: readonly ApiCall[]
  /** Lets `/slow` end, and `/silent/…` begin. */
  release(): void
}

/**
 * Paths: `/redirect?to=URL`, `/rude` with headers that are no business of the caller's, `/slow` in two parts, `/silent/…` not at
 * all; else an echo.
 */
export async function startApi(): Promise<Api> {
  const calls: ApiCall[] = []
  const waiting: (() => void)[] = []
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { method = '', url = '', headers } = incoming
    const call = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') }
    calls.push(call)
    const { pathname, searchParams } = new URL(url, 'http://api.test')
    if (pathname.startsWith('/silent')) waiting.push(() => response.end())
    else if (pathname === '/redirect') response.writeHead(302, { location: searchParams.get('to') ?? '/' }).end()
    else if (pathname === '/rude') response.writeHead(200, RUDE).end('rude')
    else if (pathname === '/slow') {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('first')
      waiting.push(() => response.end('second'))
    } else response.writeHead(200, { 'content-type': 'application/json', etag: '"1"' }).end(JSON.stringify(call))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const release = () => {
    for (const end of waiting.splice(0)) end()
  }
  after(() => {
    release()
    server.closeAllConnections()
    server.close()
  })
  // A TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, calls, release }
}

const RUDE = {
  'set-cookie': 'sid=1',
  'access-control-allow-origin': '*',
  'www-authenticate': 'Bearer',
  'clear-site-data': '"*"',
  'strict-transport-security': 'max-age=0',
  'x-hop': '1',
  connection: 'close, x-hop',
  'x-own': 'yes',
}

/** The hosts that a connection's tokens may go to. */
export function withHosts(file: TenantDraft, connection: string, hosts: readonly string[]): void {
  const found = file.connections.find(({ name }) => name === connection)
  Object.assign(found?.options as object, { api_hosts: hosts })
}

/** A call through the proxy; `target` takes the place of the account's id and the path. */
export function callProxy(
  server: Pick<Reachable, 'url'>,
  token: string,
  accountId: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, ...options.headers }
  return request(server.url, { ...options, headers, target: `/me/v1/proxy/${accountId}${path}` })
}

/** Gives a client a policy, or takes it away. */
export async function setPolicy(server: Reachable, clientId: string, policy: JsonObject | null): Promise<void> {
  const api = await mgmt(server)
  expectStatus(await api.patch(`/clients/${clientId}`, { policy }), 200)
}
