// A database with people to be linked, and the transactions that are measured on it.
import { addIdentity } from '../src/accounts/add-identity.ts'
import { mergeUsers } from '../src/accounts/link.ts'
import { createLinkNotices } from '../src/accounts/link-notices.ts'
import { newLinkId } from '../src/accounts/link-record.ts'
import { transact } from '../src/accounts/transact.ts'
import { createUser } from '../src/accounts/users.ts'
import { randomToken } from '../src/crypto/hashing.ts'
import { type Keyring, openKeyring } from '../src/crypto/keyring.ts'
import { systemClock } from '../src/lib/time.ts'
import { migrate } from '../src/storage/migrate.ts'
import { openStorage } from '../src/storage/open.ts'
import type { ConnectionRecord } from '../src/storage/records.ts'
import type { Repositories, Storage } from '../src/storage/storage.ts'
import { createVault, type Vault } from '../src/vault/vault.ts'

export interface LinkingStage {
  /** Four rows inserted, and nothing read: those that a link leaves. */
  bare(): Promise<unknown>
  /** An identity that nobody has is added to a user, with its evidence, record and event. */
  link(): Promise<unknown>
  /** Two users become one; each has an identity, an address and a connected account, and both are told by mail. */
  merge(): Promise<unknown>
  close(): Promise<void>
}

interface Parts {
  readonly storage: Storage
  readonly vault: Vault
  readonly keyring: Keyring
  readonly connection: ConnectionRecord
}

/** Enough that none of them has many links. */
const LINKED_USERS = 500
const BATCH = 200
const POLICY = { metadata: 'keep_primary', undoDays: 30 } as const

export async function openLinkingStage(url: string, merges: number): Promise<LinkingStage> {
  await migrate(url)
  const storage = await openStorage({ url })
  const key = Buffer.alloc(32, 7).toString('base64')
  const keyring = openKeyring({ source: 'env:KEY', environment: { KEY: key } })
  const vault = createVault({
    storage,
    keyring,
    connectorFor: async () => undefined,
    clock: systemClock,
    settings: () => ({ refreshTimeoutSeconds: 10, refreshMarginSeconds: 60 }),
    log: { info() {}, warn() {}, error() {} },
  })
  const parts: Parts = { storage, vault, keyring, connection: await addConnection(storage) }
  const users = await addPeople(parts, LINKED_USERS)
  const [primaries, secondaries] = [await addPeople(parts, merges, 'mine'), await addPeople(parts, merges, 'other')]
  const notify = createLinkNotices({ issuer: 'https://bench.test/', keyring, tenant: () => 'Bench' })
  let [bare, linked, merged] = [0, 0, 0]
  return {
    bare: () => storage.transaction((tx) => insertFourRows(tx, parts, users[bare++ % users.length] ?? '')),
    link: () => storage.transaction((tx) => addIdentity(tx, newIdentity(parts, users[linked++ % users.length] ?? ''))),
    async merge() {
      const at = merged++
      const pair = { primaryUserId: primaries[at] ?? '', secondaryUserId: secondaries[at] ?? '' }
      const given = { ...pair, policy: POLICY, rule: 'management', proof: { by: 'scope' }, at: systemClock() }
      await transact(storage, (tx) => mergeUsers(tx, { vault, keyring, notify }, given))
    },
    async close() {
      keyring.close()
      await storage.close()
    },
  }
}

async function addConnection(storage: Storage): Promise<ConnectionRecord> {
  const now = systemClock()
  const document = { name: 'work', strategy: 'oidc' }
  const connection = {
    id: 'con_work',
    ...document,
    document,
    secretEnvelope: undefined,
    createdAt: now,
    updatedAt: now,
  }
  await storage.transaction((tx) => tx.connections.insert(connection))
  return connection
}

/** With a connected account when a label is given. */
async function addPeople(parts: Parts, count: number, label?: string): Promise<readonly string[]> {
  const userIds: string[] = []
  for (let done = 0; done < count; done += BATCH) {
    await parts.storage.transaction(async (tx) => {
      const batch = Array.from({ length: Math.min(BATCH, count - done) }, () => addPerson(tx, parts, label))
      userIds.push(...(await Promise.all(batch)))
    })
  }
  return userIds
}

async function addPerson(tx: Repositories, { vault, connection }: Parts, label: string | undefined): Promise<string> {
  const subject = randomToken(9)
  const email = `${subject.toLowerCase()}@bench.test`
  const said = { profileData: { name: subject, email, email_verified: true }, email, grade: 1 } as const
  const at = systemClock()
  const { userId } = await createUser(tx, { connection, subject, source: `connection:${connection.id}`, ...said, at })
  if (label === undefined) return userId
  await vault.store(tx, {
    userId,
    connectionId: connection.id,
    subject: `${label} ${subject}`,
    purpose: 'agents',
    tokenset: {
      accessToken: randomToken(40),
      refreshToken: randomToken(40),
      tokenType: 'Bearer',
      accessExpiresAt: at + 3600,
      refreshExpiresAt: undefined,
      scopes: ['read'],
    },
    scopesAsked: ['read'],
    label,
    clientId: 'agent',
  })
  return userId
}

const newIdentity = ({ connection }: Parts, userId: string) => {
  const subject = randomToken(9)
  const email = `${subject.toLowerCase()}@bench.test`
  const proof = { by: 'session', authenticated_at: systemClock(), amr: ['fed'] }
  return {
    userId,
    connectionId: connection.id,
    subject,
    profileData: { name: subject, email, email_verified: true },
    email,
    grade: 1,
    rule: 'account',
    proof,
    at: systemClock(),
  } as const
}

async function insertFourRows(tx: Repositories, parts: Parts, userId: string): Promise<void> {
  const { connectionId, subject, profileData, email, grade, rule, proof, at } = newIdentity(parts, userId)
  const link = { id: newLinkId(), secondaryUserId: undefined, clientId: undefined, actor: userId, planHash: '' }
  await tx.identities.insert({
    connectionId,
    subject,
    userId,
    position: 1,
    profileData,
    createdAt: at,
    lastLogin: undefined,
  })
  await tx.evidence.put({ userId, address: email, source: `connection:${connectionId}`, grade, saidAt: at })
  await tx.links.insert({
    ...link,
    primaryUserId: userId,
    identity: { connectionId, subject },
    rule,
    proof,
    plan: {},
    createdAt: at,
    undoUntil: at,
    undoneAt: undefined,
    undoneBy: undefined,
  })
  await tx.events.append({ type: 'identity.linked', at, outcome: 'ok', userId, connectionId, data: { subject, proof } })
}
