// An app's own endpoint that the server tells of sessions that ended.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import { claimsOf, mgmt } from '../../../packages/server/test/support/actors.ts'
import { eventually } from '../../../packages/server/test/support/http.ts'
import type { TenantDraft } from '../../../packages/server/test/support/tenant.ts'
import type { World } from './world.ts'

/** Ends with the file. */
export async function startLogouts() {
  const tokens: string[] = []
  const server = createServer(async (request, response) => {
    tokens.push(new URLSearchParams(await text(request)).get('logout_token') ?? '')
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  const url = `http://127.0.0.1:${address.port}/`
  return {
    /** This client is told. */
    register({ clients }: TenantDraft, clientId = 'web'): void {
      for (const client of clients)
        if (client.client_id === clientId) client.oidc_logout = { backchannel_logout_urls: [url] }
    },
    /** Ends every session of a user, and answers with the token by which the app was told. */
    async logOut(world: World, sub: string): Promise<string> {
      await (await mgmt(world)).delete(`/users/${encodeURIComponent(sub)}/sessions`)
      return eventually('a logout token', () => tokens.find((token) => claimsOf(token).sub === sub))
    },
  }
}
