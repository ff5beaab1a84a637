// Signs as a server does, with its own key: to show that a signature alone is not enough.
import { sign } from 'node:crypto'
import { join } from 'node:path'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { systemClock } from '../../src/lib/time.ts'
import { readSigningKeys } from '../../src/oauth/signing-keys.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { TestServer } from './server.ts'

type Json = Readonly<Record<string, unknown>>

/** Signs a header and claims, as objects or as the JSON text that they are to be. */
export type ServerSigner = (claims: Json | string, header?: Json | string) => string

export async function serverSigner(server: Pick<TestServer, 'databaseUrl' | 'dataDir'>): Promise<ServerSigner> {
  const keyring = openKeyring({ source: `file:${join(server.dataDir, 'vault.key')}`, pollMs: 0 })
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    const [jwk] = (await readSigningKeys({ storage, keyring, clock: systemClock })).privateJwks
    if (jwk === undefined) throw new Error('the server has no key to sign with')
    const usual = { alg: 'RS256', typ: 'JWT', kid: jwk.kid }
    return (claims, header = {}) => {
      const parts = [typeof header === 'string' ? header : { ...usual, ...header }, claims]
      const input = parts
        .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
        .join('.')
      const key = { key: { ...jwk }, format: 'jwk' } as const
      return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    }
  } finally {
    keyring.close()
    await storage.close()
  }
}
