// What every test of an SDK starts with: Tenon over TLS, with the certificate that the SDKs then trust.
import { type StartOptions, startServer, type TestServer } from '../../../packages/server/test/support/server.ts'

export interface World extends TestServer {
  /** What an SDK is given as its domain: host and port. */
  readonly domain: string
  secretOf(client: string): string
}

/** What the SDKs see is the same on both: the long run looks at the other one. */
const database = process.env.TENON_TEST_LONG === '1' ? 'postgres' : 'sqlite'

export async function startWorld(options: Pick<StartOptions, 'tenant' | 'settings' | 'hostName'> = {}): Promise<World> {
  const server = await startServer({ ...options, database, https: true })
  return {
    ...server,
    domain: new URL(server.url).host,
    secretOf(client) {
      const secret = server.tenant.secrets[client]
      if (secret === undefined) throw new Error(`no client ${client}`)
      return secret
    },
  }
}
