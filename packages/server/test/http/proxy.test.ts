// A provider's API through the server: what goes there and back, and what is kept of it.
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import { connect, expectStatus, me, meToken, signIn } from '../support/actors.ts'
import { DATABASES } from '../support/deployment.ts'
import { callProxy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const api = await startApi()

const stages = await Promise.all(
  DATABASES.map(async (database) => {
    const files = await startOAuth2Provider({
      name: 'files',
      refresh: 'always',
      rotation: 'rotating',
      users: { ada: {} },
    })
    const server = await startServer({
      database,
      providers: { files },
      tenant: (file) => withHosts(file, 'files', [api.host, new URL(files.url).host]),
    })
    const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
    const token = await meToken(server, who)
    const { id } = await connect(who.browser, server, { token, connection: 'files' })
    return { database, files, server, token, id }
  }),
)

for (const { database, files, server, token, id } of stages) {
  const atProvider = { 'tenon-host': new URL(files.url).host }
  const call = (path: string, options = {}) => callProxy(server, token, id, path, options)
  const events = () => eventsOf(server, 'vault.proxied')

  test(`${database}: method, path, query and body arrive, with the provider's token in the place of ours`, async () => {
    const headers = { cookie: 'a=1', 'x-own': 'kept', 'x-forwarded-for': '1.2.3.4', 'x-http-method-override': 'DELETE' }
    const answer = await call('/things/a%2Fb?x=1&y=%20', { json: { a: 1 }, headers })
    const got = expectStatus(answer, 200).json
    assert.equal(`${got.method} ${got.url}`, 'POST /things/a%2Fb?x=1&y=%20')
    assert.equal(got.body, '{"a":1}')
    assert.equal(got.headers['x-own'], 'kept')
    for (const name of ['cookie', 'x-forwarded-for', 'x-http-method-override'])
      assert.equal(got.headers[name], undefined)
    const [scheme, sent = ''] = got.headers.authorization.split(' ')
    assert.ok(scheme === 'Bearer' && files.isLive(sent))
    assert.equal(answer.headers.etag, '"1"')
    assert.equal(answer.headers['tenon-answer'], 'provider')
    assert.equal(answer.headers['cache-control'], 'no-store')
  })

  test(`${database}: an answer begins before it has ended, and a large body goes through in parts`, async () => {
    const first = await new Promise<string>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      get(`${server.url}/me/v1/proxy/${id}/slow`, { headers }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += String(chunk)
          // The second part is asked for once the first is here.
          if (text === 'first') api.release()
        })
        response.on('end', () => resolve(text))
      }).on('error', reject)
    })
    assert.equal(first, 'firstsecond')
    const body = 'x'.repeat(900_000)
    const large = expectStatus(await call('/large', { body, headers: { 'content-type': 'text/plain' } }), 200)
    assert.equal(large.json.body.length, body.length)
    const refused = await call('/large', { body: 'x'.repeat(1_048_577) })
    assert.equal(refused.status, 413)
    assert.equal(refused.json.code, 'payload_too_large')
  })

  test(`${database}: each call leaves one event, on the disk before its answer, without names, query or token`, async () => {
    const before = (await events()).length
    await call('/repos/acme/tenon/pulls/7?secret=1', { headers: { 'tenon-purpose': 'which wait' } })
    const [event, ...more] = (await events()).slice(before)
    assert.deepEqual(more, [])
    assert.equal(event?.outcome, 'ok')
    assert.equal(event?.accountId, id)
    assert.equal(event?.clientId, 'agent-a')
    const { method, path, status, purpose } = event?.data ?? {}
    assert.deepEqual(
      { method, path, status, purpose },
      {
        method: 'GET',
        path: '/repos/{}/{}/pulls/{}',
        status: 200,
        purpose: 'which wait',
      },
    )
    const text = JSON.stringify(await events())
    assert.ok(!text.includes('secret') && !files.secrets.some((one) => text.includes(one)))
  })

  test(`${database}: a token that the provider does not take is renewed once, and the call sent again`, async () => {
    const refreshes = () => files.calls('refresh').length
    const before = refreshes()
    files.expireAccessTokens()
    const answer = expectStatus(await call('/api/whoami', { headers: atProvider }), 200)
    assert.equal(answer.json.provider, 'files')
    assert.equal(refreshes(), before + 1)
    files.expireAccessTokens()
    assert.equal((await call('/api/whoami', { headers: atProvider })).status, 401, 'not again within a minute')
    assert.equal(refreshes(), before + 1)
    passTime(61)
    assert.equal((await call('/api/whoami', { headers: atProvider })).status, 200)
    files.expireAccessTokens()
    passTime(61)
    const body = 'x'.repeat(100_000)
    assert.equal(
      (await call('/api/whoami', { headers: atProvider, body })).status,
      401,
      'what is gone is not sent again',
    )
  })

  test(`${database}: capabilities say where the proxy stands and which hosts it reaches`, async () => {
    const { json } = expectStatus(await me(server, token).get('/capabilities'), 200)
    const [one] = json.connections
    assert.deepEqual(one.access, ['token', 'proxy'])
    assert.deepEqual(one.api_hosts, [api.host, new URL(files.url).host])
    assert.equal(one.accounts[0].proxy.url, `${server.issuer}me/v1/proxy/${id}/`)
    assert.equal(json.policy, undefined)
  })
}
