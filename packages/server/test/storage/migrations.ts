// What migrations promise on either database.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { migrate } from '../../src/storage/migrate.ts'
import { type Migration, migrations, schemaVersion } from '../../src/storage/migrations.ts'
import { openStorage } from '../../src/storage/open.ts'
import { nextMessage, startChild } from './children/start.ts'

export interface EmptyDatabase {
  readonly url: string
  readonly remove: () => Promise<void>
}

/** Written before names had a form to be looked for. */
const OLD_NAMES = ['Ada LOVELACE', 'ÉMILE ÀŽÕ', 'ЯРОСЛАВ Мудрый', 'ΑΡΧΙΜΗΔΗΣ', '王小明 Żółć']

export function migrationTests(name: string, create: () => Promise<EmptyDatabase>): void {
  const withDatabase = (work: (url: string) => Promise<void>) => async () => {
    const { url, remove } = await create()
    try {
      await work(url)
    } finally {
      await remove()
    }
  }

  describe(name, () => {
    test(
      'an empty database is brought to the newest version, a current one is left alone',
      withDatabase(async (url) => {
        await assert.rejects(openStorage({ url }), { code: 'schema_too_old' })
        assert.deepEqual(await migrate(url), { from: 0, to: schemaVersion })
        assert.deepEqual(await migrate(url), { from: schemaVersion, to: schemaVersion })
        await (await openStorage({ url })).close()
      }),
    )

    test(
      'a database of any older version is brought to what a new one has, and keeps what is in it',
      withDatabase(async (url) => {
        const first: Migration = (types) => [
          ...(migrations[0]?.(types) ?? []),
          "insert into meta (key, value) values ('kept', 'yes')",
          ...OLD_NAMES.map((_, at) => `insert into given_user_ids (user_id) values ('old|${at}')`),
          ...OLD_NAMES.map(
            (name, at) => `insert into users (user_id, email_verified, name, user_metadata, app_metadata, blocked,
              created_at, updated_at, logins_count) values ('old|${at}', 0, '${name}', '{}', '{}', 0, 1, 1, 0)`,
          ),
        ]
        for (let version = 1; version < schemaVersion; version++)
          assert.equal((await migrate(url, [first, ...migrations.slice(1, version)])).to, version)
        assert.equal((await migrate(url)).to, schemaVersion)
        const storage = await openStorage({ url })
        assert.equal(await storage.meta.find('kept'), 'yes')
        for (const [at, name] of OLD_NAMES.entries()) {
          const matching = { kind: 'test', test: { on: 'name', beginsWith: name.toLowerCase() } } as const
          const found = await storage.users.list({ offset: 0, limit: 2, matching })
          assert.deepEqual(
            found.items.map(({ userId }) => userId),
            [`old|${at}`],
          )
        }
        await storage.close()
      }),
    )

    test(
      'processes that start together migrate once',
      withDatabase(async (url) => {
        const migrators = [1, 2, 3].map(() => startChild('migrator', url))
        await Promise.all(migrators.map(nextMessage))
        const answers = Promise.all(migrators.map(nextMessage))
        for (const migrator of migrators) migrator.send('go')
        for (const answer of await answers) assert.equal((answer as { to: number }).to, schemaVersion)
        const storage = await openStorage({ url })
        assert.equal(await storage.ready(), true)
        await storage.close()
      }),
    )

    test(
      'a step that fails leaves nothing of itself; the next call goes on from there',
      withDatabase(async (url) => {
        const good: Migration = () => ['create table later (id integer)']
        const broken: Migration = () => ['create table half (id integer)', 'this is no statement']
        await assert.rejects(migrate(url, [...migrations, good, broken]))
        const mended: Migration = () => ['create table half (id integer)', 'insert into later (id) values (1)']
        const steps = [...migrations, good, mended]
        assert.deepEqual(await migrate(url, steps), { from: steps.length - 1, to: steps.length })
      }),
    )

    test(
      'a database that a newer server wrote is refused, and not ready for one that runs',
      withDatabase(async (url) => {
        await migrate(url)
        const storage = await openStorage({ url })
        assert.equal(await storage.ready(), true)
        await migrate(url, [...migrations, () => []])
        const tooNew = {
          code: 'schema_too_new',
          message: new RegExp(`schema version ${schemaVersion + 1}, this server knows ${schemaVersion}`),
        }
        await assert.rejects(migrate(url), tooNew)
        await assert.rejects(openStorage({ url }), tooNew)
        assert.equal(await storage.ready(), false)
        await storage.close()
      }),
    )
  })
}
