// Random people with everything that a person can have here, and how each of them comes into a world.
import fc from 'fast-check'
import type { Health } from '../../src/domain/tokenset.ts'
import type { Grade } from '../../src/domain/user.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Repositories } from '../../src/storage/storage.ts'
import type { World } from '../api/world.ts'
import { PASSWORDS } from '../support/tenant.ts'

const word = fc.constantFrom('a', 'b', 'c', 'd')
const metadata = fc.dictionary(
  word,
  fc.oneof(fc.integer(), fc.constant(null), fc.array(word, { maxLength: 2 }), fc.dictionary(word, fc.nat(3))),
  { maxKeys: 3 },
)
const account = fc.record({
  // Of a few upstream accounts, so that several people have the same.
  connection: fc.constantFrom('acme', 'code'),
  subject: fc.constantFrom('x', 'y'),
  purpose: fc.constantFrom('agents' as const, 'sign_in' as const),
  isDefault: fc.boolean(),
  wait: fc.integer({ min: 1, max: 3 }),
  hasRefreshToken: fc.boolean(),
  scopes: fc.subarray(['read', 'write', 'share']),
  label: fc.option(word, { nil: undefined }),
  isUsed: fc.boolean(),
  health: fc.constantFrom<Health>('ok', 'ok', 'expiring', 'reconnect_required'),
})
export const person = fc.record({
  connections: fc.array(fc.constantFrom('acme', 'files', 'code'), { minLength: 1, maxLength: 3 }),
  hasPassword: fc.boolean(),
  profile: fc.record({ name: word, nickname: word, picture: fc.webUrl() }, { requiredKeys: [] }),
  logins: fc.nat(9),
  accounts: fc.uniqueArray(account, {
    maxLength: 4,
    selector: ({ connection, subject, purpose }) => `${connection} ${subject} ${purpose}`,
  }),
  evidence: fc.uniqueArray(
    fc.record({
      address: word.map((local) => `${local}@shared.test`),
      source: fc.constantFrom('mail', 'operator', 'self'),
      grade: fc.constantFrom<Grade>(0, 1, 2, 3),
      saidAt: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 4, selector: ({ address, source }) => `${address} ${source}` },
  ),
  stops: fc.subarray(['web', 'spa', 'theirs']),
  grants: fc.subarray(['web', 'spa', 'theirs']),
  userMetadata: metadata,
  appMetadata: metadata,
})
export type Person = (typeof person)['generate'] extends (...given: never[]) => { value: infer P } ? P : never

let counter = 0

/** The number that the next person is named by. */
export const nextNumber = (): number => counter

export async function makePerson(w: World, given: Person): Promise<string> {
  const name = `p${counter++}`
  const [first = 'acme', ...others] = given.connections
  const { userId } = await w.person(name, { connection: first, subject: name })
  for (const [index, connection] of others.entries())
    await addIdentity(w, { userId, connection, subject: `${name}-${index}`, position: index + 1 })
  if (given.hasPassword) await addPassword(w, { userId, name, position: others.length + 1 })
  for (const one of given.accounts) await addAccount(w, userId, one)
  for (const clientId of given.grants) await w.userToken(userId, { clientId })
  await w.storage.transaction(async (tx) => {
    for (const one of given.evidence) await tx.evidence.put({ userId, ...one })
    for (const clientId of given.stops) await tx.agentStops.put(userId, clientId, w.clock())
    await describe(tx, userId, given)
  })
  return userId
}

interface Place {
  readonly userId: string
  readonly connection: string
  readonly subject: string
  readonly position: number
}

async function addIdentity(w: World, { userId, connection, subject, position }: Place): Promise<void> {
  const { id: connectionId } = await w.connection(connection)
  const profileData = { name: subject }
  const identity = { connectionId, subject, userId, position, profileData, createdAt: w.clock(), lastLogin: undefined }
  await w.storage.transaction((tx) => tx.identities.insert(identity))
}

async function addPassword(w: World, { userId, name, position }: { userId: string; name: string; position: number }) {
  const { id: connectionId } = await w.connection(PASSWORDS)
  const password = { connectionId, subject: name, address: `${name}@password.test`, hash: `hash of ${name}` }
  await addIdentity(w, { userId, connection: PASSWORDS, subject: name, position })
  await w.storage.transaction((tx) => tx.passwords.insert({ ...password, changedAt: w.clock() }))
}

/** Every token is one of a kind: two that changed places would be seen. */
async function addAccount(w: World, userId: string, given: Person['accounts'][number]): Promise<void> {
  const { connection, subject, purpose, scopes, label, health } = given
  const { id: connectionId } = await w.connection(connection)
  w.wait(given.wait)
  const number = counter++
  await w.storage.transaction(async (tx) => {
    const tokenset = {
      accessToken: `access ${number}`,
      refreshToken: given.hasRefreshToken ? `refresh ${number}` : undefined,
      tokenType: 'Bearer',
      accessExpiresAt: w.clock() + 1_000_000,
      refreshExpiresAt: given.hasRefreshToken ? w.clock() + 2_000_000 : undefined,
      scopes,
    }
    const { account } = await w.vault.store(tx, {
      userId,
      connectionId,
      subject,
      purpose,
      tokenset,
      scopesAsked: ['read'],
      label: subject,
      ...(purpose === 'agents' ? { clientId: 'web' } : {}),
      extras: { number },
    })
    if (label !== undefined) await tx.accounts.setLabel(account.id, userId, label)
    if (given.isDefault) await tx.accounts.setDefault(account.id, userId)
    if (given.isUsed) await tx.accounts.setUse(account.id, w.clock())
    if (health !== 'ok') await tx.accounts.setHealth(account.id, health, 'as generated', account.generation)
  })
}

async function describe(tx: Repositories, userId: string, given: Person): Promise<void> {
  const user = await tx.users.find(userId)
  if (user === undefined) return
  // Dictionaries of the generator are JSON.
  const documents = { userMetadata: given.userMetadata as JsonObject, appMetadata: given.appMetadata as JsonObject }
  const profile = { ...user.profile, ...given.profile }
  await tx.users.replace({ ...user, ...documents, profile, loginsCount: given.logins })
}
