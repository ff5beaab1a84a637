// The network (T-NET): where the server may be sent to, and what it is told about itself.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect as openSocket, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import { authorize, authorizeUrl, exchange, expectStatus, mgmt, signIn } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { selfSignedCertificate } from '../upstream/self-signed.ts'

const server = await startServer()
const { ada } = server.tenant

async function listening(canary: Server): Promise<number> {
  canary.listen(0, '127.0.0.1')
  after(() => canary.close())
  await new Promise((done) => canary.once('listening', done))
  const address = canary.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Something on loopback that must not be called. */
async function openCanary() {
  let connections = 0
  const canary = createServer((_, response) => response.end('{}'))
  canary.on('connection', () => connections++)
  const port = await listening(canary)
  return { port, connections: () => connections }
}

const FORBIDDEN = (port: number) => [
  `http://127.0.0.1:${port}/`,
  `https://127.0.0.1:${port}/`,
  `https://localhost:${port}/`,
  `https://localhost.:${port}/`,
  `https://x.localhost:${port}/`,
  `https://0:${port}/`,
  `https://0.0.0.0:${port}/`,
  `https://127.1:${port}/`,
  `https://2130706433:${port}/`,
  `https://0x7f000001:${port}/`,
  `https://017700000001:${port}/`,
  `https://[::1]:${port}/`,
  `https://[::]:${port}/`,
  `https://[::ffff:127.0.0.1]:${port}/`,
  'https://[::ffff:a9fe:a9fe]/',
  'https://[64:ff9b::7f00:1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://10.0.0.1/',
  'https://192.168.1.1/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'http://idp.example.com/',
  'https://user:secret@idp.example.com/',
  'file:///etc/passwd',
  'gopher://idp.example.com/',
  'https://idp.example.com:22/',
  'https://idp.example.com:5432/',
]

test('T-NET-01 a private, odd or clear-text address is refused when it is saved, and never called', async () => {
  const canary = await openCanary()
  const closed = await startServer({
    providers: {
      inside: await startOidcProvider({ name: 'inside', alg: 'ES256' }),
      files: await startOAuth2Provider({ name: 'files', users: { ada: {} } }),
    },
    allowedNetworks: [],
  })
  const api = await mgmt(closed)
  const options = { client_id: 'x', client_secret: 'y' }
  for (const [at, url] of FORBIDDEN(canary.port).entries()) {
    const bodies = [
      { strategy: 'oidc', options: { ...options, issuer: url } },
      { strategy: 'oidc', options: { ...options, issuer: 'https://idp.example.com/', token_endpoint: url } },
      { strategy: 'oidc', options: { ...options, issuer: 'https://idp.example.com/', jwks_uri: url } },
      { strategy: 'oauth2', options: { ...options, authorizationURL: 'https://idp.example.com/', tokenURL: url } },
      { strategy: 'github', options: { ...options, endpoints: { userinfo: url } } },
    ]
    const answers = await Promise.all(bodies.map((body) => api.post('/connections', { name: `evil-${at}`, ...body })))
    const logout = { name: 'told', oidc_logout: { backchannel_logout_urls: [url] } }
    answers.push(
      await api.post('/clients', logout),
      await api.patch('/clients/web', { oidc_logout: logout.oidc_logout }),
    )
    answers.push(await api.patch('/tenants/settings', { webhooks: [{ url, secret: 'a secret of many words' }] }))
    for (const [which, { status, text, json }] of answers.entries()) {
      assert.equal(status, 400, `${url} ${which} ${text}`)
      assert.match(json.errorCode, /^(address_blocked|invalid_body)$/, `${url} ${which} ${text}`)
    }
  }
  // The same with a public name is taken: it was the address.
  const url = 'https://hooks.example.com/'
  expectStatus(await api.patch('/clients/web', { oidc_logout: { backchannel_logout_urls: [url] } }), 200)
  expectStatus(await api.patch('/tenants/settings', { webhooks: [{ url, secret: 'a secret of many words' }] }), 200)
  // The tenant file's are taken (doctor warns), and refused when they are called.
  for (const connection of ['inside', 'files']) {
    const before = closed.providers[connection as 'inside'].log.length
    const browser = new Browser()
    const { page } = await authorize(browser, closed, { connection })
    const left = browser.chain.some(({ location }) => location?.startsWith(closed.providers.inside.url))
    assert.ok(page.name === 'error' && !left, connection)
    const calls = closed.providers[connection as 'inside'].log.slice(before).filter(({ method }) => method === 'POST')
    assert.equal(calls.length, 0, connection)
  }
  assert.equal(closed.providers.inside.log.length, 0)
  assert.equal(canary.connections(), 0)
})

test('T-NET-01 a provider that redirects our calls sends us nowhere', async () => {
  const canary = await openCanary()
  const to = { location: `http://127.0.0.1:${canary.port}/` }
  const provider = await startOidcProvider({ name: 'bouncer', alg: 'ES256', users: { ada: {} } })
  const target = await startServer({ providers: { bouncer: provider } })
  for (const endpoint of ['discovery', 'jwks', 'token', 'userinfo'] as const) {
    for (const status of [302, 307]) {
      provider.fail(endpoint, { status, headers: to, body: '' })
      const { page } = await authorize(new Browser(), target, { connection: 'bouncer' })
      assert.ok(page.name === 'error' || page.params.has('code'), `${endpoint} ${status}: ${page.url}`)
      provider.reset()
    }
  }
  assert.equal(canary.connections(), 0)
})

test('T-NET-02 a token answer of the wrong kind ends in an error page, and a bad refresh leaves what is kept', async () => {
  const { calendar } = server.providers
  server.person('bombed', ['calendar'])
  const nonsense: Record<string, object> = {
    'no JSON': { status: 200, body: '<html>hello</html>' },
    'a list': { status: 200, body: [] },
    nothing: { status: 204, body: '' },
    'no token': { status: 200, body: { token_type: 'Bearer' } },
    'another token type': { status: 200, body: { access_token: 'x', token_type: 'mac' } },
    'a scope list': { status: 200, body: { access_token: 'x', token_type: 'Bearer', scope: ['a'] } },
    'no life': { status: 200, body: { access_token: 'x', token_type: 'Bearer', expires_in: 'soon' } },
    'broken text': { status: 200, body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) },
  }
  for (const [name, failure] of Object.entries(nonsense)) {
    calendar.fail('token', failure)
    const before = (await (await mgmt(server)).get('/users?include_totals=true&per_page=1')).json.total
    const started = Date.now()
    const { page } = await authorize(new Browser(), server, { connection: 'calendar' })
    assert.equal(page.name, 'error', name)
    assert.ok(page.status < 500 || page.status === 502 || page.status === 503, `${name}: ${page.status}`)
    assert.ok(Date.now() - started < 11_000, name)
    assert.equal((await (await mgmt(server)).get('/users?include_totals=true&per_page=1')).json.total, before)
  }
  calendar.reset()
  // A bad refresh leaves what is kept, and serves nothing of it.
  const who = await signIn(server, { connection: 'calendar' })
  const kept = expectStatus(await exchange(server, { connection: 'calendar', subjectToken: who.refreshToken }), 200)
  calendar.expireAccessTokens()
  await changesNothing(server, async () => {
    const again = await exchange(server, { connection: 'calendar', subjectToken: who.refreshToken })
    assert.equal(again.json.access_token, kept.json.access_token)
  })
})

test('T-NET-03 no header changes what the server says of itself', async () => {
  const hostile = {
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-port': '444',
    'x-original-url': '/evil',
    'x-rewrite-url': '/evil',
    forwarded: 'host=evil.test;proto=https',
    host: 'evil.test',
  }
  for (const path of [
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-protected-resource/me/v1',
    '/openapi.json',
  ]) {
    const plain = await request(`${server.url}${path}`)
    const { status, text } = await request(`${server.url}${path}`, { headers: hostile })
    if (status !== 200) assert.ok(status === 400 || status === 421, path)
    else assert.equal(text, plain.text, path)
  }
  const browser = new Browser({ headers: hostile })
  await browser.open(authorizeUrl(server, { extra: { screen_hint: 'reset-password' } }).url)
  await browser.submit('reset', { fields: { email: ada.email } })
  const links = await eventually('the mail', () => server.mails().find(({ to }) => to === ada.email)?.links)
  for (const link of links) assert.ok(link.startsWith(server.issuer), link)
  const who = await signIn(server, { browser: new Browser({ headers: hostile }), connection: 'calendar' }).catch(
    (error) => error,
  )
  assert.ok(!(who instanceof Error), String(who))
  assert.equal(who.claims.iss, server.issuer)
  for (const { headers, body } of [...browser.seen, ...who.browser.seen]) {
    assert.doesNotMatch(`${headers.location ?? ''} ${body}`, /evil/)
  }
  const absolute = await request(server.url, { target: 'http://evil.test/.well-known/openid-configuration' })
  assert.doesNotMatch(absolute.text, /evil/)
  const doubled = await raw('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n')
  assert.match(doubled, /^HTTP\/1\.1 400/)
})

/** What comes back on one connection until it ends or falls silent. */
function raw(text: string, url = server.url): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = openSocket(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
  })
}

test('T-NET-04 a request that two readers could read in two ways is refused and the connection closed', async () => {
  const post = 'POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'
  const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const requests = {
    'length and chunks': `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'two lengths': `${post}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    'a list of lengths': `${post}Content-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
    'an odd length': `${post}Content-Length: +5\r\n\r\nhello${smuggled}`,
    'an odd coding': `${post}Transfer-Encoding: xchunked\r\n\r\n${smuggled}`,
    'a coding after chunked': `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
    'a folded header': `${post}X-A: b\r\n Content-Length: 5\r\nContent-Length: 0\r\nTransfer-Encoding:\r\n chunked\r\n\r\n${smuggled}`,
    'a space before the colon': `${post}Content-Length : 5\r\n\r\nhello${smuggled}`,
    'a bare line feed': `POST /oauth/token HTTP/1.1\nHost: x\nContent-Length: 0\nTransfer-Encoding: chunked\n\n0\n\n${smuggled}`,
    'a long chunk extension': `${post}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(65_536)}\r\nx\r\n0\r\n\r\n${smuggled}`,
    'a null in a header': `${post}X-A: a\u0000b\r\nContent-Length: 0\r\n\r\n${smuggled}`,
  }
  const answers = await Promise.all(
    Object.entries(requests).map(async ([name, text]) => [name, await raw(text)] as const),
  )
  for (const [name, said] of answers) {
    assert.match(said, /^HTTP\/1\.1 4\d\d/, name)
    assert.doesNotMatch(said, /"status":"ok"/, `${name}: the second request was answered`)
  }
})

test('T-NET-05 a thousand silent connections keep nobody out', async () => {
  const sockets: Socket[] = []
  const port = Number(new URL(server.url).port)
  await Promise.all(
    Array.from(
      { length: 1000 },
      (_, at) =>
        new Promise<void>((done) => {
          const socket = openSocket(port, '127.0.0.1', () => {
            if (at % 2 === 0) socket.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Le')
            done()
          })
          socket.on('error', () => done())
          sockets.push(socket)
        }),
    ),
  )
  const started = Date.now()
  await signIn(server, { user: ada })
  assert.ok(Date.now() - started < 20_000)
  for (const socket of sockets) socket.destroy()
})

test('T-NET-06 a provider with a certificate that nobody vouches for is not spoken to', async () => {
  let requests = 0
  const { cert, key } = selfSignedCertificate()
  const impostor = createHttps({ cert, key }, (_, response) => {
    requests++
    response.end('{}')
  })
  const port = await listening(impostor as unknown as Server)
  const target = await startServer({
    providers: { honest: await startOidcProvider({ name: 'honest', alg: 'ES256' }) },
    tenant: (file) => {
      const honest = file.connections.find(({ name }) => name === 'honest')
      file.connections.push({
        ...honest,
        name: 'impostor',
        options: { client_id: 'x', client_secret: 'y', issuer: `https://127.0.0.1:${port}` },
      })
    },
  })
  const { page } = await authorize(new Browser(), target, { connection: 'impostor' })
  assert.equal(page.name, 'error')
  assert.equal(requests, 0)
})

test('T-NET-08 an answer with somebody in it is kept by nobody, whatever the URL looks like', async () => {
  const { accessToken, browser } = await signIn(server, { user: ada })
  const headers = { authorization: `Bearer ${accessToken}` }
  for (const path of [
    '/userinfo/x.css',
    '/userinfo;x.css',
    '/userinfo%2fx.css',
    '/account/x.css',
    '/account;a.js',
    '/me/v1/connected-accounts/accounts/x.css',
    '/api/v2/users.css',
  ]) {
    const answer = await request(`${server.url}${path}`, {
      headers: { ...headers, cookie: browser.jar.header(new URL(server.url), 'GET', undefined) },
    })
    assert.ok(answer.status >= 400, `${path}: ${answer.status}`)
    assert.doesNotMatch(answer.text, /Ada|ada@/, path)
  }
  const info = await request(`${server.url}/userinfo`, { headers })
  assert.match(info.headers['cache-control'] ?? '', /no-store/)
})
