// Users in, out, and in again: over real databases, by the functions that the commands and the API call.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { type ImportOptions, importUsers } from '../../src/accounts/import-users.ts'
import { removeIdentity } from '../../src/accounts/unlink.ts'
import { exportUsers } from '../../src/api/management/export-users.ts'
import { createPasswords } from '../../src/crypto/passwords.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { jsonRows } from '../../src/lib/json-rows.ts'
import { openWorld, TENANT, type World } from '../api/world.ts'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'

const PASSWORDS = 'Username-Password-Authentication'
const BCRYPT_OF_ABC = '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'
const RUNS = Number(process.env.TENON_PROPERTY_RUNS ?? 8)
const passwords = createPasswords()
/** One connection of each provider but OpenID Connect. */
const tenant = { ...TENANT, connections: TENANT.connections.filter(({ name }) => name !== 'code-two') }

async function into({ storage, vault, clock }: World, rows: readonly unknown[], options: Partial<ImportOptions> = {}) {
  const refused: string[] = []
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  const summary = await importUsers({ storage, vault, clock, passwords }, jsonRows([text]), {
    upsert: false,
    ...options,
    onRefused: ({ row, fault }) => refused.push(`${row.line} ${fault.code} ${fault.field}`),
  })
  return { ...summary, refused }
}

const out = async ({ storage }: World, dangerouslyWithPasswords = false) =>
  Array.fromAsync(exportUsers(storage, { dangerouslyWithPasswords }))

const google = (id: string, profileData: JsonObject = {}) => ({
  ...{ provider: 'github', connection: 'code', user_id: id, isSocial: true, profileData },
})
const own = (id: string) => ({ provider: 'auth0', connection: PASSWORDS, user_id: id, isSocial: false })

/** As an export of Auth0 shows somebody with two ways in. */
const ada = {
  user_id: 'auth0|64b7f0c2a1b2c3d4e5f60718',
  email: 'ada@example.test',
  email_verified: true,
  name: 'Ada',
  locale: 'en',
  user_metadata: { theme: 'blue', deep: { list: [1, 'two', null] } },
  app_metadata: { plan: 'gold' },
  created_at: '2020-01-02T03:04:05.678Z',
  last_login: '2024-01-02T03:04:05.678Z',
  logins_count: 7,
  identities: [own('64b7f0c2a1b2c3d4e5f60718'), google('42', { name: 'Ada at work', email: 'ada@work.test' })],
}
/** As Auth0 hands out the hashes of a database. */
const hashOfAda = {
  _id: { $oid: '64b7f0c2a1b2c3d4e5f60718' },
  email: 'ada@example.test',
  email_verified: true,
  passwordHash: BCRYPT_OF_ABC,
  tenant: 'acme',
  connection: PASSWORDS,
  _tmp_is_unique: true,
}

for (const name of postgresServer === undefined ? ['sqlite'] : ['sqlite', 'postgres'])
  describe(name, () => {
    const opened: (() => Promise<void>)[] = []
    after(async () => {
      for (const close of opened.reverse()) await close()
    })
    const open = async (): Promise<World> => {
      const database = name === 'postgres' ? await createEmptyDatabase() : undefined
      const world = await openWorld({ tenant, ...(database === undefined ? {} : { database }) })
      // The database goes with it.
      opened.push(() => world.close())
      return world
    }

    test('an export comes in whole, twice is once, and a file of hashes gives its users their passwords', async () => {
      const w = await open()
      assert.deepEqual(await into(w, [ada]), { total: 1, inserted: 1, updated: 0, unchanged: 0, refused: [] })
      const [found = {}] = await out(w)
      const { locale: _, created_at: __, last_login: ___, ...shown } = ada
      assert.deepEqual({ ...found, ...shown }, found)
      assert.equal(found.created_at, '2020-01-02T03:04:05.000Z')
      const before = await out(w, true)
      assert.equal((await into(w, [ada])).unchanged, 1)
      assert.equal((await into(w, [ada], { upsert: true })).unchanged, 1)
      assert.deepEqual(await out(w, true), before)
      assert.equal((await into(w, [hashOfAda])).updated, 1)
      const record = async () => w.storage.passwords.findByAddress((await w.connection(PASSWORDS)).id, ada.email)
      assert.equal((await record())?.hash, BCRYPT_OF_ABC)
      // The other way round, and with another hash, nothing changes any more.
      const other = { ...hashOfAda, passwordHash: BCRYPT_OF_ABC.replace(/.$/, 'e') }
      assert.equal((await into(w, [other, hashOfAda], { upsert: true })).unchanged, 2)
      assert.equal((await record())?.hash, BCRYPT_OF_ABC)
      const evidence = await w.storage.evidence.listOfUser(ada.user_id)
      assert.deepEqual(
        evidence.map(({ address, source, grade }) => [address, source.split(':')[0], grade]).toSorted(),
        [
          ['ada@example.test', 'operator', 3],
          ['ada@work.test', 'connection', 0],
        ],
      )
    })

    test('rows of a bulk import need no id: their address names them', async () => {
      const w = await open()
      const rows = [
        { email: 'Bob@Example.test', email_verified: true, password_hash: BCRYPT_OF_ABC, given_name: 'Bob' },
        { email: 'carol@example.test', user_id: 'carol-1', app_metadata: { a: 1, b: 2 } },
        { user_id: 'github|12345678901234567890', name: 'Dave', nickname: 'dave' },
      ]
      assert.equal((await into(w, rows)).inserted, 3)
      assert.equal((await into(w, rows)).unchanged, 3)
      assert.equal((await out(w)).length, 3)
      const changed = [
        { ...rows[0], given_name: 'Robert', identities: undefined },
        { ...rows[1], app_metadata: { b: null, c: 3 }, email_verified: true },
        // Numbers beyond 2^53 stay who they are.
        JSON.parse('{"user_id":"github|12345678901234567890","name":"David"}'),
      ]
      assert.equal((await into(w, changed)).unchanged, 3)
      assert.deepEqual((await into(w, changed, { upsert: true })).updated, 3)
      const users = await out(w)
      const of = (part: string) => users.find(({ user_id: id }) => String(id).includes(part)) ?? {}
      assert.deepEqual([of('carol').app_metadata, of('carol').email_verified], [{ a: 1, c: 3 }, true])
      assert.equal(of('github|').name, 'David')
      assert.ok(users.some(({ given_name: given, email }) => given === 'Robert' && email === 'bob@example.test'))
      const [line = ''] = ['{"user_id":"auth0|numbers","email":"n@example.test","identities":['].map(
        (start) => `${start}${JSON.stringify(own('numbers'))},{"provider":"github","user_id":9007199254740993}]}`,
      )
      const deps = { ...w, passwords }
      await importUsers(deps, jsonRows([line]), { upsert: false, onRefused: () => assert.fail() })
      assert.ok(await w.storage.identities.find((await w.connection('code')).id, '9007199254740993'))
    })

    test('a bad row is refused with its line and member, and the others go in', async () => {
      const w = await open()
      const rows = [
        ada,
        { email: 'no address' },
        { ...ada, user_id: 'auth0|other', email: 'other@example.test' },
        { email: 'good@example.test', logins_count: -1 },
        { email: 'good@example.test', identities: [own('g'), own('g')] },
        { email: 'good@example.test', identities: [own('gööd')] },
        { identities: [own('nobody')] },
        { email: 'good@example.test', identities: [google('7')], password_hash: BCRYPT_OF_ABC },
        { email: 'good@example.test' },
        ['no object'],
      ]
      const { refused, inserted } = await into(w, rows)
      assert.equal(inserted, 2)
      assert.deepEqual(refused, [
        '2 address_invalid /email',
        '3 identity_taken /identities/0',
        '4 row_invalid /logins_count',
        '5 identity_repeated /identities/1',
        '6 row_invalid /identities/0/user_id',
        '7 address_missing /email',
        '8 password_without_identity /identities',
        '10 row_invalid ',
      ])
      assert.equal((await out(w)).length, 2)
    })

    test('asked to, an import adds identities, but none that their user took off, and nothing to the unproven', async () => {
      const w = await open()
      await into(w, [ada, { email: 'unproven@example.test', user_id: 'unproven' }])
      const more = { ...ada, identities: [...ada.identities, google('43')] }
      assert.equal((await into(w, [more])).unchanged, 1)
      assert.equal((await into(w, [more], { upsert: true })).updated, 1)
      assert.equal((await w.storage.identities.listOfUser(ada.user_id)).length, 3)
      const { id: connectionId } = await w.connection('code')
      await w.storage.transaction((tx) =>
        removeIdentity(tx, w.vault, { userId: ada.user_id, connectionId, subject: '43', at: w.clock() }),
      )
      assert.deepEqual((await into(w, [more], { upsert: true })).refused, ['1 identity_unlinked /identities/2'])
      assert.equal((await into(w, [more])).unchanged, 1)
      const unproven = {
        email: 'unproven@example.test',
        user_id: 'auth0|unproven',
        identities: [own('unproven'), google('44')],
      }
      assert.deepEqual((await into(w, [unproven], { upsert: true })).refused, ['1 address_unproven /identities/1'])
      await into(w, [{ ...ada, blocked: true }], { upsert: true })
      assert.equal((await w.storage.users.find(ada.user_id))?.blocked, true)
    })

    test('whoever is exported can be imported elsewhere, and is the same there', async () => {
      const [here, there] = [await open(), await open()]
      let count = 0
      const word = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter((text) => !text.includes('\0'))
      const metadata = fc.dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/),
        fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)),
      )
      const person = fc.record(
        {
          name: word,
          nickname: word,
          picture: fc.webUrl(),
          email_verified: fc.boolean(),
          blocked: fc.boolean(),
          user_metadata: metadata,
          app_metadata: metadata,
          logins_count: fc.nat(),
          created_at: fc
            .date({ min: new Date(0), max: new Date('2030-01-01'), noInvalidDate: true })
            .map((at) => at.toISOString()),
          ways: fc.subarray(['password', 'code', 'files', 'acme'], { minLength: 1 }),
          hash: fc.boolean(),
        },
        { requiredKeys: ['ways', 'hash'] },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(person, { maxLength: 4 }), async (people) => {
          const rows = people.map(({ ways, hash, ...members }) => {
            const n = ++count
            const identities = ways.map((way) => {
              if (way === 'password') return own(`subject-${n}`)
              if (way === 'code') return google(String(n), { name: `n ${n}` })
              return {
                provider: 'oidc',
                connection: way,
                user_id: `${way}|pipe|${n}`,
                profileData: { email: `w${n}@work.test` },
              }
            })
            const hasPassword = ways.includes('password')
            return {
              ...members,
              identities,
              ...(hasPassword ? { email: `p${n}@example.test` } : {}),
              ...(hasPassword && hash ? { password_hash: BCRYPT_OF_ABC } : {}),
            }
          })
          assert.deepEqual((await into(here, rows)).refused, [])
          const exported = await out(here, true)
          assert.deepEqual((await into(there, exported)).refused, [])
          assert.deepEqual(await out(there, true), exported)
        }),
        { numRuns: RUNS },
      )
      assert.ok(count > RUNS / 2)
    })

    test('imports that run beside each other take nobody in twice', async () => {
      const w = await open()
      const rows = Array.from({ length: 60 }, (_, at) => ({
        user_id: `auth0|r${at}`,
        email: `r${at}@example.test`,
        identities: [own(`r${at}`), google(`r${at}`)],
      }))
      const sums = await Promise.all([into(w, rows), into(w, rows.toReversed()), into(w, rows)])
      assert.equal(
        sums.reduce((sum, { inserted }) => sum + inserted, 0),
        60,
      )
      assert.equal((await out(w)).length, 60)
    })
  })
