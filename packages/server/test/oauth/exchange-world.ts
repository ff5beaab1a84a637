/** The exchange over a real database, vault and provider: people with accounts, clients, and tokens of ours to bring. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type Provider, type ProviderOptions, startGithubProvider, startOAuth2Provider } from '@tenon/sdk/testing'
import { randomToken, sha256Hex } from '../../src/crypto/hashing.ts'
import { createJwtSigner } from '../../src/crypto/jwt.ts'
import { type Keyring, openKeyring } from '../../src/crypto/keyring.ts'
import type { Event } from '../../src/domain/event.ts'
import { parseSettings, type Settings } from '../../src/domain/settings.ts'
import type { Purpose, StoredAccount } from '../../src/domain/tokenset.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { type AccessTokens, createAccessTokens } from '../../src/oauth/access-tokens.ts'
import { createExchange, type Exchange } from '../../src/oauth/exchange.ts'
import type { ExchangeAnswer } from '../../src/oauth/exchange-refusal.ts'
import { ensureSigningKeys, readSigningKeys } from '../../src/oauth/signing-keys.ts'
import { createUsePolicy } from '../../src/oauth/use-policy.ts'
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../../src/protocol/grant-types.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Artifact } from '../../src/storage/records.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { createSafeFetch } from '../../src/upstream/safe-fetch.ts'
import { createConnectionReader, sealConnectionSecret } from '../../src/vault/connections.ts'
import { createVault, type Vault } from '../../src/vault/vault.ts'
import { createPostgresDatabase, postgresServer } from '../storage/postgres-database.ts'

export const DATABASES = postgresServer === undefined ? (['sqlite'] as const) : (['sqlite', 'postgres'] as const)
export type Database = (typeof DATABASES)[number]

export const ISSUER = 'https://id.acme.test/'
export const API = 'https://api.acme.test/'
export const FEDERATED = 'http://auth0.com/oauth/token-type/federated-connection-access-token'
export const REFRESH = 'urn:ietf:params:oauth:token-type:refresh_token'
export const ACCESS = 'urn:ietf:params:oauth:token-type:access_token'

export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Person {
  readonly userId: string
  readonly name: string
  readonly grantId: string
  readonly refreshToken: string
}

export interface Node {
  readonly exchange: Exchange
  readonly vault: Vault
  readonly storage: Storage
}

export interface World extends Node {
  readonly provider: Provider
  readonly keyring: Keyring
  readonly secrets: Readonly<Record<string, string>>
  settings: Settings
  /** `skew`: seconds added to everybody's clock. */
  readonly time: { skew: number }
  readonly clock: () => number
  /** Another node over the same database. */
  node(): Promise<Node>
  addClient(clientId: string, document?: JsonObject, secret?: string): Promise<void>
  /** A user who signed in by `web`, with a refresh token. */
  addPerson(name?: string, clientId?: string): Promise<Person>
  /** The same with a connected account. */
  connectedPerson(options?: ConnectOptions): Promise<Person & { readonly account: StoredAccount }>
  connect(person: Person, options?: ConnectOptions): Promise<StoredAccount>
  account(id: string): Promise<StoredAccount>
  issueRefreshToken(
    userId: string,
    clientId: string,
    over?: Partial<Artifact>,
  ): Promise<{ token: string; grantId: string }>
  issueAccessToken(person: Person, claims?: JsonObject): Promise<string>
  readonly hashOf: (token: string) => string
  /** The usual request of `web`; `undefined` leaves a field out. */
  bodyOf(subjectToken: string, fields?: Fields): Record<string, string | readonly string[]>
  ask(subjectToken: string, fields?: Fields, authorization?: string): Promise<ExchangeAnswer>
  events(userId?: string): Promise<readonly Event[]>
  refreshes(): number
}

export interface ConnectOptions {
  readonly name?: string
  /** Who it is at the provider; default: the person's name. */
  readonly subject?: string
  readonly label?: string
  readonly scopes?: readonly string[]
  readonly accessTokenSeconds?: number | undefined
  readonly refreshToken?: boolean
  readonly purpose?: Purpose
  readonly clientId?: string
}

export interface WorldOptions {
  readonly kind?: 'oauth2' | 'github'
  readonly provider?: ProviderOptions
  readonly connection?: JsonObject
  readonly settings?: JsonObject
}

const CONNECTION = 'con_work'
export const SCOPES = ['calendar.read', 'calendar.write']
const CLIENTS = ['web', 'agent', 'api']

export async function openWorld(database: Database, options: WorldOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-exchange-'))
  const { url, remove } = await createDatabase(database, folder)
  const storage = await openStorage({ url })
  const start = options.kind === 'github' ? startGithubProvider : startOAuth2Provider
  const provider = await start({ name: 'work', refresh: 'always', rotation: 'rotating', ...options.provider })
  const fetch = createSafeFetch({ allowedPrivateNetworks: ['127.0.0.0/8'] })
  const keyring = openKeyring({ source: `file:${join(folder, 'vault.key')}`, create: true, pollMs: 0 })
  const time = { skew: 0 }
  const clock = () => Math.floor(Date.now() / 1000) + time.skew
  const opened: (() => Promise<void>)[] = []
  after(async () => {
    provider.release()
    for (const end of opened) await end()
    keyring.close()
    await storage.close()
    await provider.stop()
    await fetch.close()
    await remove()
    rmSync(folder, { recursive: true, force: true })
  })
  await ensureSigningKeys({ storage, keyring, clock })
  const keys = await readSigningKeys({ storage, keyring, clock })

  const nodeOver = (own: Storage): Node & { readonly accessTokens: AccessTokens } => {
    const connectors = createConnectors({ fetch, clock })
    const connections = createConnectionReader({ keyring })
    const vault = createVault({
      storage: own,
      keyring,
      connectorFor: async (id) => {
        const connection = await connections.find(own, id)
        return connection && connectors.for(connection)
      },
      clock,
      settings: () => world.settings.vault,
      log: { info() {}, warn() {}, error() {} },
    })
    const accessTokens = createAccessTokens({ storage: own, clock, issuer: ISSUER, keys: () => keys })
    const settings = () => world.settings
    const approvals = { issuer: ISSUER, keyring, tenant: () => 'Acme' }
    const policies = createUsePolicy({ storage: own, approvals })
    const parts = {
      storage: own,
      clock,
      issuer: ISSUER,
      vault,
      connections,
      connectors,
      accessTokens,
      policies,
      settings,
    }
    opened.push(() => vault.stop())
    return { exchange: createExchange(parts), vault, storage: own, accessTokens }
  }

  const world: World = {
    ...nodeOver(storage),
    provider,
    keyring,
    secrets: Object.fromEntries(CLIENTS.map((id) => [id, randomToken(18)])),
    settings: parseSettings(options.settings ?? {}),
    time,
    clock,
    async node() {
      const own = await openStorage({ url })
      opened.push(() => own.close())
      return nodeOver(own)
    },
    addClient: (clientId, document = {}, secret) => addClient(storage, clientId, document, secret),
    async addPerson(name = randomToken(6), clientId = 'web') {
      const userId = `work|${name}`
      await addUser(storage, userId)
      const { token, grantId } = await world.issueRefreshToken(userId, clientId)
      return { userId, name, grantId, refreshToken: token }
    },
    async connectedPerson(how = {}) {
      const person = await world.addPerson(how.name, how.clientId)
      return { ...person, account: await world.connect(person, how) }
    },
    async connect(person, how = {}) {
      const { scopes = SCOPES, purpose = 'agents', subject = person.name, label = subject } = how
      provider.addUser(subject)
      const minted = provider.mint(subject, { scopes })
      const life = 'accessTokenSeconds' in how ? how.accessTokenSeconds : 3600
      const stored = await storage.transaction((tx) =>
        world.vault.store(tx, {
          userId: person.userId,
          connectionId: CONNECTION,
          subject,
          purpose,
          tokenset: {
            accessToken: minted.accessToken,
            refreshToken: how.refreshToken === false ? undefined : minted.refreshToken,
            tokenType: 'Bearer',
            accessExpiresAt: life === undefined ? undefined : clock() + life,
            refreshExpiresAt: undefined,
            scopes,
          },
          scopesAsked: scopes,
          label,
          clientId: how.clientId ?? 'web',
        }),
      )
      return world.account(stored.account.id)
    },
    async account(id) {
      const found = await storage.accounts.find(id)
      if (found === undefined) throw new Error(`no account ${id}`)
      return found
    },
    async issueRefreshToken(userId, clientId, over = {}) {
      const [token, grantId] = [randomToken(), randomToken(16)]
      const common = { userId, clientId, payload: {}, createdAt: clock(), expiresAt: clock() + 86_400 }
      const rest = { uid: undefined, consumedAt: undefined, successorEnvelope: undefined, identityKey: undefined }
      const both = { ...common, ...rest }
      await storage.transaction(async (tx) => {
        await tx.artifacts.put({ ...both, kind: 'Grant', idHash: grantId, grantId: undefined })
        await tx.artifacts.put({ ...both, kind: 'RefreshToken', idHash: sha256Hex(token), grantId, ...over })
      })
      return { token, grantId }
    },
    async issueAccessToken({ userId, grantId }, claims = {}) {
      const [privateJwk] = keys.privateJwks
      const [publicKey] = keys.publicKeys
      if (privateJwk === undefined || publicKey === undefined) throw new Error('no signing keys')
      const now = clock()
      return createJwtSigner({ kid: publicKey.kid, privateJwk }).sign({
        iss: ISSUER,
        sub: userId,
        aud: [API, `${ISSUER}userinfo`],
        azp: 'web',
        scope: 'openid read:things',
        iat: now,
        exp: now + 300,
        jti: `${grantId}.${randomToken(8)}`,
        ...claims,
      })
    },
    hashOf: sha256Hex,
    bodyOf: (subjectToken, fields = {}) =>
      withoutUndefined({
        grant_type: VAULT_GRANT,
        client_id: 'web',
        client_secret: world.secrets.web,
        subject_token: subjectToken,
        subject_token_type: REFRESH,
        requested_token_type: FEDERATED,
        connection: 'work',
        ...fields,
      }),
    ask: (subjectToken, fields, authorization) =>
      world.exchange.handle({ body: world.bodyOf(subjectToken, fields), authorization, requestId: 'req-1' }),
    events: (userId) =>
      storage.events.list({ types: ['vault.exchanged'], limit: 5000, ...(userId === undefined ? {} : { userId }) }),
    refreshes: () => provider.calls('refresh').length,
  }

  await furnish(world, options.connection)
  return world
}

const withoutUndefined = (fields: Fields): Record<string, string | readonly string[]> =>
  Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string | readonly string[]] => entry[1] !== undefined),
  )

async function createDatabase(database: Database, folder: string) {
  if (database === 'postgres') return createPostgresDatabase()
  const url = `sqlite:${join(folder, 'tenon.db')}`
  await migrate(url)
  return { url, remove: async () => {} }
}

async function furnish(world: World, more: JsonObject = {}): Promise<void> {
  for (const id of CLIENTS) await addClient(world.storage, id, CLIENT_DOCUMENTS[id], world.secrets[id])
  const { strategy, options } = world.provider.connection()
  // The kit gives a connection's options as JSON, loosely typed.
  const document: JsonObject = {
    connected_accounts: { active: true },
    ...more,
    options: { ...(options as JsonObject) },
  }
  const given = more.options
  const withOptions = { ...document, options: { ...(options as JsonObject), ...(given as JsonObject | undefined) } }
  const sealed = sealConnectionSecret(world.keyring, CONNECTION, withOptions)
  const now = world.clock()
  await world.storage.transaction(async (tx) => {
    await tx.connections.put({ id: CONNECTION, name: 'work', strategy, ...sealed, createdAt: now, updatedAt: now })
    for (const id of CLIENTS) await tx.connections.setClient(CONNECTION, id, true)
  })
}

const CLIENT_DOCUMENTS: Readonly<Record<string, JsonObject>> = {
  web: { grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT] },
  agent: { grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT, TOKEN_EXCHANGE_GRANT] },
  api: { app_type: 'resource_server', resource_server_identifier: API, grant_types: [VAULT_GRANT] },
}

async function addClient(
  storage: Storage,
  clientId: string,
  document: JsonObject = {},
  secret?: string,
): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const method = { token_endpoint_auth_method: 'client_secret_post' }
  await storage.transaction((tx) =>
    tx.clients.put({
      clientId,
      secretHash: secret === undefined ? undefined : sha256Hex(secret),
      document: { name: clientId, app_type: 'regular_web', ...method, ...document },
      createdAt: now,
      updatedAt: now,
    }),
  )
}

async function addUser(storage: Storage, userId: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const nothing = { email: undefined, lastLogin: undefined, lastIp: undefined }
  await storage.transaction(async (tx) => {
    await tx.users.claimId(userId)
    await tx.users.insert({
      ...nothing,
      userId,
      emailVerified: false,
      profile: {},
      userMetadata: {},
      appMetadata: {},
      blocked: false,
      createdAt: now,
      updatedAt: now,
      loginsCount: 0,
    })
  })
}

export interface AssertionKey {
  readonly pem: string
  readonly privateKey: KeyObject
}

export function newAssertionKey(): AssertionKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey }
}

/** A client assertion, right but for what is given. */
export function assertionOf(
  key: AssertionKey,
  clientId: string,
  claims: JsonObject = {},
  header: JsonObject = {},
): string {
  const now = Math.floor(Date.now() / 1000)
  const encode = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const usual = { iss: clientId, sub: clientId, aud: ISSUER, iat: now, exp: now + 60, jti: randomToken(12) }
  const input = `${encode({ alg: 'RS256', typ: 'JWT', ...header })}.${encode({ ...usual, ...claims })}`
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`
}

export const withAssertion = (assertion: string): Fields => ({
  client_id: undefined,
  client_secret: undefined,
  client_assertion: assertion,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
})
