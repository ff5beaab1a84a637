// The journeys of the server over a database in memory. Two things stand for the world outside: the providers' answers, and
// the app that gets tokens at the end of a sign-in. The clock stands still.

import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import { createMailLimits, createSignInLimits } from '../../src/accounts/limits.ts'
import { createLinkNotices } from '../../src/accounts/link-notices.ts'
import { createOrigins } from '../../src/api/cors.ts'
import { createManagementApi } from '../../src/api/management/app.ts'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { createJwtSigner } from '../../src/crypto/jwt.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { createPasswords, type Passwords } from '../../src/crypto/passwords.ts'
import { generateSigningKey } from '../../src/crypto/signing-keys.ts'
import { parseSettings } from '../../src/domain/settings.ts'
import type { Mail } from '../../src/events/mail.ts'
import { openMail } from '../../src/events/mail-queue.ts'
import type { BrowserRequest } from '../../src/flows/browser-request.ts'
import type { FlowDeps } from '../../src/flows/deps.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createMinuteLimit } from '../../src/lib/minute-limit.ts'
import { createAccessTokens } from '../../src/oauth/access-tokens.ts'
import { MANAGEMENT_SCOPES } from '../../src/protocol/api-scopes.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { createConnectionReader } from '../../src/vault/connections.ts'
import { createVault } from '../../src/vault/vault.ts'
import { MemoryStorage, type Tables } from './memory-storage.ts'
import type { People, Place } from './people.ts'
import { providers } from './providers.ts'
import { SETTINGS, TENANT } from './tenant.ts'

export const ISSUER = 'https://tenon.test/'
const NOW = 1_800_000_000
const APP = 'spa'
const MACHINE = 'm2m'

export type Engine = Awaited<ReturnType<typeof createEngine>>

export async function createEngine() {
  const storage = new MemoryStorage()
  const clock = () => NOW
  const key = Buffer.alloc(32, 7).toString('base64')
  const keyring = openKeyring({ source: 'env:KEY', environment: { KEY: key } })
  const error = (...line: unknown[]) => errors.push(line)
  const log = { debug() {}, info() {}, warn() {}, error, fatal: error }
  const errors: unknown[] = []
  const settings = parseSettings(SETTINGS)
  const passwords = remembering(createPasswords())
  const connections = createConnectionReader({ keyring })
  const vault = createVault({
    storage,
    keyring,
    clock,
    log,
    connectorFor: async () => undefined,
    settings: () => settings.vault,
  })
  const signing = await generateSigningKey()
  const signer = createJwtSigner({ kid: signing.kid, privateJwk: signing.privateJwk })
  const accessTokens = createAccessTokens({
    storage,
    clock,
    issuer: ISSUER,
    keys: () => ({
      version: '1',
      privateJwks: [signing.privateJwk],
      publicKeys: [{ kid: signing.kid, publicJwk: signing.publicJwk }],
    }),
  })
  await applyTenant({ storage, keyring, clock, passwords, issuer: ISSUER }, parseTenantFile(TENANT, ISSUER))
  const limits = { storage, clock, enabled: () => false }
  const notifyLink = createLinkNotices({ issuer: ISSUER, keyring, tenant: () => settings.friendlyName })
  const deps: FlowDeps = {
    issuer: ISSUER,
    storage,
    clock,
    keyring,
    passwords,
    connectors: providers,
    sessions: createSessions({ storage, clock, limits: () => settings.sessions }),
    accessTokens,
    vault,
    connections,
    settings: () => settings,
    signInLimits: createSignInLimits(limits),
    mailLimits: createMailLimits(limits),
    notifyLink,
    log,
  }
  const management = createManagementApi({
    issuer: ISSUER,
    storage,
    clock,
    accessTokens,
    vault,
    keyring,
    passwords,
    linking: () => settings.linking,
    notify: notifyLink,
    allowedPrivateNetworks: [],
    limit: createMinuteLimit({ points: 1, enabled: () => false }),
    origins: createOrigins({ storage, clock }),
    log,
  })
  const sign = (claims: JsonObject) => signer.sign({ iss: ISSUER, iat: NOW, exp: NOW + 3600, ...claims })
  const connectionNames = new Map(
    (await storage.connections.list({ offset: 0, limit: 100 })).items.map(({ id, name }) => [id, name]),
  )

  return {
    deps,
    storage,
    connectionNames,
    /** What the server logged as its own failure. */
    errors,
    /** The password behind a hash. */
    passwordBehind: passwords.behind,

    async request(place: Place, people: People): Promise<BrowserRequest> {
      const secret = `the browser of the ${place}, as its cookie names it`
      const sessionCookie = people.sessions[place]?.cookie
      return {
        browser: { secret, hash: sha256Hex(secret), setCookie: undefined },
        session: await deps.sessions.find(sessionCookie),
        sessionCookie,
        ip: undefined,
      }
    },

    /** An access token of the app, under a grant that lives until it is ended. */
    appToken: (userId: string, grantId: string) =>
      sign({
        sub: userId,
        azp: APP,
        aud: `${ISSUER}api/v2/`,
        scope: 'update:current_user_identities delete:current_user_identities',
        jti: `${grantId}.1`,
      }),
    openGrant: (userId: string, grantId: string) =>
      storage.transaction((tx) => tx.artifacts.put(grantRow(userId, grantId))),
    idToken: (userId: string, authenticatedAt: number) => sign({ sub: userId, aud: APP, auth_time: authenticatedAt }),
    machineToken: () =>
      sign({
        sub: `${MACHINE}@clients`,
        azp: MACHINE,
        aud: `${ISSUER}api/v2/`,
        scope: MANAGEMENT_SCOPES.join(' '),
        gty: 'client-credentials',
        jti: 'machine',
      }),
    async manage(token: string, method: string, path: string, body?: JsonObject): Promise<number> {
      const response = await management.request(`${ISSUER}api/v2${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return response.status
    },

    /** Delivers what waits: nothing stays behind. */
    takeMails: (): readonly Mail[] =>
      storage.takeMails().map((row) => {
        // As `tx.mails.add` wrote it.
        const job = { id: String(row.id), envelope: row.envelope as Uint8Array }
        return openMail(keyring, job)
      }),

    /** Back to how things stood; what this process remembers of people goes as well. */
    goBack(tables: Tables): void {
      for (const { user_id: userId } of storage.last().users ?? []) vault.forgetUser(String(userId))
      storage.goBack(tables)
    },
    close: () => storage.close(),
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
    behind: (hash) => plain.get(hash),
  }
}

const grantRow = (userId: string, grantId: string) =>
  ({
    kind: 'Grant',
    idHash: grantId,
    uid: undefined,
    grantId,
    userId,
    clientId: APP,
    payload: { accountId: userId, clientId: APP },
    createdAt: NOW,
    expiresAt: NOW + 1_000_000,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }) as const
