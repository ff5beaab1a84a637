// People, their connected accounts and their tokens, written beside a running server: what sign-ins would have left.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { randomToken, sha256Hex } from '../src/crypto/hashing.ts'
import { createJwtSigner } from '../src/crypto/jwt.ts'
import { openKeyring } from '../src/crypto/keyring.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { systemClock } from '../src/lib/time.ts'
import { readSigningKeys } from '../src/oauth/signing-keys.ts'
import { VAULT_GRANT } from '../src/protocol/grant-types.ts'
import { openStorage } from '../src/storage/open.ts'
import type { Artifact } from '../src/storage/records.ts'
import type { Repositories, Storage } from '../src/storage/storage.ts'
import { createVault, type Vault } from '../src/vault/vault.ts'

export const API = 'https://api.bench.test/'
export const CONNECTION = 'work'
const SCOPES = ['calendar.read', 'calendar.write']

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const assertionKey = createPrivateKey(privateKey)
export const secret = randomToken(24)

/** The tenant file of the bench; `connection` comes from the provider kit. */
export const tenantOf = (connection: object) => ({
  settings: { rate_limits: { enabled: false } },
  clients: [
    { ...clientOf('web'), client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
    {
      ...clientOf('signer'),
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: publicKey, alg: 'RS256' }] },
      },
    },
    {
      ...clientOf('api'),
      client_secret: secret,
      app_type: 'resource_server',
      resource_server_identifier: API,
      grant_types: [VAULT_GRANT],
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  resource_servers: [{ identifier: API, scopes: [{ value: 'read:things' }] }],
  connections: [
    {
      ...connection,
      name: CONNECTION,
      enabled_clients: ['web', 'signer', 'api'],
      connected_accounts: { active: true },
    },
  ],
})

const clientOf = (id: string) => ({
  client_id: id,
  name: id,
  app_type: 'regular_web',
  callbacks: ['http://127.0.0.1:9/cb'],
  grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT],
})

export interface SeededPerson {
  readonly userId: string
  readonly grantId: string
  readonly refreshToken: string
}

export interface Seed {
  /** One person each with a connected account; `life` of their access tokens in seconds. */
  people(options: SeedOptions): Promise<readonly SeededPerson[]>
  /** For the API of the bench, unless `claims` say otherwise. */
  accessTokens(people: readonly SeededPerson[], issuer: string, claims?: JsonObject): Promise<readonly string[]>
  countEvents(): Promise<number>
  close(): Promise<void>
}

export interface SeedOptions {
  readonly count: number
  readonly clientId: string
  readonly lifeSeconds?: number
  /** The tokens that the provider gave; made up when absent, which serves until they are stale. */
  readonly mint?: (name: string) => { accessToken: string; refreshToken: string | undefined }
  readonly onProgress?: (done: number) => void
}

const BATCH = 250

/** Opens the database of a server that has applied its tenant file. */
export async function openSeed({ url, dataDir }: { url: string; dataDir: string }): Promise<Seed> {
  const storage = await openStorage({ url })
  const keyring = openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, pollMs: 0 })
  const vault = createVault({
    storage,
    keyring,
    connectorFor: async () => undefined,
    clock: systemClock,
    settings: () => ({ refreshTimeoutSeconds: 10, refreshMarginSeconds: 60 }),
    log: { info() {}, warn() {}, error() {} },
  })
  const connection = await storage.connections.findByName(CONNECTION)
  if (connection === undefined) throw new Error('the tenant file has not been applied')
  return {
    people: (options) => seedPeople({ storage, vault, connectionId: connection.id }, options),
    async accessTokens(people, issuer, claims = {}) {
      const keys = await readSigningKeys({ storage, keyring, clock: systemClock })
      const [privateJwk] = keys.privateJwks
      const [key] = keys.publicKeys
      if (privateJwk === undefined || key === undefined) throw new Error('no signing key')
      const signer = createJwtSigner({ kid: key.kid, privateJwk })
      return people.map((person) => signer.sign({ ...accessClaims(person, issuer), ...claims }))
    },
    async countEvents() {
      const [last] = await storage.events.list({ descending: true, limit: 1 })
      return last?.seq ?? 0
    },
    async close() {
      keyring.close()
      await storage.close()
    },
  }
}

interface Parts {
  readonly storage: Storage
  readonly vault: Vault
  readonly connectionId: string
}

async function seedPeople(parts: Parts, options: SeedOptions): Promise<readonly SeededPerson[]> {
  const people: SeededPerson[] = []
  while (people.length < options.count) {
    const size = Math.min(BATCH, options.count - people.length)
    const batch = Array.from({ length: size }, () => newPerson())
    await parts.storage.transaction(async (tx) => {
      // Together, so that PostgreSQL hears of all of them in a few round trips.
      await Promise.all(batch.map((person) => writePerson(tx, parts, person, options)))
    })
    people.push(...batch)
    options.onProgress?.(people.length)
  }
  return people
}

const newPerson = (): SeededPerson => ({
  userId: `${CONNECTION}|${randomToken(9)}`,
  grantId: randomToken(16),
  refreshToken: randomToken(),
})

async function writePerson(tx: Repositories, parts: Parts, person: SeededPerson, options: SeedOptions): Promise<void> {
  const { clientId, lifeSeconds = 86_400, mint = inventTokens } = options
  const { userId, grantId } = person
  const now = systemClock()
  const name = userId.slice(CONNECTION.length + 1)
  const artifact: Omit<Artifact, 'kind' | 'idHash' | 'grantId'> = {
    ...BLANK_ARTIFACT,
    userId,
    clientId,
    createdAt: now,
    expiresAt: now + 86_400,
  }
  await Promise.all([
    tx.users.claimId(userId),
    tx.users.insert({ ...BLANK_USER, userId, createdAt: now, updatedAt: now }),
    tx.artifacts.put({ ...artifact, kind: 'Grant', idHash: grantId, grantId: undefined }),
    tx.artifacts.put({ ...artifact, kind: 'RefreshToken', idHash: sha256Hex(person.refreshToken), grantId }),
  ])
  await parts.vault.store(tx, {
    userId,
    connectionId: parts.connectionId,
    subject: name,
    purpose: 'agents',
    tokenset: {
      ...mint(name),
      tokenType: 'Bearer',
      accessExpiresAt: now + lifeSeconds,
      refreshExpiresAt: undefined,
      scopes: SCOPES,
    },
    scopesAsked: SCOPES,
    label: name,
    clientId,
  })
}

const inventTokens = () => ({ accessToken: `ya29.${randomToken(30)}`, refreshToken: `1//${randomToken(30)}` })

const BLANK_USER = {
  email: undefined,
  emailVerified: false,
  profile: {},
  userMetadata: {},
  appMetadata: {},
  blocked: false,
  lastLogin: undefined,
  lastIp: undefined,
  loginsCount: 1,
} as const

const BLANK_ARTIFACT = {
  uid: undefined,
  payload: { scope: 'openid profile email offline_access', kind: 'RefreshToken', gty: 'authorization_code' },
  consumedAt: undefined,
  successorEnvelope: undefined,
  identityKey: undefined,
} as const

function accessClaims({ userId, grantId }: SeededPerson, issuer: string) {
  const now = systemClock()
  return {
    iss: issuer,
    sub: userId,
    aud: [API, `${issuer}userinfo`],
    azp: 'web',
    scope: 'openid read:things',
    iat: now,
    exp: now + 3600,
    jti: `${grantId}.${randomToken(8)}`,
  }
}

/** Assertions of the client `signer`, each good for one request within five minutes. */
export function signAssertions(count: number, issuer: string): readonly string[] {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = encode({ alg: 'RS256', typ: 'JWT' })
  return Array.from({ length: count }, () => {
    const now = systemClock()
    const claims = { iss: 'signer', sub: 'signer', aud: issuer, iat: now, exp: now + 300, jti: randomToken(12) }
    const input = `${header}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), assertionKey).toString('base64url')}`
  })
}
