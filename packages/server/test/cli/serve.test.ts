import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Running, startSmallApp } from './run.ts'

async function running(
  t: { after(work: () => Promise<void>): void },
  flags: readonly string[] = [],
  dataDir?: string,
): Promise<Running> {
  const server = await startSmallApp(flags, dataDir)
  t.after(server.close)
  return server
}

const get = async (url: string): Promise<{ pid: number; issuer: string }> =>
  // The small application answers with nothing else.
  (await (await fetch(url)).json()) as { pid: number; issuer: string }

/** Asks until the answer is as wanted. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(50)) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
  }
  throw new Error('it never came')
}

/** The request that takes its time has arrived. */
const inFlight = (server: Running) =>
  eventually(async () => server.stderr().includes('"event":"slow_request"') || undefined)

const refusesConnections = (server: Running) =>
  eventually(() =>
    fetch(server.url, { headers: { connection: 'close' } }).then(
      () => undefined,
      () => true,
    ),
  )

/** One connection for each request, as different clients have. */
const pids = async (url: string, count: number) =>
  new Set(
    await Promise.all(
      Array.from({ length: count }, async () => {
        const response = await fetch(url, { headers: { connection: 'close' } })
        // The small application answers with nothing else.
        return ((await response.json()) as { pid: number }).pid
      }),
    ),
  )

for (const flags of [[], ['--workers', '2']]) {
  const name = flags.length > 0 ? 'serve with workers' : 'serve'

  test(`${name}: one line on standard output, the issuer is the listening URL with a slash, logs are JSON`, async (t) => {
    const server = await running(t, flags)
    assert.equal(server.issuer, `${server.url}/`)
    assert.equal((await get(server.url)).issuer, server.issuer)
    assert.equal(server.stdout().trim().split('\n').length, 1)
    const lines = server
      .stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines.filter((line) => line.event === 'prepared').length, 1)
    assert.ok(lines.some((line) => line.event === 'node_warning' && line.name === 'DeprecationWarning'))
    assert.ok(!lines.some((line) => line.name === 'ExperimentalWarning'))
  })

  test(`${name}: SIGTERM lets the request in flight finish, takes no new connection, and ends with 0`, async (t) => {
    const server = await running(t, flags)
    const slow = get(`${server.url}/slow`)
    await inFlight(server)
    server.child.kill('SIGTERM')
    await refusesConnections(server)
    assert.ok((await slow).pid)
    assert.equal((await server.ended).code, 0)
  })

  test(`${name}: an idle connection that is kept alive does not delay the end`, async (t) => {
    const server = await running(t, flags)
    await get(server.url)
    const asked = Date.now()
    server.child.kill('SIGINT')
    assert.equal((await server.ended).code, 0)
    // A connection that is kept alive would have held it for a minute.
    assert.ok(Date.now() - asked < 30_000)
  })

  test(`${name}: a second signal ends at once`, async (t) => {
    const server = await running(t, flags)
    const slow = get(`${server.url}/endless`).catch(() => 'cut')
    await inFlight(server)
    server.child.kill('SIGTERM')
    await eventually(async () => server.stderr().includes('"event":"stopping"') || undefined)
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 1)
    assert.equal(await slow, 'cut')
  })

  test(`${name}: /metrics answers on its own port alone and counts every process`, async (t) => {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const server = await running(t, [...flags, '--metrics-port', String(port)])
    await pids(server.url, 6)
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
    assert.match(await response.text(), /^requests_total 6$/m)
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
  })

  test(`${name}: --tls-self-signed serves https for who trusts ca.pem`, async (t) => {
    const server = await running(t, [...flags, '--tls-self-signed'])
    assert.match(server.issuer, /^https:\/\/127\.0\.0\.1:\d+\/$/)
    const ca = readFileSync(join(server.dataDir, 'tls', 'ca.pem'))
    const status = await new Promise((resolve, reject) =>
      request(server.url, { ca, agent: false }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    )
    assert.equal(status, 200)
  })
}

test('serve with workers: each takes a share, and one that dies is replaced on the same port', async (t) => {
  const server = await running(t, ['--workers', '2'])
  const before = await pids(server.url, 8)
  assert.equal(before.size, 2)
  await fetch(`${server.url}/die`).catch(() => undefined)
  const after = await eventually(async () => {
    const now = await pids(server.url, 8)
    return now.size === 2 && [...now].some((pid) => !before.has(pid)) ? now : undefined
  })
  assert.equal(after.size, 2)
})

test('serve with workers: when all die at once they come back on the same port', async (t) => {
  const server = await running(t, ['--workers', '2'])
  const before = await pids(server.url, 8)
  for (const pid of before) process.kill(pid, 'SIGKILL')
  const after = await eventually(async () => {
    const now = await pids(server.url, 8)
    return now.size === 2 ? now : undefined
  })
  for (const pid of before) assert.ok(!after.has(pid))
  assert.equal((await get(server.url)).issuer, server.issuer)
})

test('serve: a second one on the same SQLite file is refused, also after the first was killed and came back', async (t) => {
  const first = await running(t)
  await assert.rejects(startSmallApp([], first.dataDir), /another server is using/)
  first.child.kill('SIGKILL')
  await first.ended
  await running(t, [], first.dataDir)
})

test('serve: a port that is taken ends the start with status 1 and a sentence', async (t) => {
  const first = await running(t)
  const port = new URL(first.url).port
  await assert.rejects(startSmallApp(['--port', port]), /port \d+ of 127.0.0.1 is in use/)
})

test('serve: the data folder is made for its owner alone', async (t) => {
  const server = await running(t)
  assert.equal(statSync(server.dataDir).mode & 0o777, 0o700)
})

test('serve: a configured issuer is the one that it says and uses', async (t) => {
  const server = await running(t, ['--issuer', 'https://auth.example.test/'])
  assert.equal(server.issuer, 'https://auth.example.test/')
  assert.equal((await get(server.url)).issuer, server.issuer)
})
