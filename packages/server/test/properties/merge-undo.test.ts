// Merging and undoing, over a real database: random people, and nothing of them is lost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { mergeUsers, previewMerge } from '../../src/accounts/link.ts'
import { undoLink } from '../../src/accounts/link-undo.ts'
import { identityKeyOf } from '../../src/domain/identity-key.ts'
import type { Grade } from '../../src/domain/user.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { openWorld, path, type World } from '../api/world.ts'

const word = fc.constantFrom('a', 'b', 'c', 'd')
const metadata = fc.dictionary(
  word,
  fc.oneof(fc.integer(), fc.constant(null), fc.array(word, { maxLength: 2 }), fc.dictionary(word, fc.nat(3))),
  { maxKeys: 3 },
)
const person = fc.record({
  connections: fc.array(fc.constantFrom('acme', 'files', 'code'), { minLength: 1, maxLength: 3 }),
  // Of a few upstream accounts, so that several people have the same.
  accounts: fc.uniqueArray(
    fc.record({
      connection: fc.constantFrom('acme', 'code'),
      subject: fc.constantFrom('x', 'y'),
      purpose: fc.constantFrom('agents', 'sign_in'),
      isDefault: fc.boolean(),
      wait: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 4, selector: ({ connection, subject, purpose }) => `${connection} ${subject} ${purpose}` },
  ),
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
  userMetadata: metadata,
  appMetadata: metadata,
})
type Person = (typeof person)['generate'] extends (...given: never[]) => { value: infer P } ? P : never

const RUNS = Number(process.env.TENON_PROPERTY_RUNS ?? 60)

let worlds: { readonly keep_primary: World; readonly deep_merge: World }
before(async () => {
  worlds = { keep_primary: await openWorld(), deep_merge: await openWorld() }
})
after(async () => {
  await worlds.keep_primary.close()
  await worlds.deep_merge.close()
})

let counter = 0
async function make(w: World, given: Person): Promise<string> {
  const name = `p${counter++}`
  const [first = 'acme', ...others] = given.connections
  const { userId } = await w.person(name, { connection: first, subject: name })
  for (const [index, connection] of others.entries()) {
    const subject = `${name}-${index}`
    const { id: connectionId } = await w.connection(connection)
    const identity = { connectionId, subject, userId, position: index + 1, profileData: { name: subject } }
    await w.storage.transaction((tx) =>
      tx.identities.insert({ ...identity, createdAt: w.clock(), lastLogin: undefined }),
    )
  }
  for (const { connection, subject, purpose, isDefault, wait } of given.accounts) {
    w.wait(wait)
    const { id } = await w.account(userId, connection, subject, { purpose })
    if (isDefault) await w.storage.transaction((tx) => tx.accounts.setDefault(id, userId))
  }
  await w.storage.transaction(async (tx) => {
    for (const one of given.evidence) await tx.evidence.put({ userId, ...one })
    for (const clientId of given.stops) await tx.agentStops.put(userId, clientId, w.clock())
    const user = await tx.users.find(userId)
    // Dictionaries of the generator are JSON.
    const documents = { userMetadata: given.userMetadata as JsonObject, appMetadata: given.appMetadata as JsonObject }
    if (user !== undefined) await tx.users.replace({ ...user, ...documents })
  })
  return userId
}

/** What an export would hold; of accounts without what each write raises, and without the tokens that a merge revoked. */
async function exported(w: World, userId: string, revoked: ReadonlySet<string>) {
  const accounts = await w.storage.accounts.listOfUser(userId)
  return JSON.stringify({
    user: (await w.management(w.machineToken(), 'GET', path(userId))).json,
    identities: await w.storage.identities.listOfUser(userId),
    evidence: await w.storage.evidence.listOfUser(userId),
    stops: [...(await w.storage.agentStops.listOfUser(userId))].sort(),
    accounts: await Promise.all(
      accounts.map(async ({ generation: _, ...one }) => {
        const { id, label, connectionId, subject, purpose, isDefault, scopesGranted } = one
        if (revoked.has(id)) return { id, label, connectionId, subject, purpose, isDefault, scopesGranted }
        return { ...one, token: await w.accessToken(id) }
      }),
    ),
  })
}

const merge = (
  w: World,
  metadataPolicy: 'keep_primary' | 'deep_merge',
  primaryUserId: string,
  secondaryUserId: string,
) =>
  w.storage.transaction((tx) =>
    mergeUsers(
      tx,
      { vault: w.vault, keyring: w.keyring, notify: async () => {} },
      {
        primaryUserId,
        secondaryUserId,
        policy: { metadata: metadataPolicy, undoDays: 30 },
        rule: 'management',
        proof: {},
        at: w.clock(),
      },
    ),
  )

const undo = (w: World, linkId: string) =>
  w.storage.transaction((tx) =>
    undoLink(tx, { vault: w.vault, keyring: w.keyring, notify: async () => {} }, { linkId, at: w.clock() }),
  )

const droppedBy = ({ plan }: { plan: { accounts: readonly { id: string; outcome: string }[] } }) =>
  new Set(plan.accounts.filter(({ outcome }) => outcome === 'dropped').map(({ id }) => id))

for (const policy of ['keep_primary', 'deep_merge'] as const) {
  test(`merge, then undo, returns a byte-equal export of both users (${policy})`, async () => {
    await fc.assert(
      fc.asyncProperty(person, person, async (a, b) => {
        const w = worlds[policy]
        const ids = [await make(w, a), await make(w, b)] as const
        const revoked = droppedBy(
          await previewMerge(w.storage, {
            primaryUserId: ids[0],
            secondaryUserId: ids[1],
            policy: { metadata: policy },
          }),
        )
        const before = await Promise.all(ids.map((id) => exported(w, id, revoked)))
        w.wait(7)
        const { link } = await merge(w, policy, ...ids)
        w.wait(7)
        const { conflicts } = await undo(w, link.id)
        assert.deepEqual(conflicts, [])
        assert.deepEqual(await Promise.all(ids.map((id) => exported(w, id, revoked))), before)
      }),
      { numRuns: RUNS },
    )
  })
}

test('identities and upstream accounts are conserved by merges, chained and side by side, and by their undoing', async () => {
  await fc.assert(
    fc.asyncProperty(person, person, person, fc.boolean(), async (a, b, c, chained) => {
      const w = worlds.keep_primary
      const ids = [await make(w, a), await make(w, b), await make(w, c)] as const
      const identities = async () =>
        (await w.storage.identities.listOfUsers(ids)).map((one) => identityKeyOf(one)).sort()
      const upstream = async () => {
        const accounts = await Promise.all(ids.map((id) => w.storage.accounts.listOfUser(id)))
        return new Set(accounts.flat().map((one) => `${identityKeyOf(one)} ${one.purpose}`))
      }
      const before = { identities: await identities(), upstream: await upstream() }
      const links = chained
        ? [await merge(w, 'keep_primary', ids[1], ids[2]), await merge(w, 'keep_primary', ids[0], ids[1])]
        : [await merge(w, 'keep_primary', ids[0], ids[1]), await merge(w, 'keep_primary', ids[0], ids[2])]
      assert.deepEqual({ identities: await identities(), upstream: await upstream() }, before)
      for (const { link } of links.toReversed()) {
        w.wait(1)
        await undo(w, link.id)
        assert.deepEqual({ identities: await identities(), upstream: await upstream() }, before)
      }
    }),
    { numRuns: RUNS },
  )
})

test('the order of two links does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(person, person, person, async (a, b, c) => {
      const w = worlds.keep_primary
      const results: string[] = []
      for (const order of [
        [1, 2],
        [2, 1],
      ] as const) {
        const from = counter
        const made = [await make(w, a), await make(w, b), await make(w, c)] as const
        for (const index of order) await merge(w, 'keep_primary', made[0], made[index])
        results.push(await shape(w, made[0], from))
      }
      assert.equal(results[0], results[1])
    }),
    { numRuns: RUNS },
  )
})

/** What remains, without the order in which it came and with names counted from the first of the three. */
async function shape(w: World, userId: string, from: number): Promise<string> {
  const user = await w.storage.users.find(userId)
  const accounts = await w.storage.accounts.listOfUser(userId)
  const text = JSON.stringify({
    profile: user?.profile,
    metadata: [user?.userMetadata, user?.appMetadata],
    email: [user?.email, user?.emailVerified],
    identities: (await w.storage.identities.listOfUser(userId)).map((one) => identityKeyOf(one)).sort(),
    accounts: accounts.map((one) => `${identityKeyOf(one)} ${one.purpose}`).sort(),
    evidence: (await w.storage.evidence.listOfUser(userId)).map((one) => [one.address, one.source, one.grade]).sort(),
    stops: [...(await w.storage.agentStops.listOfUser(userId)).keys()].sort(),
  })
  return [0, 1, 2].reduce(
    (done, index) => done.replaceAll(new RegExp(`\\bp${from + index}\\b`, 'g'), `n${index}`),
    text,
  )
}
