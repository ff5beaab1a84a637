// Connections whose accounts are connected by typing a credential, an API that takes it, and the person who types.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { type ConnectOptions, completeConnect, drive, expectStatus, type Reachable, startConnect } from './actors.ts'
import { type Browser, describe, type Page } from './browser.ts'
import type { TenantDraft } from './tenant.ts'

export interface KeyApi {
  readonly url: string
  /** With its port. */
  readonly host: string
  /** What `/me` answers, by the whole value of `authorization`. */
  readonly owners: Map<string, { readonly id: string; readonly login: string }>
  readonly calls: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[]
}

/** `/me` says whose the credential is, 401 for an unknown one; every other path says 204. */
export async function startKeyApi(): Promise<KeyApi> {
  const owners: KeyApi['owners'] = new Map()
  const calls: { path: string; headers: IncomingHttpHeaders }[] = []
  const server = createServer(({ url: path = '', headers }, response) => {
    calls.push({ path, headers })
    if (path !== '/me') return response.writeHead(204).end()
    const owner = owners.get(headers.authorization ?? '')
    response.writeHead(owner ? 200 : 401, { 'content-type': 'application/json' })
    return response.end(JSON.stringify(owner ?? { error: 'unknown' }))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  // A TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, owners, calls }
}

/** `crm` (key in a header of its own), `wiki` (user name and password), `desk` (key, whose owner the API names). */
export function withTyped(file: TenantDraft, api: Pick<KeyApi, 'url' | 'host'>): void {
  const common = {
    enabled_clients: file.clients.map(({ client_id }) => client_id),
    authentication: { active: false },
    connected_accounts: { active: true },
  }
  const api_hosts = [api.host]
  const checked = { userInfoURL: `${api.url}/me`, fieldsMap: { user_id: 'id', username: 'login' } }
  file.connections.push(
    {
      ...common,
      name: 'crm',
      display_name: 'Customer desk',
      strategy: 'api-key',
      options: { api_hosts, header: 'X-Api-Key', scope: 'contacts:read', help_url: 'https://crm.example/keys' },
    },
    { ...common, name: 'wiki', display_name: 'Wiki', strategy: 'basic', options: { api_hosts } },
    { ...common, name: 'desk', display_name: 'Service desk', strategy: 'api-key', options: { api_hosts, ...checked } },
  )
}

export type Typed = Readonly<Record<string, string>>

/** A client's connect leg in which the person types this; answers with the connected account. */
export async function connectTyped(
  browser: Browser,
  server: Reachable,
  { typed, which = 'another', ...how }: ConnectOptions & { typed: Typed; which?: string },
) {
  const flow = await startConnect(server, how)
  expectStatus(flow.answer, 201)
  await browser.open(flow.url)
  await choose(browser, which)
  await browser.submit('enter-credential', { fields: typed })
  const page = await drive(browser)
  if (!page.params.has('connect_code')) throw new Error(`not connected: ${describe(page)} ${page.text}`)
  return expectStatus(await completeConnect(server, flow, page.params), 201).json
}

/** Where the person has accounts: one of them by its id, or another. */
export function choose(browser: Browser, which: string): Promise<Page> {
  if (browser.page.name !== 'which-account') return Promise.resolve(browser.page)
  if (which === 'another') return browser.submit('which-another', { action: 'another' })
  return browser.submit('which-account', { fields: { account: which } })
}
