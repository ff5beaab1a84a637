// What the vault keeps of a user over the API of old SDKs, and how many refresh tokens a client may hold for one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomToken, sha256Hex } from '../../src/crypto/hashing.ts'
import { openStorage } from '../../src/storage/open.ts'
import { databases } from '../attacks/databases.ts'
import { connect, exchange, expectStatus, meToken, mgmt, refresh, signIn, userPath } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const servers = await Promise.all(databases.map((database) => startServer({ database })))

for (const [index, server] of servers.entries()) {
  const database = databases[index]

  test(`tokensets are listed without a token and taken away one by one (${database})`, async () => {
    const who = await signIn(server, { user: server.tenant.ada })
    const api = await mgmt(server)
    const path = `${userPath(who.sub)}/federated-connections-tokensets`
    assert.deepEqual(expectStatus(await api.get(path), 200).json, [])
    server.providers.calendar.addUser('ada')
    server.providers.calendar.switchUser('ada')
    const account = await connect(who.browser, server, { token: await meToken(server, who), connection: 'calendar' })
    const { access_token: secret } = expectStatus(
      await exchange(server, { connection: 'calendar', subjectToken: who.refreshToken }),
      200,
    ).json
    const listed = expectStatus(await api.get(path), 200)
    const [tokenset] = listed.json
    assert.equal(listed.json.length, 1)
    assert.deepEqual(
      [tokenset.id, tokenset.connection, Object.values(tokenset).every((one) => typeof one === 'string')],
      [account.id, 'calendar', true],
    )
    assert.ok(Date.parse(tokenset.issued_at) <= Date.parse(tokenset.last_used_at))
    assert.equal(listed.text.includes(secret), false)
    expectStatus(await api.delete(`${path}/cac_unknown`), 404)
    const eve = await signIn(server, { user: server.tenant.eve })
    expectStatus(await api.delete(`${userPath(eve.sub)}/federated-connections-tokensets/${account.id}`), 404)
    expectStatus(await api.delete(`${path}/${account.id}`), 204)
    assert.deepEqual(expectStatus(await api.get(path), 200).json, [])
    const after = await exchange(server, { connection: 'calendar', subjectToken: who.refreshToken })
    assert.equal(after.json.tenon.code, 'not_connected')
    expectStatus(await api.get(`${userPath('auth0|nobody')}/federated-connections-tokensets`), 404)
  })

  test(`a client holds two hundred refresh tokens for a user, and the oldest ends (${database})`, async () => {
    const first = await signIn(server, { user: server.tenant.ada })
    const other = await signIn(server, { user: server.tenant.ada, client: 'agent-a' })
    passTime(5)
    await holdMany(server.databaseUrl, first.sub, 199)
    passTime(5)
    const last = await signIn(server, { user: server.tenant.ada })
    expectStatus(await refresh(server, 'web', last.refreshToken), 200)
    expectStatus(await refresh(server, 'agent-a', other.refreshToken), 200)
    expectStatus(await refresh(server, 'web', first.refreshToken), 403)
    const [event] = await eventsOf(server, 'refresh_token.displaced')
    assert.equal(event?.userId, first.sub)
  })
}

/** Refresh tokens of `web` for this user, issued now. */
async function holdMany(url: string, userId: string, count: number): Promise<void> {
  const storage = await openStorage({ url })
  const now = Math.floor(Date.now() / 1000)
  const rest = { uid: undefined, consumedAt: undefined, successorEnvelope: undefined, identityKey: undefined }
  const common = { userId, clientId: 'web', payload: {}, createdAt: now, expiresAt: now + 86_400, ...rest }
  await storage.transaction(async (tx) => {
    for (let index = 0; index < count; index++) {
      const grantId = randomToken(16)
      await tx.artifacts.put({ ...common, kind: 'Grant', idHash: grantId, grantId: undefined })
      await tx.artifacts.put({ ...common, kind: 'RefreshToken', idHash: sha256Hex(randomToken()), grantId })
    }
  })
  await storage.close()
}
