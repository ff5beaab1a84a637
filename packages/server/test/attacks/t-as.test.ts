// Authorization server: codes and refresh tokens (T-AS-03 to -06, -11), on both databases and two nodes where races matter.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorize,
  claimsOf,
  codeOf,
  exchange,
  expectStatus,
  pkce,
  redeem,
  refresh,
  type SignedIn,
  signIn,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { eventsOf, oneWinner, openDoors } from '../support/state.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

const server = await startServer()
const { ada, eve } = server.tenant

test('T-AS-03 PKCE cannot be left out, weakened or added afterwards', async () => {
  const { browser } = await signIn(server, { user: ada })
  const challenges = {
    'no challenge': { code_challenge: undefined, code_challenge_method: undefined },
    plain: { code_challenge: pkce().verifier, code_challenge_method: 'plain' },
    'no method': { code_challenge_method: undefined },
    'a short challenge': { code_challenge: 'short' },
    'two challenges': { code_challenge: [pkce().challenge, pkce().challenge] },
  }
  for (const [name, extra] of Object.entries(challenges)) {
    const { params, page } = await authorize(browser.clone(), server, { client: 'spa', extra })
    assert.equal(params.get('error') ?? page.error, 'invalid_request', name)
    assert.equal(params.get('code'), null, name)
  }
  const { challenge, verifier } = pkce()
  const verifiers = [undefined, '', 'short', verifier, challenge, verifier.repeat(4), `${verifier}=`]
  for (const [at, wrong] of verifiers.entries()) {
    const flow = await authorize(browser.clone(), server, { client: 'spa' })
    const { status, json } = await redeem(server, flow, { fields: { code_verifier: wrong } })
    assert.ok(status >= 400 && status < 500, `verifier ${at}: ${status}`)
    assert.match(json.error, /^invalid_(grant|request)$/, `verifier ${at}`)
  }
  // A confidential client may go without; then a verifier means that somebody took the challenge away.
  const stripped = { code_challenge: undefined, code_challenge_method: undefined }
  const without = await authorize(browser.clone(), server, { extra: stripped })
  assert.match((await redeem(server, without)).json.error, /^invalid_(grant|request)$/)
  const withChallenge = await authorize(browser.clone(), server)
  const forgotten = await redeem(server, withChallenge, { fields: { code_verifier: undefined } })
  assert.match(forgotten.json.error, /^invalid_(grant|request)$/)
  const plainly = await authorize(browser.clone(), server, { extra: stripped })
  expectStatus(await redeem(server, plainly, { fields: { code_verifier: undefined } }), 200)
})

test('T-AS-04 a code is for one client, one redirect URI and one minute', async () => {
  const { browser } = await signIn(server, { user: ada })
  const attempts = {
    'another client': { client: 'agent-a' },
    'another redirect URI': { fields: { redirect_uri: 'http://127.0.0.1:9/web/cb' } },
    'no redirect URI': { fields: { redirect_uri: undefined } },
  }
  for (const [name, how] of Object.entries(attempts)) {
    const flow = await authorize(browser.clone(), server)
    const { status, json } = await redeem(server, flow, how)
    assert.ok(status === 403 || status === 400, `${name}: ${status}`)
    assert.match(json.error, /^invalid_(grant|request)$/, name)
  }
  const hasty = await startServer({ settings: { tokens: { code_seconds: 60 } } })
  const late = await authorize(new Browser(), hasty, { user: hasty.tenant.ada })
  passTime(61)
  assert.equal((await redeem(hasty, late)).json.error, 'invalid_grant')
})

test('T-AS-06 a stolen code is worth nothing in a session of the thief', async () => {
  const victim = await signIn(server, { user: ada })
  const stolen = await authorize(victim.browser, server, { client: 'spa' })
  const thief = await signIn(server, { user: eve, client: 'spa' })
  const own = await authorize(thief.browser, server, { client: 'spa' })
  const injected = { ...own, params: new URLSearchParams({ code: codeOf(stolen) }) }
  assert.equal((await redeem(server, injected)).json.error, 'invalid_grant')
  // Without PKCE the nonce still tells: the ID token carries the victim's.
  const extra = { code_challenge: undefined, code_challenge_method: undefined }
  const bare = await authorize(victim.browser, server, { extra })
  const answer = await redeem(server, bare, { fields: { code_verifier: undefined } })
  assert.equal(claimsOf(answer.json.id_token).nonce, bare.nonce)
})

test('T-AS-11 a token is for the audience that was asked for and granted, and for no other', async () => {
  const { browser, refreshToken } = await signIn(server, { user: ada })
  const refused = {
    'an unknown API': { audience: 'https://other.test/' },
    'two audiences': { audience: [API, `${server.issuer}me/`] },
    'two resources': { resource: [API, 'https://other.test/'] },
    'a fragment': { resource: `${API}#x` },
    'an unknown resource': { resource: 'https://other.test/' },
    'no URI': { resource: 'not a uri' },
  }
  for (const [name, extra] of Object.entries(refused)) {
    const { page, params } = await authorize(browser.clone(), server, { extra })
    assert.match(params.get('error') ?? page.error ?? '', /^invalid_(target|request)$/, name)
    assert.equal(params.get('code'), null, name)
  }
  // `theirs` has no grant for our own APIs.
  const ungranted = await authorize(new Browser(), server, {
    client: 'theirs',
    user: eve,
    audience: `${server.issuer}me/`,
  })
  assert.equal(ungranted.params.get('code'), null)
  const flow = await authorize(browser.clone(), server, { audience: API, scope: 'openid read:things' })
  const other = await redeem(server, flow, { fields: { resource: `${server.issuer}me/` } })
  assert.ok(other.status >= 400 && other.json.access_token === undefined)
  const right = await authorize(browser.clone(), server, { audience: API, scope: 'openid read:things' })
  const { json } = expectStatus(await redeem(server, right), 200)
  assert.deepEqual(claimsOf(json.access_token).aud, [API, `${server.issuer}userinfo`])
  const elsewhere = await refresh(server, 'web', refreshToken, { audience: API })
  assert.equal(elsewhere.json.access_token, undefined)
  assert.equal((await refresh(server, 'web', refreshToken, { audience: 'https://other.test/' })).status, 403)
})

for (const database of databases) {
  const opened = database === 'sqlite' ? undefined : database
  test(`T-AS-04 a code is redeemed once on two nodes of ${database}, and its replay ends what it gave`, async () => {
    const nodes = await startServer({ nodes: 2, ...(opened && { database: opened }) })
    const { browser } = await signIn(nodes, { user: nodes.tenant.ada })
    const flow = await authorize(browser, nodes)
    const tries = Array.from({ length: 50 }, (_, at) => redeem(nodes, flow, { url: nodes.nodes[at % 2] ?? '' }))
    const { json } = oneWinner(await Promise.all(tries))
    assert.deepEqual(await tokensAlive(nodes, json.access_token, json.refresh_token), [])

    const again = await authorize(browser, nodes)
    const tokens = expectStatus(await redeem(nodes, again), 200).json
    assert.deepEqual(await tokensAlive(nodes, tokens.access_token, tokens.refresh_token), ['userinfo', 'refresh'])
    assert.equal((await redeem(nodes, again)).json.error, 'invalid_grant')
    assert.deepEqual(await tokensAlive(nodes, tokens.access_token, tokens.refresh_token), [])
  })

  test(`T-AS-05 a rotated refresh token has one successor on two nodes of ${database}, and an ancestor ends the family`, async () => {
    const nodes = await startServer({ nodes: 2, ...(opened && { database: opened }) })
    const who = await signIn(nodes, { user: nodes.tenant.ada, client: 'agent-b' })
    const tries = Array.from({ length: 20 }, (_, at) =>
      refresh(nodes, 'agent-b', who.refreshToken, {}, nodes.nodes[at % 2] ?? ''),
    )
    const answers = await Promise.all(tries)
    assert.ok(
      answers.every(({ status }) => status === 200 || status === 403),
      `${answers.map(({ status }) => status)}`,
    )
    const successors = new Set(answers.flatMap(({ json }) => json.refresh_token ?? []))
    assert.equal(successors.size, 1)
    const [second = ''] = successors
    assert.notEqual(second, who.refreshToken)
    const third = expectStatus(await refresh(nodes, 'agent-b', second), 200).json.refresh_token
    // The grace is for the previous token alone: the grandparent is a theft, however recent.
    const accessToken = answers.find(({ status }) => status === 200)?.json.access_token
    assert.equal((await refresh(nodes, 'agent-b', who.refreshToken)).json.error, 'invalid_grant')
    for (const token of [second, third]) {
      assert.equal((await refresh(nodes, 'agent-b', token)).json.error, 'invalid_grant')
    }
    assert.deepEqual(await tokensAlive(nodes, accessToken, third, 'agent-b'), [])
    assert.equal((await eventsOf(nodes, 'refresh_token.reused')).length, 1)
  })
}

test('T-AS-05 after the grace the previous refresh token ends the family; another client cannot use it at all', async () => {
  const strict = await startServer({ settings: { tokens: { refresh_rotation_grace_seconds: 0 } } })
  const how = { user: strict.tenant.ada, client: 'agent-b' }
  const stolen = await signIn(strict, how)
  for (const client of ['web', 'agent-a', 'spa']) {
    assert.equal((await refresh(strict, client, stolen.refreshToken)).json.error, 'invalid_grant', client)
  }
  const next = expectStatus(await refresh(strict, 'agent-b', stolen.refreshToken), 200).json.refresh_token
  assert.equal((await refresh(strict, 'agent-b', stolen.refreshToken)).json.error, 'invalid_grant')
  assert.equal((await refresh(strict, 'agent-b', next)).json.error, 'invalid_grant')
  const alive: SignedIn = { ...stolen, refreshToken: next }
  assert.deepEqual(await openDoors(strict, alive), ['session (code)'])
})

test('T-AS-05 the grace is ten seconds, and whoever comes later ends the family', async () => {
  const who = await signIn(server, { user: ada, client: 'agent-b' })
  const next = expectStatus(await refresh(server, 'agent-b', who.refreshToken), 200).json.refresh_token
  const same = expectStatus(await refresh(server, 'agent-b', who.refreshToken), 200).json.refresh_token
  assert.equal(same, next, 'a repetition gets the same successor')
  passTime(11)
  for (const token of [who.refreshToken, next])
    assert.equal((await refresh(server, 'agent-b', token)).json.error, 'invalid_grant')
  assert.equal((await eventsOf(server, 'refresh_token.reused')).length, 1)
})

async function tokensAlive(
  at: { readonly url: string; readonly issuer: string; readonly tenant: typeof server.tenant },
  accessToken: string,
  refreshToken: string,
  client = 'web',
): Promise<readonly string[]> {
  const { status } = await request(`${at.url}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
  const exchanged = await exchange(at, { client, connection: 'calendar', subjectToken: refreshToken })
  assert.notEqual(exchanged.status, 200)
  const refreshed = await refresh(at, client, refreshToken)
  return [...(status === 200 ? ['userinfo'] : []), ...(refreshed.status === 200 ? ['refresh'] : [])]
}
