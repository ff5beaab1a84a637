// The search over users, as the database answers it, against reading every user as the API shows them: the same users are
// found by random searches, on both databases.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../../src/lib/json.ts'
import { openWorld, type World } from '../api/world.ts'
import { databases } from '../attacks/databases.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import { holds, type Query, textOf } from './search-oracle.ts'

const RUNS = process.env.TENON_TEST_LONG === undefined ? 60 : 3000
const USERS = 40

const words = [
  'Ada',
  'ada',
  'ADA',
  'Ada Lovelace',
  'a',
  'émile',
  'Émile',
  'x*y',
  'a"b',
  '100%',
  'a_b',
  '[a]',
  '5',
  'true',
]
const word = fc.constantFrom(...words)
const scalar = fc.oneof(word, fc.constantFrom<JsonValue>(5, 5.5, -1, 0, true, false, null, 'gold', '2030-01-01'))
const tree: fc.Arbitrary<JsonValue> = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('plan', 'tags', 'a b'), tie('tree'), { maxKeys: 3 }),
  ),
})).tree
const metadata = fc.dictionary(fc.constantFrom('plan', 'tags', 'seats'), tree, {
  maxKeys: 3,
}) as fc.Arbitrary<JsonObject>
const instant = fc.constantFrom(1_800_000_000, 1_800_000_059, 1_800_086_400, 1_802_000_000, 1_830_000_000)

const person = fc.record({
  name: fc.option(word, { nil: undefined }),
  nickname: fc.option(word, { nil: undefined }),
  email: fc.option(fc.constantFrom('ada@example.test', 'Ada@Example.test', 'bob@corp.test', 'a%b@x_y.test'), {
    nil: undefined,
  }),
  verified: fc.boolean(),
  blocked: fc.boolean(),
  logins: fc.constantFrom(0, 1, 5, 10),
  createdAt: instant,
  lastLogin: fc.option(instant, { nil: undefined }),
  userMetadata: metadata,
  appMetadata: metadata,
  identities: fc.uniqueArray(fc.constantFrom('acme', 'files', 'code', 'code-two'), { minLength: 1, maxLength: 3 }),
  profileData: metadata,
})

const textFields = ['email', 'name', 'nickname', 'user_id', 'email.domain', 'last_ip'] as const
const value = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    text: fc.oneof(word, fc.constantFrom('ada@example.test', 'corp.test')),
  }),
  fc.record({
    kind: fc.constant('range' as const),
    from: fc.option(word),
    to: fc.option(word),
    open: fc.boolean(),
    closed: fc.boolean(),
  }),
  fc.constant({ kind: 'exists' as const }),
)
const wildcard = fc.record({
  kind: fc.constant('wildcard' as const),
  parts: fc.constantFrom(['a', ''], ['A', 'e'], ['', 'example.test'], ['a', 'example', ''], ['', 'lace']),
})
const when = fc.record({
  kind: fc.constant('when' as const),
  from: fc.option(fc.constantFrom('2027', '2027-01', '2027-01-15', '2027-01-15T08:00', '2027-01-15T08:00:00Z')),
  to: fc.option(fc.constantFrom('2027', '2027-02', '2027-01-16', '2027-01-15T09:00:59+01:00')),
  open: fc.boolean(),
  closed: fc.boolean(),
})
const path = fc.array(fc.constantFrom('plan', 'tags', 'seats', 'a b'), { minLength: 1, maxLength: 3 })
const leaf: fc.Arbitrary<Query> = fc.oneof(
  fc.record({
    field: fc.constantFrom(...textFields).map((field) => field.split('.')),
    value: fc.oneof(value, wildcard),
  }),
  fc.record({ field: fc.constantFrom(['created_at'], ['last_login']), value: when }),
  fc.record({
    field: fc.constant(['logins_count']),
    value: fc.record({
      kind: fc.constant('number' as const),
      from: fc.option(fc.constantFrom(0, 1, 5)),
      to: fc.option(fc.constantFrom(1, 5, 10)),
      open: fc.boolean(),
      closed: fc.boolean(),
    }),
  }),
  fc.record({
    field: fc.constantFrom(['blocked'], ['email_verified']),
    value: fc.constantFrom('true', 'false', 'perhaps').map((text) => ({ kind: 'flag' as const, text })),
  }),
  fc.record({ field: path.map((rest) => ['user_metadata', ...rest]), value }),
  fc.record({ field: path.map((rest) => ['app_metadata', ...rest]), value: fc.oneof(value, wildcard) }),
  fc.record({ field: path.map((rest) => ['identities', 'profileData', ...rest]), value }),
  fc.record({
    field: fc.constantFrom(['identities', 'connection'], ['identities', 'provider'], ['identities', 'user_id']),
    value: fc
      .constantFrom('acme', 'code', 'oidc', 'github', 'acme|s1', 's1', 's2')
      .map((text) => ({ kind: 'text' as const, text })),
  }),
)
const query: fc.Arbitrary<Query> = fc.letrec<{ query: Query }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie('query'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('query'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('query') }),
  ),
})).query

for (const database of databases) {
  describe(`search over users (${database})`, () => {
    let w: World
    let shown: readonly JsonObject[]
    const find = async (q: string, more = '') =>
      w.management(w.machineToken(['read:users']), 'GET', `/users?per_page=100&q=${encodeURIComponent(q)}${more}`)

    before(async () => {
      w = await openWorld(database === 'postgres' ? { database: await createEmptyDatabase() } : {})
      const people = fc.sample(person, { numRuns: USERS, seed: 20_261 })
      for (const [at, one] of people.entries()) await insert(w, one, at)
      shown = (await find('')).json
      assert.equal(shown.length, USERS)
    })
    after(() => w.close())

    test('a random search finds the users for whom it holds, and no others', async () => {
      await fc.assert(
        fc.asyncProperty(query, async (asked) => {
          const { status, json } = await find(textOf(asked))
          assert.equal(status, 200, `${textOf(asked)}: ${JSON.stringify(json)}`)
          const expected = shown.filter((user) => holds(asked, user)).map((user) => user.user_id)
          assert.deepEqual(
            json.map((user: JsonObject) => user.user_id),
            expected,
            textOf(asked),
          )
        }),
        { numRuns: RUNS },
      )
      assert.deepEqual(w.errors, [])
    })

    test('rubbish is refused, and never reaches the database as text', async () => {
      const rubbish = fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc
          .array(fc.constantFrom('(', ')', 'name:', 'AND', 'NOT', '"', '\\', '*', '[', ' TO ', '}', 'a', ' ', ':'), {
            maxLength: 20,
          })
          .map((parts) => parts.join('')),
      )
      await fc.assert(
        fc.asyncProperty(rubbish, async (q) => {
          const { status, json } = await find(q)
          assert.ok(status === 200 || json.errorCode === 'invalid_query_string', `${q}: ${status}`)
        }),
        { numRuns: RUNS },
      )
      assert.deepEqual(w.errors, [])
    })

    test('a document that one database could not read is passed over', async () => {
      await insert(
        w,
        { ...(fc.sample(person, { numRuns: 1, seed: 1 })[0] ?? raise()), appMetadata: { odd: '\u0000 \ud800' } },
        900,
      )
      assert.equal((await find('app_metadata.odd:x')).status, 200)
      await w.storage.transaction((tx) => tx.users.delete('oidc|acme|s900'))
    })
  })
}

type Person = typeof person extends fc.Arbitrary<infer P> ? P : never

async function insert(w: World, one: Person, at: number): Promise<void> {
  const userId = `oidc|acme|s${at}`
  const connections = await Promise.all(one.identities.map((name) => w.connection(name)))
  await w.storage.transaction(async (tx) => {
    await tx.users.claimId(userId)
    await tx.users.insert({
      userId,
      email: one.email,
      emailVerified: one.verified,
      profile: {
        ...(one.name !== undefined && { name: one.name }),
        ...(one.nickname !== undefined && { nickname: one.nickname }),
      },
      userMetadata: one.userMetadata,
      appMetadata: one.appMetadata,
      blocked: one.blocked,
      createdAt: one.createdAt,
      updatedAt: one.createdAt,
      lastLogin: one.lastLogin,
      lastIp: one.logins > 1 ? '203.0.113.7' : undefined,
      loginsCount: one.logins,
    })
    for (const [position, { id: connectionId }] of connections.entries())
      await tx.identities.insert({
        connectionId,
        subject: `s${at}`,
        userId,
        position,
        profileData: one.profileData,
        createdAt: one.createdAt,
        lastLogin: undefined,
      })
  })
}

function raise(): never {
  throw new Error('no sample')
}
