// Somebody who may write import files, or has one written by a stranger (attack catalogue, T-API-12).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizeUrl, expectStatus, mgmt, refresh, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { importUsers, startImport } from '../support/imports.ts'
import { query } from '../support/rows.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, snapshot } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { databases } from './databases.ts'

const BCRYPT_OF_ABC = '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'
const utf8 = (value: string) => ({ value, encoding: 'utf8' })
/** What the attacker knows the password of. */
const planted = { custom_password_hash: { algorithm: 'bcrypt', hash: utf8(BCRYPT_OF_ABC) } }

for (const database of databases)
  test(`T-API-12 ${database}: an import takes over nobody, row by row, while good rows go in`, async () => {
    const server = await startServer({ database })
    const { ada, eve } = server.tenant
    server.person('victim', ['calendar', 'code'])
    const victim = await signIn(server, { connection: 'calendar' })
    const adaIn = await signIn(server, { user: ada })
    const api = await mgmt(server)
    const calendar = expectStatus(await api.get(userPath(victim.sub)), 200).json.identities[0]
    const gone = await importUsers(server, api, [{ user_id: 'auth0|gone', email: 'gone@example.test' }])
    assert.equal(gone.summary.inserted, 1)
    expectStatus(await api.delete(userPath('auth0|gone')), 204)

    const attacks = [
      // Ada's own id, with a password of the attacker's, or another address, or another provider's account.
      { user_id: adaIn.sub, email: ada.email, ...planted, blocked: true, app_metadata: { role: 'x' } },
      { user_id: adaIn.sub, email: 'mallory@example.test', email_verified: true, ...planted },
      // Her address, for somebody else, or by nothing but the address.
      { user_id: 'auth0|mallory', email: ada.email, email_verified: true, ...planted },
      { email: ada.email.toUpperCase(), ...planted },
      // The victim's account at a provider, for a new user, or as a second way into another one.
      { user_id: 'auth0|thief', email: 'thief@example.test', identities: [own('thief'), calendar], ...planted },
      { user_id: adaIn.sub, email: ada.email, identities: [own(adaIn.sub.split('|')[1]), calendar] },
      // An id that was somebody's who has gone.
      { user_id: 'auth0|gone', email: 'heir@example.test', ...planted },
      // Hashes that are not what they say, or that each sign-in would pay for.
      { email: 'confused@example.test', custom_password_hash: { algorithm: 'md5', hash: utf8(BCRYPT_OF_ABC) } },
      { email: 'slow@example.test', password_hash: BCRYPT_OF_ABC.replace('$10$', '$31$') },
      // Names that reach a prototype, addresses that are none, another strategy than the connection's.
      JSON.parse('{"email":"proto@example.test","app_metadata":{"__proto__":{"admin":true}}}'),
      { email: 'a@b' },
      { email: 'x@example.test', identities: [{ provider: 'google-oauth2', connection: PASSWORDS, user_id: '1' }] },
      { email: 'y@example.test', identities: [{ provider: 'github', connection: 'nowhere', user_id: '1' }] },
      '=cmd|calc',
    ]
    for (const upsert of ['false', 'true']) {
      const before = await snapshot(server)
      const { summary, refused } = await importUsers(server, api, attacks.filter(isObject), { upsert })
      assert.equal(summary.inserted, 0)
      assert.equal(summary.updated, upsert === 'true' ? 1 : 0)
      assert.deepEqual(
        refused.filter((one) => !one.startsWith('address_differs')),
        [
          'address_in_use /email',
          'identity_taken /identities/1',
          'identity_taken /identities/1',
          'user_id_taken /user_id',
          'hash_malformed /custom_password_hash/hash/value',
          'hash_too_costly /password_hash',
          'row_invalid ',
          'address_invalid /email',
          'provider_mismatch /identities/0',
          'connection_unknown /identities/0',
        ],
      )
      if (upsert === 'false') assert.deepEqual(await snapshot(server), before)
    }
    // Asked for, the operator's word on metadata and blocking counts; nobody came in by the planted password.
    expectStatus(await api.patch(userPath(adaIn.sub), { blocked: false }), 200)
    assert.equal(expectStatus(await api.get(userPath(adaIn.sub)), 200).json.email, ada.email)
    assert.equal((await signIn(server, { user: ada })).sub, adaIn.sub)
    await assert.rejects(signIn(server, { user: { email: ada.email, password: 'abc' } }))
    expectStatus(await refresh(server, victim.client, victim.refreshToken), 200)
    assert.equal((await signIn(server, { user: eve })).claims.email, eve.email)

    const good = { email: 'newcomer@example.test', email_verified: true, password_hash: BCRYPT_OF_ABC }
    const mixed = await importUsers(server, api, [attacks[2], good, attacks[7]])
    assert.deepEqual([mixed.summary.inserted, mixed.summary.failed], [1, 2])
    const person = { email: good.email, password: 'abc' }
    await assert.rejects(signIn(server, { user: { ...person, password: 'abcd' } }))
    const newcomer = await signIn(server, { user: person })
    assert.equal(newcomer.claims.email_verified, true)
    // From the first sign-in on the hash is ours, and the password is the same.
    const [{ hash } = {}] = await query(server.databaseUrl, 'select hash from passwords where address = $1', [
      good.email,
    ])
    assert.match(String(hash), /^\$argon2id\$/)
    assert.equal((await signIn(server, { user: person })).sub, newcomer.sub)
  })

const own = (id = '') => ({ provider: 'auth0', connection: PASSWORDS, user_id: id, isSocial: false })
const isObject = (row: unknown) => typeof row === 'object'

test('T-API-12 a file that is none, or a caller who may not, changes nothing; an export is not for spreadsheets', async () => {
  const server = await startServer({ providers: {} })
  const api = await mgmt(server)
  const weak = await mgmt(server, { scope: 'read:users read:connections' })
  await changesNothing(server, async () => {
    for (const text of [
      '[{"email":"a@example.test"}',
      '[{"email":"a@example.test"},1]',
      '[{"email":"a@example.test"}]]',
    ])
      assert.equal((await startImport(server, api, text)).json.errorCode, 'invalid_body', text)
    assert.equal((await startImport(server, weak, '[]')).status, 403)
    assert.equal((await startImport(server, api, '[]', { connection_id: 'con_nowhere' })).status, 400)
    assert.equal((await startImport(server, api, '[]', { constructor: 'x' })).status, 400)
    assert.equal((await startImport(server, api, `[${'{"email":"a@example.test"},'.repeat(60_000)}]`)).status, 413)
    const path = `${server.url}/api/v2/jobs/users-imports`
    const headers = { authorization: `Bearer ${api.token}` }
    assert.equal((await request(path, { headers, json: { users: '[]' } })).status, 415)
    for (const body of ['', '--x', '--x\r\nContent-Disposition: form-data; name="users"\r\n\r\n[]'])
      assert.equal(
        (
          await request(path, {
            method: 'POST',
            headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
            body,
          })
        ).status,
        400,
        body,
      )
    assert.equal((await api.post('/jobs/users-exports', { format: 'csv' })).status, 400)
    assert.equal((await api.get('/jobs/job_0000000000000000')).status, 404)
    assert.equal((await request(`${server.url}/api/v2/jobs/job_0000000000000000/users`)).status, 401)
  })
  // Somebody without a password yet signs in by none.
  const { summary } = await importUsers(server, api, [{ email: 'waiting@example.test', email_verified: true }])
  assert.equal(summary.inserted, 1)
  for (const password of ['!', '', 'undefined']) {
    const browser = new Browser()
    await browser.open(authorizeUrl(server).url)
    const page = await browser.submit('login', { fields: { username: 'waiting@example.test', password } })
    assert.equal(page.name, 'login')
  }
})
