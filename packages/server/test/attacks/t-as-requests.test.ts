// Authorization server: requests that are pushed, proved or open in several tabs (T-AS-10, -12, -16).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { authorize, authorizeUrl, codeOf, expectStatus, me, redeem, signIn, tokenRequest } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { bareJwt, dpopProof, macJwt, newKey, type ProofOptions, type TestKey } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer()
const { ada } = server.tenant
const tokenUrl = `${server.url}/oauth/token`

test('T-AS-10 a pushed request serves its client once and says all; other request objects are not fetched', async () => {
  let calls = 0
  const canary = createServer((_, response) => {
    calls++
    response.end()
  }).listen(0, '127.0.0.1')
  await new Promise((done) => canary.once('listening', done))
  const address = canary.address()
  const outside = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/request.jwt`
  const { browser } = await signIn(server, { user: ada })
  const push = async (scope = 'openid') => {
    const wanted = authorizeUrl(server, { scope })
    const form = { ...Object.fromEntries(new URL(wanted.url).searchParams), client_secret: server.tenant.secrets.web }
    const { json } = expectStatus(await request(`${server.url}/oauth/par`, { form }), 201)
    assert.ok(json.expires_in <= 60, `lives ${json.expires_in} s`)
    return { ...wanted, requestUri: json.request_uri as string }
  }
  const open = (params: Record<string, string>, who = browser.clone()) =>
    who.open(`${server.url}/authorize?${new URLSearchParams(params)}`).then(() => who.page)
  const pushed = await push()
  const stolen = await open({ client_id: 'agent-a', request_uri: pushed.requestUri })
  assert.ok(!stolen.params.has('code'))
  const fresh = await push()
  const more = { scope: 'openid email offline_access', redirect_uri: 'http://127.0.0.1:9/web/cb', state: 'theirs' }
  const first = await open({ client_id: 'web', request_uri: fresh.requestUri, ...more })
  if (first.params.has('code')) {
    assert.ok(first.url.startsWith(`${CALLBACK}?`))
    assert.equal(first.params.get('state'), fresh.state)
    const answer = await redeem(server, { ...fresh, params: first.params })
    assert.equal(expectStatus(answer, 200).json.scope, 'openid')
  }
  const used = await push()
  assert.ok((await open({ client_id: 'web', request_uri: used.requestUri })).params.has('code'))
  assert.ok(!(await open({ client_id: 'web', request_uri: used.requestUri })).params.has('code'), 'used twice')
  const unsigned = bareJwt({ client_id: 'web', redirect_uri: CALLBACK, response_type: 'code', scope: 'openid' })
  for (const extra of [{ request_uri: outside }, { request_uri: 'urn:x:y' }, { request: unsigned }]) {
    const page = await open({ ...Object.fromEntries(new URL(authorizeUrl(server).url).searchParams), ...extra })
    assert.ok(!page.params.has('code'), JSON.stringify(extra))
  }
  canary.close()
  assert.equal(calls, 0)
  // T-AS-03: the challenge that counts is the one that was pushed.
  const challenged = await push()
  const own = authorizeUrl(server)
  const code_challenge = new URL(own.url).searchParams.get('code_challenge') ?? ''
  const swapped = await open({ client_id: 'web', request_uri: challenged.requestUri, code_challenge })
  if (swapped.params.has('code'))
    assert.equal((await redeem(server, { ...own, params: swapped.params })).json.error, 'invalid_grant')
  const old = await push()
  passTime(61)
  const late = await open({ client_id: 'web', request_uri: old.requestUri })
  assert.ok(!late.params.has('code'), 'after a minute')
})

test('T-AS-12 a DPoP proof is fresh, for this request and heard once; a bound token needs its key', async () => {
  const mine = newKey()
  const send = async (fields: Record<string, string>, proof: Omit<ProofOptions, 'url'> & { url?: string }, by = mine) =>
    request(tokenUrl, {
      form: { client_id: 'spa', ...fields },
      headers: { dpop: dpopProof(by, { url: tokenUrl, ...proof }) },
    })
  const { browser } = await signIn(server, { user: ada })
  const codeFields = async () => {
    const flow = await authorize(browser, server, { client: 'spa' })
    const { redirectUri, verifier } = flow
    return { grant_type: 'authorization_code', code: codeOf(flow), redirect_uri: redirectUri, code_verifier: verifier }
  }
  const asked = await send(await codeFields(), {})
  assert.equal(asked.json.error, 'use_dpop_nonce')
  const nonce = asked.headers['dpop-nonce'] ?? ''
  const now = Math.floor(Date.now() / 1000)
  const secretJwk = mine.privateKey.export({ format: 'jwk' })
  const hostile: Record<string, Omit<ProofOptions, 'url'> & { url?: string }> = {
    'another method': { nonce, method: 'GET' },
    'another URL': { nonce, url: `${server.url}/oauth/revoke` },
    'another host': { nonce, url: 'https://other.test/oauth/token' },
    'without jti': { nonce, claims: { jti: undefined } },
    'a private key inside': { nonce, header: { jwk: { ...secretJwk } } },
    'another type': { nonce, header: { typ: 'JWT' } },
    'another key than it shows': { nonce, header: { jwk: newKey().publicJwk } },
    // The nonce, always demanded, is what bounds a proof's age.
    'a made-up nonce': { nonce: 'made-up' },
  }
  for (const [name, proof] of Object.entries(hostile)) {
    const { status, json } = await send(await codeFields(), proof)
    assert.ok(status === 400 || status === 401, `${name}: ${status}`)
    assert.match(json.error, /dpop/, name)
  }
  for (const proof of [
    bareJwt(
      { jti: 'x', htm: 'POST', htu: tokenUrl, iat: now, nonce },
      { alg: 'none', typ: 'dpop+jwt', jwk: mine.publicJwk },
    ),
    macJwt(
      JSON.stringify(mine.publicJwk),
      { jti: 'y', htm: 'POST', htu: tokenUrl, iat: now, nonce },
      { typ: 'dpop+jwt', jwk: mine.publicJwk },
    ),
  ]) {
    const { json } = await request(tokenUrl, {
      form: { client_id: 'spa', ...(await codeFields()) },
      headers: { dpop: proof },
    })
    assert.equal(json.error, 'invalid_dpop_proof')
  }
  const jti = randomUUID()
  const bound = expectStatus(await send(await codeFields(), { nonce, claims: { jti } }), 200).json
  assert.equal(bound.token_type, 'DPoP')
  const replayed = await send(await codeFields(), { nonce, claims: { jti } })
  assert.ok(replayed.status >= 400 && replayed.json.access_token === undefined)
  const fields = { grant_type: 'refresh_token', refresh_token: bound.refresh_token }
  const swapped = await send(fields, { nonce }, newKey())
  assert.ok(swapped.json.access_token === undefined)
  const bare = await tokenRequest(server, 'spa', fields)
  assert.ok(bare.json.access_token === undefined)
  assert.equal((await send(fields, { nonce })).json.token_type, 'DPoP')
  const downgraded = await request(`${server.url}/userinfo`, {
    headers: { authorization: `Bearer ${bound.access_token}` },
  })
  assert.equal(downgraded.status, 401)
  const meFields = { ...fields, audience: `${server.issuer}me/`, scope: 'openid read:me:connected_accounts' }
  const forMe = expectStatus(await send(meFields, { nonce }), 200).json.access_token
  assert.equal((await me(server, forMe).get('/connected-accounts/accounts')).status, 401)
  await opensByProofAlone(`${server.issuer}me/v1/connected-accounts/accounts`, forMe, mine)
  await opensByProofAlone(`${server.issuer}userinfo`, bound.access_token, mine)
})

/** RFC 9449 §7: a door asks for a nonce, opens for a proof made for it alone, and for each proof once. */
async function opensByProofAlone(url: string, accessToken: string, key: TestKey): Promise<void> {
  const show = (proof: string | undefined, scheme = 'DPoP') =>
    request(url, { headers: { authorization: `${scheme} ${accessToken}`, ...(proof && { dpop: proof }) } })
  const options = { url, method: 'GET', accessToken }
  const asked = await show(dpopProof(key, options), 'dpop')
  assert.equal(asked.status, 401)
  assert.match(asked.headers['www-authenticate'] ?? '', /^DPoP .*error="use_dpop_nonce"/)
  const nonce = asked.headers['dpop-nonce'] ?? ''
  const hostile: Record<string, string | undefined> = {
    'no proof': undefined,
    'no JWT': 'proof',
    'another method': dpopProof(key, { ...options, nonce, method: 'POST' }),
    'another URL': dpopProof(key, { ...options, nonce, url: `${url}/more` }),
    'another host': dpopProof(key, { ...options, nonce, url: url.replace(/localhost|127[.]0[.]0[.]1/, 'other.test') }),
    'another token': dpopProof(key, { ...options, nonce, accessToken: 'another' }),
    'no token': dpopProof(key, { url, method: 'GET', nonce }),
    'another key': dpopProof(newKey(), { ...options, nonce }),
    'another key than it shows': dpopProof(key, { ...options, nonce, header: { jwk: newKey().publicJwk } }),
    'another type': dpopProof(key, { ...options, nonce, header: { typ: 'JWT' } }),
    'without jti': dpopProof(key, { ...options, nonce, claims: { jti: undefined } }),
    'a made-up nonce': dpopProof(key, { ...options, nonce: 'made-up' }),
  }
  for (const [name, proof] of Object.entries(hostile)) {
    const { status, headers } = await show(proof)
    assert.equal(status, 401, name)
    assert.match(headers['www-authenticate'] ?? '', /^DPoP .*dpop/, name)
  }
  const proof = dpopProof(key, { ...options, nonce })
  assert.equal((await show(proof, 'Bearer')).status, 401)
  const opened = await show(proof)
  assert.equal(opened.status, 200, JSON.stringify(opened.json))
  assert.ok(opened.headers['dpop-nonce'])
  assert.equal((await show(proof)).status, 401, 'a proof serves once')
}

test('T-AS-16 an interaction is finished once, in the browser that began it, and tabs do not mix', async () => {
  const browser = new Browser()
  const [first, second] = [authorizeUrl(server), authorizeUrl(server)]
  const one = await browser.open(first.url)
  const two = await browser.open(second.url)
  const fieldsOf = (page: typeof one) =>
    Object.fromEntries(page.forms.find(({ name }) => name === 'login')?.fields ?? [])
  const credentials = { username: ada.email, password: ada.password, action: 'continue' }
  const post = (who: Browser, fields: Record<string, string>) =>
    who.post(`${server.url}/u/login`, { ...fields, ...credentials }, { from: `${server.url}/u/login` })
  // Another browser with the form, with its own form's token, or with the URL alone.
  const stranger = new Browser()
  const theirs = await stranger.open(authorizeUrl(server).url)
  for (const fields of [fieldsOf(one), { ...fieldsOf(one), csrf: fieldsOf(theirs).csrf ?? '' }]) {
    const page = await post(stranger.clone(), fields)
    assert.equal(page.name, 'error')
    assert.equal(page.stopped, false)
  }
  const opened = await stranger.open(`${server.url}/u/login?state=${fieldsOf(one).state}`)
  assert.equal(opened.error, 'wrong_browser')
  assert.equal((await stranger.open(`${server.url}/authorize/${fieldsOf(one).state}`)).stopped, false)
  // The form of one tab with the id of the other.
  assert.equal(
    (await post(browser.clone(), { ...fieldsOf(one), state: fieldsOf(two).state ?? '' })).error,
    'cross_site_request',
  )
  const done = await post(browser, fieldsOf(one))
  assert.equal(done.params.get('state'), first.state)
  const again = await post(browser, fieldsOf(one))
  assert.equal(again.name, 'error', 'posted twice')
  const other = await post(browser, fieldsOf(two))
  assert.equal(other.params.get('state'), second.state)
  const parallel = new Browser()
  const page = await parallel.open(authorizeUrl(server).url)
  const posts = await Promise.all(Array.from({ length: 5 }, () => post(parallel.clone(), fieldsOf(page))))
  assert.ok(posts.filter(({ params }) => params.has('code')).length <= 1, 'one code for one interaction')
  // Back after a consent: the form of before is spent, in this browser and in another.
  const asked = authorizeUrl(server, { client: 'theirs', scope: 'openid email' })
  const consent = await browser.open(asked.url)
  assert.equal(consent.name, 'consent')
  const form = { ...Object.fromEntries(browser.form('consent').fields), action: 'allow' }
  const strangers = await stranger.clone().post(`${server.url}/u/consent`, form, { from: consent.url })
  assert.equal(strangers.params.has('code'), false, 'of another browser')
  const granted = await browser.post(`${server.url}/u/consent`, form, { from: consent.url })
  assert.equal(granted.params.get('state'), asked.state)
  const back = await browser.post(`${server.url}/u/consent`, form, { from: consent.url })
  assert.deepEqual([back.name, back.status >= 400], ['error', true])
})
