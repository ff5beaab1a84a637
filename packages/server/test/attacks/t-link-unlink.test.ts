// Unlinking (T-LINK-14): what was under way at a provider comes to nothing, and nothing is served from memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import { drive, exchange, expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { databases } from './databases.ts'

for (const database of databases)
  test(`T-LINK-14 a refresh that hangs while its identity is unlinked stores nothing, and no token is served after it (${database})`, async () => {
    const server = await startServer({ database, nodes: 2 })
    const { calendar } = server.providers
    const person = server.person('unlinked', ['work', 'calendar'])
    const who = await signIn(server, { connection: 'work' })
    await who.browser.open(`${server.url}/account/connections`)
    await who.browser.submit('link', { connection: 'calendar' })
    await drive(who.browser)
    const ask = (fields: Record<string, string> = {}, url = server.url) =>
      exchange(server, { connection: 'calendar', subjectToken: who.refreshToken, fields, url })
    expectStatus(await ask(), 200)
    calendar.hang('refresh', { when: 'before' })
    const asked = calendar.nextCall('refresh')
    const hanging = ask({ min_ttl: '86400' })
    await asked
    const api = await mgmt(server)
    const identity = encodeURIComponent(`calendar|${person.subjects.calendar}`)
    expectStatus(await api.delete(`${userPath(who.sub)}/identities/oidc/${identity}`), 200)
    for (const url of server.nodes) assert.notEqual((await ask({}, url)).status, 200)
    calendar.release()
    assert.notEqual((await hanging).status, 200)
    const storage = await openStorage({ url: server.databaseUrl })
    try {
      const accounts = await storage.accounts.listOfUser(who.sub)
      assert.deepEqual(
        accounts.filter(({ subject }) => subject === person.subjects.calendar),
        [],
      )
    } finally {
      await storage.close()
    }
    for (const url of server.nodes) assert.notEqual((await ask({}, url)).status, 200)
    // What the provider gave meanwhile is given back, too.
    await eventually('no token lives', () => !calendar.hasLiveRefreshToken(person.key))
  })
