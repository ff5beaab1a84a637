// Somebody who can write to the database, or took a copy of it, and keys that go wrong (attack catalogue, T-VAULT).
import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import { runTenon } from '../cli/run.ts'
import { authorizeUrl, connect, exchange, meToken, mgmt, type SignedIn, signIn, silently } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startDeployment } from '../support/deployment.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import type { Person } from '../support/tenant.ts'

const users = { ada: { login: 'ada' }, eve: { login: 'eve' } }
const calendar = await startOidcProvider({ name: 'calendar', refresh: 'always', rotation: 'rotating', users })
const other = await startOidcProvider({ name: 'other', refresh: 'always', users, alg: 'ES256' })
const server = await startServer({ providers: { calendar, other } })

/** The database as somebody sees it who has the file and not the keys. */
function inDatabase<T>(work: (file: DatabaseSync) => T): T {
  const file = new DatabaseSync(server.databaseUrl.slice('sqlite:'.length), { timeout: 5000 })
  try {
    return work(file)
  } finally {
    file.close()
  }
}

interface Row {
  readonly id: string
  readonly user_id: string
  readonly generation: number
  readonly envelope: Uint8Array
}

const rowOf = (id: string): Row =>
  // The columns that the query names.
  inDatabase((file) =>
    file.prepare('select id, user_id, generation, envelope from accounts where id = ?').get(id),
  ) as unknown as Row

const edit = (sql: string, ...values: (string | number | Uint8Array)[]) =>
  inDatabase((file) => {
    assert.ok(Number(file.prepare(sql).run(...values).changes) > 0, sql)
  })

interface Victim extends SignedIn {
  readonly accountId: string
}

async function connected(person: Person, upstream: string): Promise<Victim> {
  const who = await signIn(server, { user: person })
  calendar.switchUser(upstream)
  const token = await meToken(server, who)
  const { id } = await connect(who.browser, server, { token, connection: 'calendar' })
  return { ...who, accountId: id }
}

const V = await connected(server.tenant.ada, 'ada')
const A = await connected(server.tenant.eve, 'eve')

const ask = ({ refreshToken }: SignedIn, fields: Record<string, string> = {}): Promise<Answer> =>
  exchange(server, { connection: 'calendar', subjectToken: refreshToken, fields })

/** Refused exchanges that the record calls damage. */
const recorded = async () =>
  (await eventsOf(server, 'vault.exchanged')).filter(({ data }) => data?.reason === 'vault_integrity').length

/** The exchange fails closed after an edit, says why, records it; and works again once the row is as it was. */
async function failsClosed(what: string, who: Victim, change: () => void): Promise<void> {
  const { user_id, generation, envelope, id } = rowOf(who.accountId)
  const events = await recorded()
  const calls = calendar.calls('token').length
  change()
  try {
    for (const fields of [{}, { min_ttl: '86400' }]) {
      const answer = await ask(who, fields)
      assert.equal(answer.status, 401, `${what}: ${answer.text}`)
      assert.equal(answer.json.tenon.code, 'reconnect_required', what)
      assert.equal(answer.json.tenon.reason, 'vault_integrity', what)
    }
    assert.equal(calendar.calls('token').length, calls, `${what}: no call to the provider`)
    assert.equal(await recorded(), events + 2, `${what}: in the record`)
    const alarms = await eventsOf(server, 'vault.integrity_failed')
    assert.ok(
      alarms.some(({ accountId }) => accountId === id),
      `${what}: an alarm`,
    )
  } finally {
    edit(
      'update accounts set user_id = ?, generation = ?, envelope = ? where id = ?',
      user_id,
      generation,
      envelope,
      id,
    )
  }
  assert.equal((await ask(who)).status, 200, `${what}: whole again`)
}

test("T-VAULT-01 another account's envelope in a row gives no token", async () => {
  await failsClosed("a victim's envelope in the attacker's row", A, () => {
    edit('update accounts set envelope = ? where id = ?', rowOf(V.accountId).envelope, A.accountId)
  })
  await failsClosed('with its generation', A, () => {
    const { envelope, generation } = rowOf(V.accountId)
    edit('update accounts set envelope = ?, generation = ? where id = ?', envelope, generation, A.accountId)
  })
  await failsClosed("the attacker's envelope in the victim's row", V, () => {
    edit('update accounts set envelope = ? where id = ?', rowOf(A.accountId).envelope, V.accountId)
  })
})

test("T-VAULT-01 a victim's row under the attacker's name gives no token", async () => {
  const own = inDatabase((file) => file.prepare('select wrapped from user_keys where user_id = ?').get(A.sub))
  const theirs = inDatabase((file) => file.prepare('select wrapped from user_keys where user_id = ?').get(V.sub))
  // Wrapped keys are blobs.
  const [ownKey, theirKey] = [own?.wrapped as Uint8Array, theirs?.wrapped as Uint8Array]
  const hint = { login_hint: V.accountId }
  for (const [what, key] of [
    ['the row', ownKey],
    ['row and key', theirKey],
  ] as const) {
    edit('update accounts set user_id = ? where id = ?', A.sub, V.accountId)
    edit('update user_keys set wrapped = ? where user_id = ?', key, A.sub)
    const answer = await ask(A, hint)
    assert.equal(answer.json.tenon?.reason, 'vault_integrity', `${what}: ${answer.text}`)
    edit('update user_keys set wrapped = ? where user_id = ?', ownKey, A.sub)
    edit('update accounts set user_id = ? where id = ?', V.sub, V.accountId)
  }
  assert.equal((await ask(V)).status, 200)
})

test('T-VAULT-01 a row that was rolled back gives no token', async () => {
  const old = rowOf(V.accountId)
  assert.equal((await ask(V, { min_ttl: '86400' })).status, 200)
  assert.ok(rowOf(V.accountId).generation > old.generation, 'refreshed since')
  await failsClosed('the old envelope', V, () => {
    edit('update accounts set envelope = ? where id = ?', old.envelope, V.accountId)
  })
  await failsClosed('the old generation', V, () => {
    edit('update accounts set generation = ? where id = ?', old.generation, V.accountId)
  })
})

test('T-VAULT-01 scopes that were widened in the row widen nothing', async () => {
  const granted = inDatabase((file) =>
    file.prepare('select scopes_granted from accounts where id = ?').get(V.accountId),
  )
  edit('update accounts set scopes_granted = ? where id = ?', '["openid","everything"]', V.accountId)
  const answer = await ask(V, { scope: 'everything' })
  assert.equal(answer.json.tenon?.code, 'scope_missing')
  edit('update accounts set scopes_granted = ? where id = ?', String(granted?.scopes_granted), V.accountId)
})

test("T-VAULT-01 another connection's client secret does not open, and nothing breaks", async () => {
  const secrets = inDatabase((file) => file.prepare('select id, name, secret_envelope from connections').all())
  const of = (name: string) => secrets.find((row) => row.name === name)
  const [mine, theirs] = [of('calendar'), of('other')]
  const id = String(mine?.id)
  edit('update connections set secret_envelope = ? where id = ?', theirs?.secret_envelope as Uint8Array, id)
  for (const fields of [{}, { min_ttl: '86400' }]) {
    const answer = await ask(V, fields)
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`)
    assert.equal(answer.json.tenon.reason, 'vault_integrity')
  }
  const browser = new Browser()
  const page = await browser.open(authorizeUrl(server).url)
  assert.equal(page.name, 'login', 'the other ways to sign in are there')
  const refused = await browser.submit('connection', { connection: 'calendar' })
  assert.equal(refused.error, 'connection_unavailable')
  edit('update connections set secret_envelope = ? where id = ?', mine?.secret_envelope as Uint8Array, id)
  assert.equal((await ask(V)).status, 200)
})

test('T-VAULT-02 an envelope with any bit changed, cut, or replaced by something older or plain opens never', async () => {
  const whole = Buffer.from(rowOf(V.accountId).envelope)
  const changed = (at: number, to: (byte: number) => number) => {
    const copy = Buffer.from(whole)
    copy[at] = to(copy[at] ?? 0)
    return copy
  }
  const plain = JSON.stringify({ access_token: 'x', token_type: 'Bearer' })
  const flips = [0, 1, 2, 8, 16, 24, 32, 40, whole.length - 17, whole.length - 16, whole.length - 1]
  const edits: Record<string, Uint8Array> = {
    ...Object.fromEntries(flips.map((at) => [`bit of byte ${at}`, changed(at, (byte) => byte ^ 1)])),
    'version 0': changed(0, () => 0),
    'version 255': changed(0, () => 255),
    'no tag': whole.subarray(0, -16),
    'short tag': whole.subarray(0, -1),
    'one byte more': Buffer.concat([whole, Buffer.from([0])]),
    'header alone': whole.subarray(0, 20),
    empty: Buffer.alloc(0),
    'plain JSON': Buffer.from(plain),
    'version and plain JSON': Buffer.concat([whole.subarray(0, 1), Buffer.from(plain)]),
    random: randomBytes(whole.length),
  }
  for (const [what, envelope] of Object.entries(edits)) {
    await failsClosed(what, V, () => edit('update accounts set envelope = ? where id = ?', envelope, V.accountId))
  }
})

test('T-VAULT-02 every envelope has a nonce of its own', async () => {
  const seen = new Set<string>()
  for (let turn = 0; turn < 20; turn++) {
    assert.equal((await ask(V, { min_ttl: '86400' })).status, 200)
    // docs/formats/envelope.md: version, length of the key id, key id, nonce.
    const envelope = Buffer.from(rowOf(V.accountId).envelope)
    const at = 2 + (envelope[1] ?? 0)
    seen.add(envelope.subarray(at, at + 12).toString('hex'))
  }
  assert.equal(seen.size, 20)
})

test('T-VAULT-04 a start with a wrong key is refused before anything is written', async () => {
  const deployment = await startDeployment({ providers: [] })
  try {
    await deployment.stop()
    const digest = () =>
      createHash('sha256')
        .update(readFileSync(join(deployment.dataDir, 'tenon.db')))
        .digest('hex')
    const before = digest()
    for (const args of [
      ['serve', '--port', '0'],
      ['keys', 'rotate'],
      ['keys', 'prune'],
    ]) {
      const flags = ['--data-dir', deployment.dataDir, '--vault-key', 'env:WRONG']
      const ended = await runTenon([...args, ...flags], { WRONG: randomBytes(32).toString('base64') })
      assert.equal(ended.code, 2, `${args}: ${ended.stderr}`)
      assert.equal(ended.stdout, '', 'never ready')
      assert.equal(digest(), before, `${args} wrote`)
    }
    const wal = join(deployment.dataDir, 'tenon.db-wal')
    assert.ok(!existsSync(wal) || readFileSync(wal).length === 0)
    await deployment.start()
    assert.equal((await request(`${deployment.url}/readyz`)).status, 200, 'the right key still opens it')
  } finally {
    await deployment.close()
  }
})

test('T-VAULT-04 and T-VAULT-07: the vault key rotates beside exchanges; sessions and tokens go on, and so does everything after the old key is gone', async () => {
  const deployment = await startDeployment({ providers: [calendar] })
  try {
    calendar.switchUser('ada')
    const who = await signIn(deployment, { user: deployment.tenant.ada })
    const token = await meToken(deployment, who)
    await connect(who.browser, deployment, { token, connection: 'calendar' })
    const answers: number[] = []
    let going = true
    const exchanging = (async () => {
      for (let turn = 0; going; turn++) {
        const fields = turn % 5 === 0 ? { min_ttl: '86400' } : {}
        const asked = { connection: 'calendar', subjectToken: who.refreshToken, fields }
        answers.push((await exchange(deployment, asked)).status)
      }
    })()
    const run = (...args: string[]) => runTenon(['keys', ...args, '--data-dir', deployment.dataDir])
    const rotated = await run('rotate', '--vault')
    assert.equal(rotated.code, 0, rotated.stderr)
    // What the server wrote while the rotation ran may still be under the old key: pruning keeps what is in use.
    await eventually('the old key is in use nowhere', async () => (await run('prune')).stdout.includes('Removed kek_'))
    const signed = await run('rotate', '--signing')
    assert.equal(signed.code, 0, signed.stderr)
    going = false
    await exchanging
    await deployment.stop()
    assert.ok(answers.length > 0)
    assert.deepEqual(new Set(answers), new Set([200]))
    await deployment.start()
    const last = { connection: 'calendar', subjectToken: who.refreshToken, fields: { min_ttl: '86400' } }
    assert.equal((await exchange(deployment, last)).status, 200)
    assert.equal(await silently(who.browser, deployment), 'code', 'the session lives')
    const bearer = { headers: { authorization: `Bearer ${token}` } }
    const accounts = await request(`${deployment.url}/me/v1/connected-accounts/accounts`, bearer)
    assert.equal(accounts.status, 200, 'an access token that the previous key signed lives')
  } finally {
    await deployment.close()
  }
})

test('T-VAULT-05 no door shows what goes on inside', async () => {
  const paths = [
    '/metrics',
    '/debug',
    '/debug/pprof',
    '/heapdump',
    '/__inspect',
    '/json',
    '/env',
    '/.env',
    '/server.ts',
    '/src/app.ts',
    '/assets/../package.json',
    '/assets/%2e%2e/package.json',
    '/assets/style.css.map',
  ]
  for (const path of paths) {
    const answer = await request(server.url, { target: path })
    assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`)
  }
  const broken = [
    request(`${server.url}/oauth/token`, { body: '{', headers: { 'content-type': 'application/json' } }),
    request(`${server.url}/oauth/token`, { form: { grant_type: 'x' } }),
    request(`${server.url}/api/v2/users`, { headers: { authorization: 'Bearer x' } }),
    request(`${server.url}/login/callback/calendar?state=x`, { headers: { accept: 'text/html' } }),
    request(`${server.url}/authorize?client_id[]=x`),
  ]
  for (const { status, text } of await Promise.all(broken)) {
    assert.ok(status >= 400 && status < 500, text)
    assert.doesNotMatch(text, /\bat .*\.(ts|js):\d|node_modules|node:internal/)
  }
})

test('T-VAULT-06 the key set holds public members alone, one key for each kid, and verifies what was signed', async () => {
  const { json } = await request(`${server.url}/.well-known/jwks.json`)
  const kids = json.keys.map(({ kid }: { kid: string }) => kid)
  assert.equal(new Set(kids).size, kids.length)
  const known = new Set(['kty', 'kid', 'use', 'alg', 'n', 'e', 'x5c', 'x5t'])
  for (const key of json.keys) {
    for (const member of Object.keys(key)) assert.ok(known.has(member), `member ${member}`)
    assert.ok(Buffer.from(key.n, 'base64url').length >= 256, 'at least 2048 bits')
  }
  const [header = '', body, signature = ''] = V.idToken.split('.')
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const jwk = json.keys.find((key: { kid: string }) => key.kid === kid)
  const input = Buffer.from(`${header}.${body}`)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  assert.ok(verify('sha256', input, key, Buffer.from(signature, 'base64url')))
})

test('T-VAULT-03 a copy of the database without its keys shows no secret of a connection, a client or a token', async () => {
  const api = await mgmt(server)
  const connections = await api.get('/connections')
  for (const secret of [calendar.clientSecret, other.clientSecret]) assert.ok(!connections.text.includes(secret))
  const bytes = ['tenon.db', 'tenon.db-wal']
    .map((name) => join(server.dataDir, name))
    .filter(existsSync)
    .map((file) => readFileSync(file).toString('latin1'))
    .join('')
  const secrets = [
    ...calendar.secrets,
    calendar.clientSecret,
    other.clientSecret,
    ...Object.values(server.tenant.secrets),
  ]
  for (const secret of [...secrets, V.refreshToken, V.accessToken, server.tenant.ada.password])
    assert.ok(!bytes.includes(secret), 'a secret in the database')
  assert.ok(!bytes.includes('PRIVATE KEY') && !/"d":"[\w-]{40}/.test(bytes), 'a signing key in the database')
})
