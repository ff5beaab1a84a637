// The journeys of the server over a database in memory. Two things stand for the world outside: the providers' answers, and
// the app that gets tokens at the end of a sign-in. The clock stands still.

import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import { createCodeLimits, createMailLimits, createSignInLimits } from '../../src/accounts/limits.ts'
import { createLinkNotices } from '../../src/accounts/link-notices.ts'
import { createOrigins } from '../../src/api/cors.ts'
import { createManagementApi } from '../../src/api/management/app.ts'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { createPasswords, type Passwords } from '../../src/crypto/passwords.ts'
import { parseSettings } from '../../src/domain/settings.ts'
import type { Mail } from '../../src/events/mail.ts'
import { openMail } from '../../src/events/mail-queue.ts'
import type { BrowserRequest } from '../../src/flows/browser-request.ts'
import type { FlowDeps } from '../../src/flows/deps.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createMinuteLimit } from '../../src/lib/minute-limit.ts'
import { createAccessTokens } from '../../src/oauth/access-tokens.ts'
import { loadDpopNonces } from '../../src/oauth/dpop.ts'
import { createProofOfPossession } from '../../src/oauth/proof-of-possession.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { createConnectionReader } from '../../src/vault/connections.ts'
import { createVault } from '../../src/vault/vault.ts'
import { type App, createApp, ISSUER, manage, NOW } from './app.ts'
import { MemoryStorage, type Tables } from './memory-storage.ts'
import type { People, Place } from './people.ts'
import { providers } from './providers.ts'
import { SETTINGS, TENANT } from './tenant.ts'

export type Engine = Awaited<ReturnType<typeof createEngine>>

export async function createEngine() {
  const storage = new MemoryStorage()
  const app = await createApp(storage)
  const passwords = remembering(createPasswords())
  /** What the server logged as its own failure. */
  const errors: unknown[] = []
  const deps = createDeps(storage, app, passwords, (...line) => errors.push(line))
  await applyTenant(deps, parseTenantFile(TENANT, ISSUER))
  const management = createManagementApi({
    ...deps,
    linking: () => deps.settings().linking,
    notify: deps.notifyLink,
    settingsChanged: async () => {},
    allowedPrivateNetworks: [],
    possession: createProofOfPossession({ ...deps, nonces: await loadDpopNonces(Buffer.alloc(32, 5)) }),
    limit: createMinuteLimit({ points: 1, enabled: () => false }),
    origins: createOrigins(deps),
  })
  const connections = await storage.connections.list({ offset: 0, limit: 100 })
  return {
    deps,
    storage,
    app,
    errors,
    connectionNames: new Map(connections.items.map(({ id, name }) => [id, name])),
    passwordBehind: passwords.behind,
    manage: (call: { token: string; method: string; path: string; body?: JsonObject | undefined }) =>
      manage(management, call),

    async request(place: Place, people: People): Promise<BrowserRequest> {
      const secret = `the browser of the ${place}, as its cookie names it`
      const sessionCookie = people.sessions[place]?.cookie
      return {
        browser: { secret, hash: sha256Hex(secret), setCookie: undefined },
        session: await deps.sessions.find(sessionCookie),
        sessionCookie,
        ip: undefined,
        userAgent: undefined,
      }
    },

    /** Delivers what waits: nothing stays behind. */
    takeMails: (): readonly Mail[] =>
      storage.takeMails().map((row) => {
        // As `tx.mails.add` wrote it.
        const job = { id: String(row.id), envelope: row.envelope as Uint8Array }
        return openMail(deps.keyring, job)
      }),

    /** Back to how things stood; what this process remembers of people goes as well. */
    goBack(tables: Tables): void {
      for (const { user_id: userId } of storage.last().users ?? []) deps.vault.forgetUser(String(userId))
      storage.goBack(tables)
    },
    close: () => storage.close(),
  }
}

function createDeps(
  storage: MemoryStorage,
  app: App,
  passwords: Passwords,
  error: (...line: readonly unknown[]) => void,
): FlowDeps {
  const clock = () => NOW
  const settings = parseSettings(SETTINGS)
  const keyring = openKeyring({
    source: 'env:KEY',
    environment: { KEY: Buffer.alloc(32, 7).toString('base64') },
  })
  const log = { debug() {}, info() {}, warn() {}, error, fatal: error }
  const limits = { storage, clock, enabled: () => settings.rateLimitsEnabled }
  const connectorFor = async () => undefined
  return {
    issuer: ISSUER,
    storage,
    clock,
    keyring,
    passwords,
    connectors: providers,
    sessions: createSessions({ storage, clock, limits: () => settings.sessions }),
    accessTokens: createAccessTokens({ storage, clock, issuer: ISSUER, keys: () => app.keys }),
    vault: createVault({ storage, keyring, clock, log, connectorFor, settings: () => settings.vault }),
    connections: createConnectionReader({ keyring }),
    settings: () => settings,
    signInLimits: createSignInLimits(limits),
    mailLimits: createMailLimits(limits),
    codeLimits: createCodeLimits(limits),
    notifyLink: createLinkNotices({ issuer: ISSUER, keyring, tenant: () => settings.friendlyName }),
    keyedName: sha256Hex,
    log,
  }
}

/** Argon2 takes its time once for each password; what it said is said again. */
function remembering(passwords: Passwords): Passwords & { behind(hash: string): string | undefined } {
  const hashes = new Map<string, Promise<string>>()
  const verdicts = new Map<string, Promise<boolean>>()
  const plain = new Map<string, string>()
  return {
    async hash(password) {
      const known = hashes.get(password) ?? passwords.hash(password)
      hashes.set(password, known)
      plain.set(await known, password)
      return known
    },
    verify(hash, password) {
      const name = `${hash} ${password}`
      const known = verdicts.get(name) ?? passwords.verify(hash, password)
      verdicts.set(name, known)
      return known
    },
    adopt: (imported) => passwords.adopt(imported),
    /** The password that was hashed to this. */
    behind: (hash) => plain.get(hash),
  }
}
