import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import test, { after } from 'node:test'
import { gzipSync } from 'node:zlib'
import { bombs, type Responder } from '@tenon/sdk/testing'
import { UpstreamRefused, UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { createSafeFetch, standardFetch } from '../../src/upstream/safe-fetch.ts'
import { LOOPBACK, loopbackFetch } from './app.ts'
import { selfSignedCertificate } from './self-signed.ts'

/** A server that does as `respond` says, on loopback. */
async function listen(respond: Responder): Promise<string> {
  const server = createServer(respond)
  return `http://127.0.0.1:${await portOf(server)}`
}

async function portOf(server: Server | ReturnType<typeof createTlsServer>): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Counts connections to every loopback address, and answers nothing. */
async function canary(): Promise<{ readonly port: number; connections(): number }> {
  let count = 0
  const server = createTcpServer((socket) => {
    count++
    socket.destroy()
  })
  await new Promise<void>((done) => server.listen(0, '::', done))
  after(() => server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, connections: () => count }
}

const refused = (code: string, detail?: string) => (error: unknown) =>
  error instanceof UpstreamRefused && error.code === code && (detail === undefined || error.detail === detail)
const unavailable = (reason: string) => (error: unknown) =>
  error instanceof UpstreamUnavailable && error.reason === reason

test('T-NET-01: no spelling of a private address is connected to', async () => {
  const { port, connections } = await canary()
  const fetch = createSafeFetch({ allowedPrivateNetworks: [] })
  after(() => fetch.close())
  const hosts = [
    ...['127.0.0.1', 'localhost', 'localhost.', '0', '0.0.0.0', '127.1', '2130706433', '0x7f000001', '017700000001'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '127.0.0.1.'],
  ]
  for (const host of hosts) {
    for (const scheme of ['https', 'http']) {
      // Some name servers do not know `localhost.`; that is no connection either.
      const expected = host === 'localhost.' ? Error : refused('address_blocked')
      await assert.rejects(fetch(`${scheme}://${host}:${port}/`), expected, `${scheme} ${host}`)
    }
  }
  for (const url of [
    `https://a:b@127.0.0.1:${port}/`,
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'https://[fe80::1%25lo]/',
  ]) {
    await assert.rejects(fetch(url), refused('address_blocked'), url)
  }
  assert.equal(connections(), 0)
})

test('T-NET-01: one private address among the answers of the name server forbids the name', async () => {
  const { port, connections } = await canary()
  const answers = [
    [{ address: '127.0.0.1', family: 4 }],
    [
      { address: '1.1.1.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
    [{ address: '::ffff:127.0.0.1', family: 6 }],
    [{ address: '169.254.169.254', family: 4 }],
    [],
  ]
  for (const addresses of answers) {
    const fetch = createSafeFetch({ allowedPrivateNetworks: [], resolve: async () => addresses })
    await assert.rejects(fetch(`https://rebound.example:${port}/`), refused('address_blocked'))
    await fetch.close()
  }
  assert.equal(connections(), 0)
})

test('T-NET-01: the address that was checked is the one that is called, although the name server changes its mind', async () => {
  let asked = 0
  const origin = await listen((_request, response) => {
    response.end('here')
  })
  const resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }]
  const fetch = createSafeFetch({ allowedPrivateNetworks: ['127.0.0.1/32'], resolve })
  after(() => fetch.close())
  const url = new URL(origin)
  const { text } = await fetch(`http://rebound.example:${url.port}/`)
  assert.equal(text, 'here')
  assert.equal(asked, 1)
})

test('T-NET-01: plain http is for allowed networks', async () => {
  const origin = await listen((_request, response) => {
    response.end('ok')
  })
  assert.equal((await loopbackFetch()(origin)).text, 'ok')
  const fetch = createSafeFetch({ allowedPrivateNetworks: ['10.0.0.0/8'] })
  after(() => fetch.close())
  await assert.rejects(fetch(origin), refused('address_blocked'))
})

test('T-NET-01: redirects are answers, and are not followed', async () => {
  const { port, connections } = await canary()
  const origin = await listen(bombs.redirectTo(`http://127.0.0.1:${port}/`, 307))
  const answer = await loopbackFetch()(origin, { method: 'POST', body: 'secret=1' })
  assert.equal(answer.status, 307)
  assert.equal(connections(), 0)
})

test('T-NET-02: a bomb is refused, whatever it is made of', async () => {
  const fetch = loopbackFetch(3)
  const before = process.memoryUsage().rss
  const malformed: [string, Responder, string][] = [
    ['1 GiB', bombs.flood(), 'too_large'],
    ['gzip 1000:1', bombs.gzipBomb(64 * 2 ** 20), 'content_encoding'],
    ['endless headers', bombs.endlessHeaders(), 'headers'],
    ['invalid UTF-8', bombs.invalidUtf8(), 'utf8'],
    [
      'an unknown encoding',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'zstd' }).end('x')
      },
      'content_encoding',
    ],
    [
      'no HTTP',
      ({ socket }) => {
        socket.end('SSH-2.0-OpenSSH_9.9\r\n')
      },
      'http',
    ],
  ]
  for (const [name, respond, detail] of malformed) {
    await assert.rejects(fetch(await listen(respond)), refused('answer_malformed', detail), name)
  }
  assert.ok(process.memoryUsage().rss - before < 256 * 2 ** 20, 'memory stays flat')
})

test('T-NET-02: slow, broken and silent providers end in time', async () => {
  const fetch = loopbackFetch(1)
  const cases: [Responder, string][] = [
    [bombs.trickle(50), 'timeout'],
    [() => undefined, 'timeout'],
    [bombs.unterminatedChunks(), 'network'],
    [bombs.connectionReset(), 'network'],
  ]
  for (const [respond, reason] of cases) {
    const started = Date.now()
    await assert.rejects(fetch(await listen(respond)), unavailable(reason), reason)
    assert.ok(Date.now() - started < 9000)
  }
  await assert.rejects(fetch('http://127.0.0.1:1/'), unavailable('network'))
})

test('a packed answer is unpacked up to 1 MiB', async () => {
  const text = JSON.stringify({ a: 'x'.repeat(500_000) })
  const origin = await listen((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text))
  })
  const answer = await loopbackFetch()(origin)
  assert.equal(answer.text, text)
  assert.equal(answer.headers.get('content-encoding'), null)
})

test('as a standard fetch, a provider that is down or throttles is an error with its Retry-After', async () => {
  const status = { code: 200, retryAfter: '' }
  const origin = await listen((_request, response) => {
    response.writeHead(status.code, status.retryAfter ? { 'retry-after': status.retryAfter } : {}).end()
  })
  const fetch = standardFetch(loopbackFetch())
  const outcome = async (code: number, retryAfter: string) => {
    Object.assign(status, { code, retryAfter })
    return fetch(origin).catch((error: unknown) => error)
  }
  assert.ok((await outcome(204, '')) instanceof Response)
  const waits: [string, number | undefined][] = [
    ['17', 17],
    ['999999', 86_400],
    ['-1', undefined],
    ['soon', undefined],
    [new Date(Date.now() + 30_000).toUTCString(), 30],
  ]
  for (const [header, seconds] of waits) {
    const error = await outcome(429, header)
    assert.ok(error instanceof UpstreamUnavailable && error.reason === 'throttled')
    const wait = error.retryAfterSeconds
    assert.ok(wait === seconds || Math.abs((wait ?? 0) - (seconds ?? 0)) <= 1, header)
  }
  const down = await outcome(503, '')
  assert.ok(down instanceof UpstreamUnavailable && down.reason === 'status')
})

test('T-NET-06: a certificate that nobody vouches for is refused', async () => {
  let served = 0
  const server = createTlsServer(selfSignedCertificate(), (_request, response) => {
    served++
    response.end('ok')
  })
  const port = await portOf(server)
  const fetch = createSafeFetch({ allowedPrivateNetworks: LOOPBACK })
  after(() => fetch.close())
  await assert.rejects(fetch(`https://127.0.0.1:${port}/`), unavailable('network'))
  assert.equal(served, 0)
})
