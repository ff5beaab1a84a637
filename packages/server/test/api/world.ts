// A server's two JSON interfaces over a real database, with tokens that are really signed.

import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import { createMailLimits, createSignInLimits } from '../../src/accounts/limits.ts'
import type { LinkNotice, LinkNotify } from '../../src/accounts/link-deps.ts'
import { createUser, recordSignIn } from '../../src/accounts/users.ts'
import { createOrigins } from '../../src/api/cors.ts'
import { createManagementApi } from '../../src/api/management/app.ts'
import { createMeApi } from '../../src/api/me/app.ts'
import { randomToken } from '../../src/crypto/hashing.ts'
import { createJwtSigner } from '../../src/crypto/jwt.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { generateSigningKey } from '../../src/crypto/signing-keys.ts'
import { parseSettings } from '../../src/domain/settings.ts'
import type { Grade, User } from '../../src/domain/user.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createMinuteLimit } from '../../src/lib/minute-limit.ts'
import { createAccessTokens } from '../../src/oauth/access-tokens.ts'
import { loadDpopNonces } from '../../src/oauth/dpop.ts'
import { createProofOfPossession } from '../../src/oauth/proof-of-possession.ts'
import { MANAGEMENT_SCOPES, MY_ACCOUNT_SCOPES } from '../../src/protocol/api-scopes.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { ConnectionRecord } from '../../src/storage/records.ts'
import { createVault } from '../../src/vault/vault.ts'

export const ISSUER = 'https://tenon.test/'
export const START = 1_800_000_000
export const API_AUDIENCE = `${ISSUER}api/v2/`
export const ME_AUDIENCE = `${ISSUER}me/`

/** One hash for all: how long argon2 takes is another test's subject. */
const quickPasswords = {
  hash: async (password: string) => `hash of ${password}`,
  adopt: async () => 'a hash from elsewhere',
}

export const TENANT = {
  clients: [
    { client_id: 'web', client_secret: 'web-secret-web-secret', name: 'Web', callbacks: ['https://app.test/cb'] },
    {
      client_id: 'spa',
      name: 'Pages',
      app_type: 'spa',
      callbacks: ['https://spa.test/cb'],
      web_origins: ['https://spa.test'],
    },
    { client_id: 'm2m', client_secret: 'm2m-secret-m2m-secret', name: 'Backend', app_type: 'non_interactive' },
    {
      client_id: 'theirs',
      client_secret: 'theirs-secret-theirs',
      name: 'Third party',
      is_first_party: false,
      callbacks: ['https://theirs.test/cb'],
    },
  ],
  connections: [
    ...['acme', 'files'].map((name) => ({
      name,
      strategy: 'oidc',
      enabled_clients: ['web', 'spa', 'theirs'],
      connected_accounts: { active: true },
      options: { issuer: `https://${name}.test/`, client_id: 'tenon', client_secret: 'upstream-secret' },
    })),
    { name: 'code', strategy: 'github', enabled_clients: ['web', 'spa'], options: { client_id: 'tenon' } },
    { name: 'code-two', strategy: 'github', enabled_clients: ['web'], options: { client_id: 'tenon' } },
  ],
} as const

export type World = Awaited<ReturnType<typeof openWorld>>

/** A database that exists and is empty, and how it goes away. */
interface Database {
  readonly url: string
  readonly remove: () => Promise<void>
}

interface WorldOptions {
  readonly tenant?: JsonObject
  readonly metadata?: 'keep_primary' | 'deep_merge'
  /** For one client and user. */
  readonly requestsPerMinute?: number
  /** SQLite in a temporary file when absent. */
  readonly database?: Database
}

export async function openWorld({
  tenant = TENANT,
  metadata = 'keep_primary',
  requestsPerMinute = 10_000,
  database,
}: WorldOptions = {}) {
  let now = START
  const clock = () => now
  if (database !== undefined) await migrate(database.url)
  const storage = await openStorage({ url: database?.url ?? 'sqlite::memory:' })
  const keyring = openKeyring({
    source: 'env:KEY',
    environment: { KEY: Buffer.alloc(32, 7).toString('base64') },
  })
  const log = { info() {}, warn() {}, error: (...line: unknown[]) => errors.push(line) }
  const errors: unknown[] = []
  const notices: LinkNotice[] = []
  const vault = createVault({
    storage,
    keyring,
    clock,
    log,
    // No provider is called here.
    connectorFor: async () => undefined,
    settings: () => ({ refreshTimeoutSeconds: 10, refreshMarginSeconds: 60 }),
  })
  const signing = await generateSigningKey()
  const signer = createJwtSigner({ kid: signing.kid, privateJwk: signing.privateJwk })
  const publicKeys = [{ kid: signing.kid, publicJwk: signing.publicJwk }]
  const accessTokens = createAccessTokens({
    storage,
    clock,
    issuer: ISSUER,
    keys: () => ({ version: '1', privateJwks: [signing.privateJwk], publicKeys, records: [] }),
  })
  const tenantDeps = {
    storage,
    keyring,
    clock,
    passwords: quickPasswords,
    issuer: ISSUER,
  }
  await applyTenant(tenantDeps, parseTenantFile(tenant, ISSUER))
  const limit = createMinuteLimit({ points: requestsPerMinute, enabled: () => true })
  const origins = createOrigins({ storage, clock })
  const nonces = await loadDpopNonces(Buffer.alloc(32, 5))
  const possession = createProofOfPossession({ issuer: ISSUER, storage, clock, nonces })
  const common = { issuer: ISSUER, storage, clock, accessTokens, possession, limit, origins, log }
  const notify: LinkNotify = async (_, notice) => {
    notices.push(notice)
  }
  const management = createManagementApi({
    ...common,
    vault,
    keyring,
    passwords: quickPasswords,
    linking: () => ({ metadata, undoDays: 30, reauthenticationSeconds: 600 }),
    notify,
    allowedPrivateNetworks: [],
    settings: () => parseSettings({ friendly_name: 'Acme' }),
    settingsChanged: async () => {},
    mailLimits: createMailLimits({ storage, clock, enabled: () => true }),
  })
  const me = createMeApi({
    ...common,
    vault,
    keyring,
    signInLimits: createSignInLimits({ storage, clock, enabled: () => true }),
    notify,
    settings: () => parseSettings({ friendly_name: 'Acme' }),
    sharing: () => 'first_party',
    apiHostsOf: () => [],
  })

  const sign = (claims: JsonObject) => signer.sign({ iss: ISSUER, iat: now, exp: now + 3600, ...claims })

  return {
    storage,
    vault,
    keyring,
    signer,
    errors,
    notices,
    clock,
    tenantDeps,
    wait: (seconds: number) => {
      now += seconds
    },
    async close() {
      await storage.close()
      await database?.remove()
    },

    /** A machine's token for the Management API. */
    machineToken: (scopes: readonly string[] = MANAGEMENT_SCOPES) =>
      sign({
        sub: 'm2m@clients',
        azp: 'm2m',
        aud: API_AUDIENCE,
        scope: scopes.join(' '),
        gty: 'client-credentials',
        jti: randomToken(),
      }),
    /** A user's token, of a sign-in of this moment, under a grant that lives until it is ended. */
    async userToken(userId: string, { clientId = 'web', audience = ME_AUDIENCE, scopes = MY_ACCOUNT_SCOPES } = {}) {
      const grantId = randomToken(16).replaceAll(/[^A-Za-z0-9]/g, 'x')
      await storage.transaction((tx) => tx.artifacts.put(grantRow(grantId, userId, clientId, now)))
      const jti = `${grantId}.${randomToken(8)}`
      return sign({ sub: userId, azp: clientId, aud: audience, scope: scopes.join(' '), jti, auth_time: now })
    },
    idToken: (userId: string, clientId = 'spa', claims: JsonObject = {}) =>
      sign({ sub: userId, aud: clientId, ...claims }),

    async connection(name: string): Promise<ConnectionRecord> {
      const record = await storage.connections.findByName(name)
      if (record === undefined) throw new Error(`no connection ${name}`)
      return record
    },
    /** Somebody who signed in by a connection. */
    async person(name: string, { connection = 'acme', subject = name, grade = 1 as Grade, email = true } = {}) {
      const record = await this.connection(connection)
      const address = email ? `${name}@example.test` : undefined
      const profileData = { name, ...(address === undefined ? {} : { email: address, email_verified: grade > 0 }) }
      const source = `connection:${record.id}`
      return storage.transaction(async (tx): Promise<User> => {
        const made = { connection: record, subject, profileData, email: address, grade, source, at: now }
        const user = await createUser(tx, made)
        const identity = await tx.identities.find(record.id, subject)
        if (identity === undefined) throw new Error('no identity')
        return recordSignIn(tx, { user, identity, profileData, email: address, grade, at: now, ip: '203.0.113.7' })
      })
    },
    /** Keeps a tokenset for somebody. */
    async account(userId: string, connection: string, subject: string, more: JsonObject = {}) {
      const record = await this.connection(connection)
      const { account } = await storage.transaction((tx) =>
        vault.store(tx, {
          userId,
          connectionId: record.id,
          subject,
          purpose: more.purpose === 'sign_in' ? 'sign_in' : 'agents',
          tokenset: {
            accessToken: `access of ${subject} at ${connection}`,
            refreshToken: `refresh of ${subject} at ${connection}`,
            tokenType: 'Bearer',
            accessExpiresAt: now + 3600,
            refreshExpiresAt: undefined,
            scopes: ['read'],
          },
          scopesAsked: ['read'],
          label: subject,
          clientId: typeof more.clientId === 'string' ? more.clientId : 'web',
        }),
      )
      return account
    },
    /** What an exchange would give now. */
    async accessToken(accountId: string): Promise<string> {
      const fresh = await vault.freshToken(accountId)
      return fresh.kind === 'fresh' ? fresh.accessToken : fresh.kind
    },
    management: (token: string | undefined, method: string, path: string, body?: unknown, headers = {}) =>
      call(management, `${ISSUER}api/v2${path}`, { token, method, body, headers }),
    me: (token: string | undefined, method: string, path: string, body?: unknown, headers = {}) =>
      call(me, `${ISSUER}me/v1${path}`, { token, method, body, headers }),
    apps: { management, me },
  }
}

interface Call {
  readonly token: string | undefined
  readonly method: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

async function call(
  app: { request(url: string, init: RequestInit): Response | Promise<Response> },
  url: string,
  { token, method, body, headers }: Call,
) {
  const response = await app.request(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  // Tests read what they expect; an answer of another shape fails their assertions.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const json: any = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, text, json }
}

export const path = (userId: string): string => `/users/${encodeURIComponent(userId)}`

const grantRow = (grantId: string, userId: string, clientId: string, now: number) =>
  ({
    kind: 'Grant',
    idHash: grantId,
    uid: undefined,
    grantId,
    userId,
    clientId,
    payload: { accountId: userId, clientId },
    createdAt: now,
    expiresAt: now + 1_000_000,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }) as const
