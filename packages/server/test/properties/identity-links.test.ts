// Adding, splitting off, joining and taking back, over a real database: in whatever order, no identity is lost or doubled.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { addIdentity } from '../../src/accounts/add-identity.ts'
import { mergeUsers } from '../../src/accounts/link.ts'
import { undoLink } from '../../src/accounts/link-undo.ts'
import { unlinkIdentity } from '../../src/accounts/unlink.ts'
import { identityUserId } from '../../src/domain/connection.ts'
import { Conflict, Forbidden, Invalid, NotFound } from '../../src/domain/errors.ts'
import { identityKeyOf } from '../../src/domain/identity-key.ts'
import type { Grade, Identity } from '../../src/domain/user.ts'
import { openWorld, type World } from '../api/world.ts'

const RUNS = Number(process.env.TENON_PROPERTY_RUNS ?? 60)
const POLICY = { metadata: 'keep_primary', undoDays: 30 } as const

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w.close())

const connection = fc.constantFrom('acme', 'files', 'code')
const arrival = fc.record({ connection, grade: fc.constantFrom<Grade>(0, 1, 2), hasAddress: fc.boolean() })
type Arrival = (typeof arrival)['generate'] extends (...given: never[]) => { value: infer A } ? A : never

let counter = 0
const person = async (): Promise<string> => (await w.person(`q${counter++}`)).userId

/** An identity that nobody has, with an address of its own. */
async function add(userId: string, { connection: name, grade, hasAddress }: Arrival) {
  const { id: connectionId } = await w.connection(name)
  const subject = `q${counter++}`
  const email = hasAddress ? `${subject}@${name}.test` : undefined
  const added = await w.storage.transaction((tx) =>
    addIdentity(tx, {
      userId,
      connectionId,
      subject,
      profileData: { name: subject, ...(email === undefined ? {} : { email }) },
      email,
      grade,
      rule: 'account',
      proof: {},
      at: w.clock(),
    }),
  )
  assert.ok(added.kind === 'linked')
  return added
}

const deps = () => ({ vault: w.vault, keyring: w.keyring, notify: async () => {} })
const undo = (linkId: string, keepChanges = false) =>
  w.storage.transaction((tx) => undoLink(tx, deps(), { linkId, at: w.clock(), keepChanges }))
const merge = (primaryUserId: string, secondaryUserId: string) =>
  w.storage.transaction((tx) =>
    mergeUsers(tx, deps(), {
      primaryUserId,
      secondaryUserId,
      policy: POLICY,
      rule: 'management',
      proof: {},
      at: w.clock(),
    }),
  )

/** A user without dates and counts. */
async function shown(userId: string) {
  const user = await w.storage.users.find(userId)
  const evidence = await w.storage.evidence.listOfUser(userId)
  return {
    profile: user?.profile,
    email: [user?.email, user?.emailVerified],
    identities: (await w.storage.identities.listOfUser(userId)).map((one) => identityKeyOf(one)).sort(),
    evidence: evidence.map(({ address, source, grade }) => `${address} ${source} ${grade}`).sort(),
  }
}

test('adding identities and taking the links back, in any order, leaves the user as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 4 }), fc.nat(), async (arrivals, turn) => {
      const userId = await person()
      const before = await shown(userId)
      const links: string[] = []
      for (const one of arrivals) links.push((await add(userId, one)).linkId)
      assert.equal((await shown(userId)).identities.length, 1 + arrivals.length)
      const start = turn % links.length
      for (const linkId of [...links.slice(start), ...links.slice(0, start)]) await undo(linkId)
      assert.deepEqual(await shown(userId), before)
    }),
    { numRuns: RUNS },
  )
})

test('what a link brings never changes the address, the name or the verified flag of the user', async () => {
  await fc.assert(
    fc.asyncProperty(arrival, async (one) => {
      const userId = await person()
      const { profile, email } = await shown(userId)
      await add(userId, one)
      const after = await shown(userId)
      assert.deepEqual({ profile: after.profile, email: after.email }, { profile, email })
    }),
    { numRuns: RUNS },
  )
})

test('the order in which two identities are added does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(arrival, arrival, async (a, b) => {
      const results: string[] = []
      for (const order of [
        [a, b],
        [b, a],
      ] as const) {
        const userId = await person()
        for (const one of order) await add(userId, one)
        results.push(anonymous(await shown(userId)))
      }
      assert.equal(results[0], results[1])
    }),
    { numRuns: RUNS },
  )
})

/** Names of this file's own people and subjects count as one, and then the order of what is alike. */
function anonymous({ profile, email, identities, evidence }: Awaited<ReturnType<typeof shown>>): string {
  const unnamed = (list: readonly string[]) => list.map((text) => text.replaceAll(/\bq\d+/g, 'q')).sort()
  const root = JSON.stringify([profile, email]).replaceAll(/\bq\d+/g, 'q')
  return JSON.stringify([root, unnamed(identities), unnamed(evidence)])
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), user: fc.nat(2), arrival }),
  fc.record({ kind: fc.constant('split' as const), user: fc.nat(2), at: fc.nat(5) }),
  fc.record({ kind: fc.constant('merge' as const), user: fc.nat(2), other: fc.nat(2) }),
  fc.record({ kind: fc.constant('undo' as const), at: fc.nat(9), keepChanges: fc.boolean() }),
)
type Step = (typeof step)['generate'] extends (...given: never[]) => { value: infer S } ? S : never

/** Refusals are good answers: nothing has happened then. */
const refused = (error: unknown): undefined => {
  const isRefusal = [Conflict, Forbidden, Invalid, NotFound].some((kind) => error instanceof kind)
  if (!isRefusal) throw error
}

interface History {
  readonly users: string[]
  /** Keys of all identities that were ever made, but for those that an undoing took away. */
  readonly identities: Set<string>
  readonly links: { readonly id: string; readonly added: string | undefined }[]
}

async function take(history: History, one: Step): Promise<void> {
  const userAt = (index: number) => history.users[index % history.users.length] ?? ''
  if (one.kind === 'add') {
    const added = await add(userAt(one.user), one.arrival).catch(refused)
    if (added === undefined) return
    const key = identityKeyOf(added.identity)
    history.identities.add(key)
    history.links.push({ id: added.linkId, added: key })
  } else if (one.kind === 'merge') {
    const merged = await merge(userAt(one.user), userAt(one.other)).catch(refused)
    if (merged !== undefined) history.links.push({ id: merged.link.id, added: undefined })
  } else if (one.kind === 'undo') {
    const link = history.links[one.at % Math.max(1, history.links.length)]
    const undone = link && (await undo(link.id, one.keepChanges).catch(refused))
    if (undone !== undefined && link?.added !== undefined) history.identities.delete(link.added)
  } else await split(history, userAt(one.user), one.at)
}

async function split(history: History, userId: string, at: number): Promise<void> {
  // The first one stays; that it does is refused, which is looked at as well.
  const identities = await w.storage.identities.listOfUser(userId)
  const identity: Identity | undefined = identities.at(-1 - (at % Math.max(1, identities.length)))
  const record = identity && (await w.storage.connections.find(identity.connectionId))
  if (identity === undefined || record === undefined) return
  const name = { provider: record.strategy, identityUserId: identityUserId(record, identity.subject) }
  const made = await w.storage
    .transaction((tx) => unlinkIdentity(tx, w.vault, { userId, ...name, at: w.clock() }))
    .catch(refused)
  if (made !== undefined) history.users.push(made.standaloneUserId)
}

test('whatever is added, split off, joined and taken back: each identity is one user’s, who is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const users = [await person(), await person(), await person()]
      const first = await w.storage.identities.listOfUsers(users)
      const history: History = { users, identities: new Set(first.map((one) => identityKeyOf(one))), links: [] }
      for (const one of steps) {
        w.wait(1)
        await take(history, one)
        const found = await w.storage.identities.listOfUsers(history.users)
        const keys = found.map((identity) => identityKeyOf(identity))
        assert.deepEqual([...keys].sort(), [...history.identities].sort())
        for (const { userId } of found) assert.ok((await w.storage.users.find(userId)) !== undefined)
      }
    }),
    { numRuns: RUNS },
  )
})
