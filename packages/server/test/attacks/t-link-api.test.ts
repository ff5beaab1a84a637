// Linking over the Management API (T-LINK-06, -07, -09, -12, -13, -15, -16): proofs, cycles, and what unlinking leaves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ApiCaller,
  authorize,
  claimsOf,
  connect,
  currentUserSignIn,
  exchange,
  expectStatus,
  meToken,
  mgmt,
  refresh,
  type SignedIn,
  signIn,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { bareJwt, macJwt, newKey, signJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, oneWinner } from '../support/state.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

const server = await startServer()
const api = await mgmt(server)

interface Own extends SignedIn {
  readonly api: ApiCaller
}

/** Somebody new, with a token of their own for the Management API. */
async function newcomer(
  name: string,
  connection: 'calendar' | 'work' | 'code' = 'calendar',
  at = server,
): Promise<Own> {
  at.person(name, [connection])
  const who = await currentUserSignIn(at, { connection })
  return { ...who, api: await mgmt(at, { token: who.accessToken }) }
}

const identitiesOf = (sub: string) => `${userPath(sub)}/identities`
const link = (by: ApiCaller, sub: string, body: unknown) => by.post(identitiesOf(sub), body)
const named = (sub: string) => ({ provider: sub.slice(0, sub.indexOf('|')), user_id: sub.slice(sub.indexOf('|') + 1) })

test('T-LINK-06 nothing but a fresh ID token of ours, for the calling client, links another account', async () => {
  const attacker = await newcomer('attacker')
  const victim = await newcomer('victim', 'code')
  const elsewhere = await signIn(server, { browser: victim.browser, client: 'web' })
  const header = JSON.parse(Buffer.from(victim.idToken.split('.')[0] ?? '', 'base64url').toString())
  const { claims } = victim
  const key = newKey('RS256')
  const jwks = (await request(`${server.url}/.well-known/jwks.json`)).json.keys
  const forged: Record<string, string> = {
    'another key': signJwt(key, claims, header),
    'a key of its own': signJwt(key, claims, { ...header, jwk: key.publicJwk }),
    'a key by URL': signJwt(key, claims, { ...header, jku: 'https://evil.test/jwks' }),
    'a path as kid': signJwt(key, claims, { ...header, kid: '../../dev/null' }),
    'SQL as kid': signJwt(key, claims, { ...header, kid: "' or '1'='1" }),
    'a list as kid': signJwt(key, claims, { ...header, kid: [header.kid] }),
    crit: signJwt(key, claims, { ...header, crit: ['exp'] }),
    'HS256 by the public key': macJwt(JSON.stringify(jwks[0]), claims, { kid: header.kid }),
    ...Object.fromEntries(
      ['none', 'None', 'nOnE', ''].map((alg) => [`alg ${alg}`, bareJwt(claims, { ...header, alg })]),
    ),
    'no alg': bareJwt(claims, { typ: 'JWT', kid: header.kid }),
    'no signature': `${victim.idToken.split('.').slice(0, 2).join('.')}.`,
    'another subject': [header, { ...claims, sub: attacker.sub }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .concat(victim.idToken.split('.')[2] ?? '')
      .join('.'),
    'five parts': `${victim.idToken}.x.y`,
    'a bomb': `${'A'.repeat(16_000)}.${'B'.repeat(100)}.C`,
    'an access token': victim.accessToken,
    "another client's": elsewhere.idToken,
    'a refresh token': victim.refreshToken,
    "one's own": attacker.idToken,
    nothing: '',
  }
  await changesNothing(server, async () => {
    for (const [name, token] of Object.entries(forged)) {
      const { status, text } = await link(attacker.api, attacker.sub, { link_with: token })
      assert.ok([400, 401, 403].includes(status), `${name}: ${status} ${text}`)
    }
    for (const wrong of [null, 5, [victim.idToken], { token: victim.idToken }])
      assert.equal((await link(attacker.api, attacker.sub, { link_with: wrong })).status, 400)
  })
  passTime(601)
  await changesNothing(server, async () => {
    const old = await link(attacker.api, attacker.sub, { link_with: victim.idToken })
    assert.equal(old.status, 400, 'an old proof')
    // Fresh by its times, and of a person who was here long ago: refreshed, and signed in without a page.
    const refreshed = expectStatus(await refresh(server, 'spa', victim.refreshToken), 200).json.id_token
    const silent = await currentUserSignIn(server, { browser: victim.browser, extra: { prompt: 'none' } })
    for (const token of [refreshed, silent.idToken]) {
      assert.ok(Number(claimsOf(token).iat) > Number(claims.iat))
      assert.equal(
        (await link(attacker.api, attacker.sub, { link_with: token })).status,
        400,
        'an old proof made fresh',
      )
    }
  })
  // The same pair with a proof of now, once.
  const now = await currentUserSignIn(server, { connection: 'code' })
  assert.equal(now.sub, victim.sub)
  expectStatus(await link(attacker.api, attacker.sub, { link_with: now.idToken }), 201)
  assert.ok([400, 404, 409].includes((await link(attacker.api, attacker.sub, { link_with: now.idToken })).status))
})

test('T-LINK-06 the token of a person who is blocked or gone links nobody', async () => {
  const primary = await newcomer('keeper')
  for (const end of ['blocked', 'deleted'] as const) {
    const secondary = await newcomer(end, 'code')
    if (end === 'blocked') expectStatus(await api.patch(userPath(secondary.sub), { blocked: true }), 200)
    else expectStatus(await api.delete(userPath(secondary.sub)), 204)
    await changesNothing(server, async () => {
      const { status } = await link(primary.api, primary.sub, { link_with: secondary.idToken })
      assert.ok(status >= 400 && status < 500, `${end}: ${status}`)
    })
  }
})

for (const database of databases) {
  test(`T-LINK-07 nobody is linked to themselves, and of opposite links one wins and no identity is lost (${database})`, async () => {
    const nodes = await startServer({ nodes: 2, database })
    const callers = await Promise.all(nodes.nodes.map((url) => mgmt(nodes, { url })))
    const at = (index: number) => callers[index % 2] as ApiCaller
    const [one, two] = [await newcomer('one', 'calendar', nodes), await newcomer('two', 'code', nodes)]
    assert.equal((await link(at(0), one.sub, named(one.sub))).status, 400)
    const crossed = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        index % 2 === 0 ? link(at(index), one.sub, named(two.sub)) : link(at(index >> 1), two.sub, named(one.sub)),
      ),
    )
    oneWinner(crossed)
    const users = (await at(0).get('/users?per_page=100')).json
    const identities = users.flatMap((user: { identities: { connection: string }[] }) => user.identities)
    assert.equal(identities.length, 4, 'Ada, Eve and two of the linked one')
    const left = users.find((user: { identities: unknown[] }) => user.identities.length === 2)
    // A cycle, and a member of the linked user named again.
    for (const sub of [one.sub, two.sub]) {
      const { status } = await link(at(0), left.user_id, named(sub))
      assert.ok(status >= 400 && status < 500, `${sub}: ${status}`)
    }
  })
}

test('T-LINK-07 who has secondaries of their own is joined with all of them, once, and no longer a primary', async () => {
  const [top, middle, bottom] = [await newcomer('top'), await newcomer('middle'), await newcomer('bottom', 'work')]
  expectStatus(await link(api, middle.sub, named(bottom.sub)), 201)
  // The identity of a secondary stands for nobody: it is named through its user, or not at all.
  await changesNothing(server, async () => {
    assert.equal((await link(api, top.sub, named(bottom.sub))).status, 409)
    assert.equal((await link(top.api, top.sub, { link_with: bottom.idToken })).status, 404)
  })
  const { json } = expectStatus(await link(api, top.sub, named(middle.sub)), 201)
  assert.deepEqual(
    json.map(({ connection }: { connection: string }) => connection),
    ['calendar', 'calendar', 'work'],
  )
  for (const gone of [middle.sub, bottom.sub]) {
    assert.equal((await api.get(userPath(gone))).status, 404)
    await changesNothing(server, async () => {
      assert.ok([400, 404, 409].includes((await link(api, gone, named(top.sub))).status), 'a chain')
      assert.ok([400, 404, 409].includes((await link(api, top.sub, named(gone))).status), 'twice')
    })
  }
})

test('T-LINK-08 an identity that another user has is not moved by naming it, and whose it is stays unsaid', async () => {
  const owner = await newcomer('owner')
  const second = await newcomer('owned', 'code')
  const taker = await newcomer('taker')
  expectStatus(await link(api, owner.sub, named(second.sub)), 201)
  await changesNothing(server, async () => {
    const answer = await link(api, taker.sub, named(second.sub))
    assert.equal(answer.status, 409)
    for (const word of [owner.sub, String(owner.claims.email)]) assert.ok(!answer.text.includes(word), answer.text)
    const { status } = await link(taker.api, taker.sub, { link_with: second.idToken })
    assert.equal(status, 404)
  })
})

test("T-LINK-09 a person's own token links and unlinks at their own record alone, and only with a proof", async () => {
  const attacker = await newcomer('meddler')
  const victim = await newcomer('target', 'work')
  const other = await newcomer('prize', 'code')
  const paths = [
    victim.sub,
    victim.sub.toUpperCase(),
    `${attacker.sub}/../${victim.sub}`,
    ` ${victim.sub}`,
    `${victim.sub}\u0000`,
  ]
  await changesNothing(server, async () => {
    for (const path of paths) {
      const { status } = await link(attacker.api, path, { link_with: attacker.idToken })
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`)
      const gone = await attacker.api.delete(
        `${identitiesOf(path)}/oidc/${encodeURIComponent(named(victim.sub).user_id)}`,
      )
      assert.ok(gone.status >= 400 && gone.status < 500, `${path}: ${gone.status}`)
    }
    assert.equal((await link(attacker.api, attacker.sub, named(other.sub))).status, 403)
    assert.equal(
      (await link(attacker.api, attacker.sub, { ...named(other.sub), link_with: other.idToken })).status,
      400,
    )
    const raw = await request(`${server.url}/`, {
      method: 'POST',
      target: `/api/v2/users/${encodeURIComponent(attacker.sub)}%2f..%2f${encodeURIComponent(victim.sub)}/identities`,
      headers: { authorization: `Bearer ${attacker.accessToken}` },
      json: { link_with: attacker.idToken },
    })
    assert.ok(raw.status >= 400 && raw.status < 500)
  })
})

test('T-LINK-12 the last way in stays, also when two are taken away at once', async () => {
  const who = await newcomer('unlinker')
  const second = await newcomer('unlinker-second', 'code')
  const alone = await api.delete(`${identitiesOf(who.sub)}/oidc/${encodeURIComponent(named(who.sub).user_id)}`)
  assert.ok(alone.status === 400 || alone.status === 409, `${alone.status}`)
  expectStatus(await link(api, who.sub, named(second.sub)), 201)
  const both = await Promise.all([
    api.delete(`${identitiesOf(who.sub)}/github/${named(second.sub).user_id}`),
    api.delete(`${identitiesOf(who.sub)}/oidc/${encodeURIComponent(named(who.sub).user_id)}`),
  ])
  oneWinner(both)
  const back = await authorize(new Browser(), server, { connection: 'calendar' })
  assert.equal(back.params.has('code'), true)
})

test('T-LINK-13 who comes in by an identity that was unlinked finds an account of their own, with nothing of the old one', async () => {
  const who = await newcomer('owner')
  const second = await newcomer('owner-second', 'code')
  expectStatus(await link(api, who.sub, named(second.sub)), 201)
  expectStatus(
    await api.patch(userPath(who.sub), { app_metadata: { role: 'admin' }, user_metadata: { plan: 'gold' } }),
    200,
  )
  const before = await signIn(server, { connection: 'code' })
  assert.equal(before.sub, who.sub)
  await connect(before.browser, server, { token: await meToken(server, before), connection: 'code' })
  const kept = expectStatus(await exchange(server, { connection: 'code', subjectToken: before.refreshToken }), 200)
  expectStatus(await api.delete(`${identitiesOf(who.sub)}/github/${named(second.sub).user_id}`), 200)
  const heir = await signIn(server, { connection: 'code' })
  assert.notEqual(heir.sub, who.sub)
  const user = (await api.get(userPath(heir.sub))).json
  assert.deepEqual([user.app_metadata, user.user_metadata], [{}, {}])
  const answer = await exchange(server, { connection: 'calendar', subjectToken: heir.refreshToken })
  assert.equal(answer.json.tenon.code, 'not_connected')
  // The old one's session gets nothing any more, and the heir a token of their own sign-in alone.
  const late = await exchange(server, { connection: 'code', subjectToken: before.refreshToken })
  assert.notEqual(late.status, 200)
  const own = await exchange(server, { connection: 'code', subjectToken: heir.refreshToken })
  assert.notEqual(own.json.access_token, kept.json.access_token)
  // What was connected for agents is another thing: it stays with whom connected it, out of the heir's sight.
  const accountsOf = async (sub: string): Promise<string[]> =>
    (await api.get(`${userPath(sub)}/connected-accounts`)).json.connected_accounts.map(({ id }: { id: string }) => id)
  const [connected] = await accountsOf(who.sub)
  assert.ok(connected)
  assert.ok(!(await accountsOf(heir.sub)).includes(connected))
  // What came in by the identity that left is dead.
  assert.equal((await refresh(server, 'web', before.refreshToken)).json.error, 'invalid_grant')
})

test("T-LINK-15 a link takes no rights along: the primary's metadata stays as it was", async () => {
  const primary = await newcomer('plain')
  const admin = await newcomer('admin', 'code')
  expectStatus(await api.patch(userPath(admin.sub), { app_metadata: { role: 'admin', roles: ['x'] } }), 200)
  expectStatus(await api.patch(userPath(primary.sub), { app_metadata: { plan: 'free' } }), 200)
  expectStatus(await link(api, primary.sub, named(admin.sub)), 201)
  assert.deepEqual((await api.get(userPath(primary.sub))).json.app_metadata, { plan: 'free' })
  const came = await signIn(server, { connection: 'code' })
  assert.equal(came.sub, primary.sub)
  assert.doesNotMatch(JSON.stringify(came.claims), /admin/)
})

test('T-LINK-15 a joined operator makes no operator, and members named like prototypes pollute nothing', async () => {
  const deep = await startServer({
    settings: { linking: { metadata: 'deep_merge' }, operators: ['github|4711', 'boss@example.test'] },
  })
  const admin = await mgmt(deep)
  const primary = await newcomer('plain', 'calendar', deep)
  deep.person('boss', ['code'], { sub: '4711', email: 'boss@example.test', emailVerified: true })
  const boss = await currentUserSignIn(deep, { connection: 'code' })
  assert.equal(boss.sub, 'github|4711')
  const hostile =
    '{"app_metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"role":"admin"}}'
  const sent = await request(`${deep.url}/api/v2${userPath(boss.sub)}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
    body: hostile,
  })
  assert.ok(sent.status === 200 || sent.status === 400, sent.text)
  expectStatus(await admin.patch(userPath(primary.sub), { app_metadata: { role: 'reader' } }), 200)
  expectStatus(await link(admin, primary.sub, named(boss.sub)), 201)
  const joined = (await admin.get(userPath(primary.sub))).json
  assert.equal(joined.app_metadata.role, 'reader', 'what the primary has wins')
  const fresh = await newcomer('fresh', 'work', deep)
  const { app_metadata: metadata } = (await admin.get(userPath(fresh.sub))).json
  assert.deepEqual([metadata, (metadata as { polluted?: unknown }).polluted], [{}, undefined])
  // By the id that was retired nobody enters the console, and no address that a provider merely says opens it.
  const came = await signIn(deep, { connection: 'code' })
  assert.equal(came.sub, primary.sub)
  assert.equal((await came.browser.open(`${deep.url}/console`)).status, 403)
})
