// The proxy: a provider's token goes to the connection's own hosts, for its owner's own clients, and comes back nowhere
// (attack catalogue, T-NET, T-API-02, T-AGT-03).
import assert from 'node:assert/strict'
import { connect as openSocket } from 'node:net'
import { test } from 'node:test'
import { startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import { connect, expectStatus, meToken, signIn } from '../support/actors.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { callProxy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'

const [api, evil] = [await startApi(), await startApi()]
const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {}, eve: {} } })
const bare = await startOidcProvider({ name: 'bare', refresh: 'always', users: { ada: {} } })
const server = await startServer({
  providers: { files, bare },
  nodes: 2,
  tenant: (file) => {
    withHosts(file, 'files', [api.host])
    const client = file.clients.find(({ client_id: id }) => id === 'agent-a')
    file.clients.push({
      ...client,
      client_id: 'plain',
      name: 'Plain',
      grant_types: ['authorization_code', 'refresh_token'],
    })
    file.client_grants.push(
      ...file.client_grants
        .filter(({ client_id: id }) => id === 'agent-a')
        .map((grant) => ({ ...grant, client_id: 'plain' })),
    )
    for (const connection of file.connections) connection.enabled_clients = [connection.enabled_clients, 'plain'].flat()
  },
})
Object.assign(server.tenant.secrets, { plain: server.tenant.secrets['agent-a'] })
const { ada, eve } = server.tenant

const V = await signIn(server, { client: 'agent-a', user: ada })
const token = await meToken(server, V)
files.switchUser('ada')
const { id } = await connect(V.browser, server, { token, connection: 'files' })
const call = (path: string, options = {}) => callProxy(server, token, id, path, options)

/** Refused, and neither the API nor anybody else heard of it. */
async function refuses(ask: () => Promise<Answer>, statuses = [400, 401, 403, 404, 405]): Promise<Answer> {
  const before = api.calls.length + evil.calls.length
  const answer = await ask()
  assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`)
  assert.equal(api.calls.length + evil.calls.length, before)
  assert.ok(!files.secrets.some((one) => answer.text.includes(one)))
  return answer
}

test('T-NET-01 no path leads to another host or climbs out of itself, however it is written', async () => {
  const escapes = [
    `//${evil.host}/user`,
    `/http://${evil.host}/user`,
    '/a/../../b',
    '/..%2f..%2fuser',
    '/%2e%2e/user',
    '/%252e%252e%252fuser',
    '/a/.%2e/b',
    '/a/..;/b',
    '/a\\..\\b',
    '/a%5c..%5cb',
    '/a/./b',
    '/a//b',
    '/a%00b',
    '/a%0d%0ahost:%20evil',
    '/%zz',
    '/a#b',
    '/{a}',
    '/a?b=<c>',
    `/@${evil.host}/../x`,
  ]
  for (const path of escapes) await refuses(() => call(path))
  const target = `/me/v1/proxy/${id}@${evil.host}/user`
  await refuses(() => request(server.url, { target, headers: { authorization: `Bearer ${token}` } }))
  // An at sign and a colon in a path are a path.
  for (const path of [`/@${evil.host}`, '/a:80@b']) assert.equal(expectStatus(await call(path), 200).json.url, path)
})

test('T-NET-01 no host but those that the connection lists, and none where it lists none', async () => {
  for (const host of [
    evil.host,
    `${api.host}@${evil.host}`,
    'api.test',
    `${api.host}/x`,
    '127.0.0.1',
    '',
    `${api.host}.`,
    '*',
  ])
    await refuses(() => call('/user', { headers: { 'tenon-host': host } }))
  bare.switchUser('ada')
  const other = await connect(V.browser, server, { token, connection: 'bare' })
  const answer = await refuses(() => callProxy(server, token, other.id, '/user'))
  assert.equal(answer.json.code, 'host_not_allowed')
})

test('T-NET-01 a redirect is handed on and not followed; one to the same host leads through the proxy again', async () => {
  const away = await call(`/redirect?to=http://${evil.host}/take`)
  assert.equal(away.status, 302)
  assert.equal(away.headers.location, `http://${evil.host}/take`)
  assert.deepEqual(evil.calls, [])
  const same = await call('/redirect?to=/next%3Fpage=2')
  assert.equal(same.headers.location, `/me/v1/proxy/${id}/next?page=2`)
})

test('T-NET-04 what is smuggled in headers does not reach the provider, nor its cookies the caller', async () => {
  const headers = {
    connection: 'x-hop, x-own',
    'x-hop': '1',
    'proxy-authorization': 'Basic eA==',
    te: 'trailers',
    'x-forwarded-host': evil.host,
    'x-original-url': '/admin',
    cookie: 'session=1',
    dpop: 'x',
  }
  const got = expectStatus(await call('/echo', { headers }), 200).json.headers
  for (const name of Object.keys(headers)) if (name !== 'connection') assert.equal(got[name], undefined, name)
  assert.equal(got.host, api.host)
  assert.ok(!got.authorization.includes(token))
  const rude = expectStatus(await call('/rude'), 200)
  assert.deepEqual(rude.setCookies, [])
  for (const name of [
    'access-control-allow-origin',
    'www-authenticate',
    'clear-site-data',
    'strict-transport-security',
    'x-hop',
  ])
    assert.equal(rude.headers[name], undefined, name)
  assert.equal(rude.headers['x-own'], 'yes')
  assert.match(rude.headers['content-security-policy'] ?? '', /sandbox/)
  assert.equal(await raw('Content-Length: 4\r\nTransfer-Encoding: chunked'), 400)
})

/** The status of a request whose head is written by hand. */
function raw(lines: string): Promise<number> {
  const { hostname, port } = new URL(server.url)
  const before = api.calls.length
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host: hostname, port: Number(port) })
    const head = `POST /me/v1/proxy/${id}/echo HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\n${lines}\r\n\r\n`
    socket.end(`${head}0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n`)
    socket.once('error', reject)
    socket.once('data', (chunk) => {
      assert.equal(api.calls.length, before)
      resolve(Number(String(chunk).slice(9, 12)))
    })
  })
}

test("T-API-02 another user's account is as unknown as none", async () => {
  const A = await signIn(server, { client: 'agent-a', user: eve })
  const theirs = await meToken(server, A)
  const [one, none] = [
    await refuses(() => callProxy(server, theirs, id, '/user')),
    await refuses(() => callProxy(server, theirs, 'cac_unknown', '/user')),
  ]
  assert.equal(one.status, 404)
  assert.equal(one.text, none.text)
  await refuses(() => callProxy(server, 'rubbish', id, '/user'))
  // After its owner has called, so that whatever is remembered of the account is there.
  expectStatus(await call('/user'), 200)
  assert.equal((await refuses(() => callProxy(server, theirs, id, '/user'))).status, 404)
})

test('T-AGT-03 a client without the right to tokens, a token without the scope, or a wrong method calls nothing', async () => {
  const P = await signIn(server, { client: 'plain', user: ada })
  const answer = await refuses(async () => callProxy(server, await meToken(server, P), id, '/user'))
  assert.equal(answer.json.tenon.reason, 'grant_type_not_allowed')
  const pages = await signIn(server, { client: 'spa', user: ada })
  await refuses(async () => callProxy(server, await meToken(server, pages), id, '/user'))
  await refuses(() => callProxy(server, V.accessToken, id, '/user'))
  await refuses(() => call('/user', { method: 'TRACE' }))
  await refuses(() => call('/user?access_token=x'))
})

test('T-AGT-03 a stop is heard by every node at once, and what it stopped sends nothing more', async () => {
  const page = await V.browser.open(`${server.url}/account/agents`)
  assert.equal(page.name, 'account-agents')
  await V.browser.submit('stop-agent', { action: 'stop' })
  for (const url of server.nodes) {
    const answer = await refuses(() => callProxy({ url }, token, id, '/user'))
    assert.equal(answer.json.tenon.reason, 'agent_stopped')
  }
  await V.browser.submit('resume-agent', { action: 'continue' })
  await eventually('the agent goes on', async () => (await call('/user')).status === 200)
})
