// A connection that is pointed at somebody else (attack catalogue, T-CONN-04): by its operator, over the API and in the
// tenant file, and by its own provider.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import { runTenon } from '../cli/run.ts'
import { connect, exchange, expectStatus, meToken, mgmt, signIn, userPath } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

const world = async (database: 'sqlite' | 'postgres') => {
  const users = { vera: { sub: 'person-1', email: 'vera@example.test' } }
  const theirs = { eve: { sub: 'person-1', email: 'eve@example.test' } }
  const providers = {
    honest: await startOidcProvider({ name: 'honest', refresh: 'always', alg: 'ES256', users }),
    mallory: await startOidcProvider({ name: 'mallory', refresh: 'always', alg: 'ES256', users: theirs }),
    files: await startOAuth2Provider({ name: 'files', users: { vera: {} } }),
  }
  const server = await startServer({ providers, database })
  const api = await mgmt(server)
  const connectionOf = async (name: string) => (await api.get(`/connections?name=${name}`)).json[0]
  return { server, providers, api, connectionOf }
}

for (const database of databases) {
  test(`T-CONN-04 a connection that people came by is not pointed at another provider (${database})`, async () => {
    const { server, providers, api, connectionOf } = await world(database)
    const { honest, mallory, files } = providers
    const { id, options } = await connectionOf('honest')
    const theirs = mallory.connection().options as Record<string, string>
    const victim = await signIn(server, { connection: 'honest' })
    const change = (members: object) => api.patch(`/connections/${id}`, { options: { ...options, ...members } })
    const secret = { client_id: theirs.client_id, client_secret: theirs.client_secret }
    await changesNothing(server, async () => {
      for (const [what, members] of Object.entries({
        'another issuer': { issuer: mallory.issuer, ...secret },
        'another issuer, our secret': { issuer: mallory.issuer },
        'another token endpoint': { token_endpoint: `${mallory.url}/token` },
        'another place for keys': { jwks_uri: `${mallory.url}/jwks` },
        'another place for profiles': { userinfo_endpoint: `${mallory.url}/userinfo` },
        'another place to revoke': { endpoints: { revocation: `${mallory.url}/revoke` } },
        'another discovery': { discovery_url: `${mallory.url}/.well-known/openid-configuration` },
        'discovery alone': { issuer: undefined, discovery_url: `${mallory.url}/.well-known/openid-configuration` },
      })) {
        const { status, json } = await change(members)
        assert.deepEqual([status, json.errorCode], [409, 'connection_in_use'], what)
      }
      const { options: kept } = await connectionOf('honest')
      assert.deepEqual(kept, options)
    })
    const calls = mallory.calls('token').length
    assert.equal((await signIn(server, { connection: 'honest' })).sub, victim.sub)
    assert.equal(mallory.calls('token').length, calls)
    // What stays with the provider may change.
    expectStatus(await change({ scope: 'openid email', issuer: `${honest.issuer}` }), 200)
    expectStatus(await change({ jwks_uri: `${honest.url}/jwks` }), 200)
    expectStatus(await change({}), 200)

    // A connected account is reason enough, though nobody signs in by it: its refresh token would go along.
    const adas = await signIn(server, { user: server.tenant.ada })
    const token = await meToken(server, adas)
    await connect(adas.browser, server, { token, connection: 'files' })
    const kept = await connectionOf('files')
    for (const name of ['tokenURL', 'userInfoURL', 'revocationURL']) {
      const moved = { ...kept.options, [name]: `${mallory.url}/token` }
      const answer = await api.patch(`/connections/${kept.id}`, { options: moved })
      assert.equal(answer.json.errorCode, 'connection_in_use', name)
    }
    assert.equal((await exchange(server, { connection: 'files', subjectToken: adas.refreshToken })).status, 200)
    assert.equal(files.calls('token').length > 0, true)

    // With nobody left it is free, but the sealed secret is for the old provider's eyes alone.
    expectStatus(await api.delete(userPath(victim.sub)), 204)
    assert.equal((await change({ issuer: mallory.issuer })).json.errorCode, 'client_secret_missing')
    expectStatus(await change({ issuer: mallory.issuer, ...secret }), 200)
    const newcomer = await signIn(server, { connection: 'honest' })
    assert.notEqual(newcomer.sub, victim.sub)
  })
}

test('T-CONN-04 nor does a tenant file point it elsewhere', async () => {
  const { server, providers, connectionOf } = await world('sqlite')
  const { honest, mallory } = providers
  await signIn(server, { connection: 'honest' })
  const file = join(server.dataDir, 'tenant.json')
  const flags = ['--port', '0', '--data-dir', server.dataDir, '--tenant', file]
  const other = { ...honest.connection(), options: { ...mallory.connection().options } }
  writeFileSync(file, JSON.stringify({ connections: [other] }))
  const ended = await runTenon(['serve', ...flags])
  assert.equal(ended.code, 2, ended.stderr)
  assert.match(ended.stderr, /connection_in_use/)
  assert.match(ended.stderr, /\/connections\/honest\/options/)
  assert.ok(!ended.stderr.includes(String(other.options.client_secret)))
  assert.equal((await connectionOf('honest')).options.issuer, honest.issuer)
})

test('T-CONN-04 a provider that says it is another one from now on is not believed, and nobody else gets its tokens', async () => {
  const { server, providers } = await world('sqlite')
  const { honest, mallory } = providers
  const victim = await signIn(server, { connection: 'honest' })
  const theirs = mallory.log.length
  for (const issuer of [mallory.issuer, `${honest.issuer}/`, undefined, [honest.issuer]]) {
    const places = { token_endpoint: `${mallory.url}/token`, jwks_uri: `${mallory.url}/jwks` }
    honest.tamperDiscovery = (document) => ({ ...document, ...places, issuer })
    passTime(601)
    // What was known of it before goes on, as it does while it is down.
    assert.equal((await signIn(server, { connection: 'honest' })).sub, victim.sub)
    const asked = { connection: 'honest', subjectToken: victim.refreshToken, fields: { min_ttl: '86400' } }
    assert.equal((await exchange(server, asked)).status, 200)
  }
  assert.equal(mallory.log.length, theirs)
})
