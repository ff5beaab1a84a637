/** A vault over a real database and a provider of the kit, as many nodes as a test wants. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Provider, type ProviderOptions, startOAuth2Provider } from '@tenon/sdk/testing'
import { Client } from 'pg'
import { type Keyring, openKeyring } from '../../src/crypto/keyring.ts'
import type { Connection } from '../../src/domain/connection.ts'
import type { Event } from '../../src/domain/event.ts'
import type { StoredAccount, TokenSet } from '../../src/domain/tokenset.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Clock } from '../../src/lib/time.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { Connector, ConnectorTraits } from '../../src/upstream/connector.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { createSafeFetch } from '../../src/upstream/safe-fetch.ts'
import { createVault, type Vault } from '../../src/vault/vault.ts'

const postgresUrl = process.env.TENON_TEST_POSTGRES
export const DATABASES = postgresUrl === undefined ? (['sqlite'] as const) : (['sqlite', 'postgres'] as const)
export type Database = (typeof DATABASES)[number]

export const SCOPES = ['calendar.read', 'calendar.write']

export interface World {
  readonly url: string
  readonly storage: Storage
  readonly provider: Provider
  readonly keyring: Keyring
  readonly keyFile: string
  /** Seconds added to the clock of every node. */
  skew: number
  readonly clock: Clock
  refreshTimeoutSeconds: number
  traits: Partial<ConnectorTraits>
  /** Another node: its own vault over its own connections to the database. */
  node(options?: { readonly storage?: Storage; readonly keyring?: Keyring }): Promise<Vault>
  /** A user with one account, whose access token lives for so long. */
  connect(name: string, accessTokenSeconds?: number, options?: { refreshToken?: boolean }): Promise<StoredAccount>
  addUser(userId: string): Promise<void>
  account(id: string): Promise<StoredAccount>
  events(type?: string): Promise<readonly Event[]>
  refreshes(): number
}

export async function openWorld(database: Database, options: ProviderOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-vault-'))
  const url = database === 'postgres' ? await freshDatabase() : `sqlite:${join(folder, 'tenon.db')}`
  await migrate(url)
  const storage = await openStorage({ url })
  const provider = await startOAuth2Provider({ name: 'work', refresh: 'always', rotation: 'rotating', ...options })
  const fetch = createSafeFetch({ allowedPrivateNetworks: ['127.0.0.0/8'] })
  const keyFile = join(folder, 'keys', 'vault.key')
  const keyring = openKeyring({ source: `file:${keyFile}`, create: true, pollMs: 0 })
  const opened: { stop(): Promise<void>; close?: () => Promise<void> }[] = []
  const clock = () => Math.floor(Date.now() / 1000) + world.skew
  const connector = createConnectors({ fetch, clock }).for(connectionOf(provider))
  const world: World = {
    url,
    storage,
    provider,
    keyring,
    keyFile,
    skew: 0,
    clock,
    refreshTimeoutSeconds: 10,
    traits: {},
    async node(given = {}) {
      const own = given.storage ?? (await openStorage({ url }))
      const vault = createVault({
        storage: own,
        keyring: given.keyring ?? keyring,
        connectorFor: async (id) => (id === CONNECTION ? withTraits(connector, world.traits) : undefined),
        clock,
        settings: () => ({ refreshTimeoutSeconds: world.refreshTimeoutSeconds, refreshMarginSeconds: 60 }),
        log: SILENT,
      })
      opened.push({ stop: () => vault.stop(), ...(given.storage ? {} : { close: () => own.close() }) })
      return vault
    },
    async connect(name, accessTokenSeconds = 20, { refreshToken = true } = {}) {
      const userId = `work|${name}`
      provider.addUser(name)
      await world.addUser(userId)
      const minted = provider.mint(name, { scopes: SCOPES })
      const tokenset: TokenSet = {
        ...minted,
        refreshToken: refreshToken ? minted.refreshToken : undefined,
        tokenType: 'Bearer',
        accessExpiresAt: clock() + accessTokenSeconds,
        refreshExpiresAt: undefined,
        scopes: SCOPES,
      }
      const { account } = await store(storage, await world.node({ storage }), { userId, subject: name, tokenset })
      return world.account(account.id)
    },
    addUser: (userId) => addUser(storage, userId),
    async account(id) {
      const found = await storage.accounts.find(id)
      if (!found) throw new Error(`no account ${id}`)
      return found
    },
    events: (type) => storage.events.list({ limit: 1000, ...(type === undefined ? {} : { types: [type] }) }),
    refreshes: () => provider.calls('refresh').length,
  }
  after(async () => {
    provider.release()
    for (const one of opened) {
      await one.stop()
      await one.close?.()
    }
    await storage.close()
    await provider.stop()
    await fetch.close()
    rmSync(folder, { recursive: true })
  })
  return world
}

export const CONNECTION = 'con_work'

/** Tokens that the provider gives a person who allows it once more. */
export const mint = (world: World, name: string): TokenSet => ({
  ...world.provider.mint(name, { scopes: SCOPES }),
  tokenType: 'Bearer',
  accessExpiresAt: world.clock() + 3600,
  refreshExpiresAt: undefined,
  scopes: SCOPES,
})

export const store = (
  storage: Storage,
  vault: Vault,
  { userId, subject, tokenset }: { userId: string; subject: string; tokenset: TokenSet },
) =>
  storage.transaction((tx) =>
    vault.store(tx, {
      userId,
      connectionId: CONNECTION,
      subject,
      purpose: 'agents',
      tokenset,
      scopesAsked: SCOPES,
      label: subject,
      clientId: 'web',
    }),
  )

export async function addUser(storage: Storage, userId: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  await storage.transaction(async (tx) => {
    if (!(await tx.users.claimId(userId))) return
    await tx.users.insert({
      userId,
      email: undefined,
      emailVerified: false,
      profile: {},
      userMetadata: {},
      appMetadata: {},
      blocked: false,
      createdAt: now,
      updatedAt: now,
      lastLogin: undefined,
      lastIp: undefined,
      loginsCount: 0,
    })
  })
}

export async function eventually<T>(probe: () => Promise<T | undefined | false>, what: string, timeoutMs = 60_000) {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found) return found
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await sleep(50)
  }
}

const SILENT = { info() {}, warn() {}, error() {} }

function withTraits(connector: Connector, traits: Partial<ConnectorTraits>): Connector {
  return { ...connector, traits: { ...connector.traits, ...traits } }
}

export function connectionOf(provider: Provider): Connection {
  const { strategy, options } = provider.connection()
  return {
    id: CONNECTION,
    name: 'work',
    strategy,
    displayName: undefined,
    // The kit gives a connection's options as JSON, loosely typed.
    options: options as JsonObject,
    authenticationActive: true,
    connectedAccountsActive: true,
  }
}

async function freshDatabase(): Promise<string> {
  const name = `vault_${randomBytes(6).toString('hex')}`
  const client = new Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(postgresUrl ?? '')
  url.pathname = `/${name}`
  return url.href
}
