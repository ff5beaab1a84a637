// Linking that a client starts by an authorization request (auth0-wire.md §4.1), and what an account that arrives in
// somebody's session leads to (linking.md S2, S5).
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type AuthorizeOptions,
  authorize,
  claimsOf,
  drive,
  exchange,
  expectStatus,
  mgmt,
  redeem,
  type SignedIn,
  signIn,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { startServer, type TestPerson } from '../support/server.ts'
import { changesNothing, eventsOf } from '../support/state.ts'
import { CALLBACK } from '../support/tenant.ts'

const server = await startServer({
  settings: { linking: { reauthentication_seconds: 600 } },
  tenant: (file) => {
    for (const client of file.clients) if (client.client_id === 'agent-b') client.linking = { client_initiated: false }
  },
})
const { code } = server.providers

interface Visit extends SignedIn {
  readonly person: TestPerson
}

async function visitor(
  name: string,
  at: readonly ('calendar' | 'code' | 'work')[] = ['calendar', 'code'],
): Promise<Visit> {
  const person = server.person(name, at)
  return { ...(await signIn(server, { connection: 'calendar' })), person }
}

const linkRequest = (idToken: string | undefined, extra: Record<string, string> = {}): AuthorizeOptions => ({
  scope: 'openid link_account offline_access',
  extra: { requested_connection: 'code', id_token_hint: idToken, ...extra },
})

const identitiesOf = async (sub: string): Promise<string[]> => {
  const { json } = await (await mgmt(server)).get(userPath(sub))
  return json.identities.map(({ connection }: { connection: string }) => connection)
}

test('a client links: nothing before the yes, the same sub after it, tokens in the vault', async () => {
  const who = await visitor('linker')
  const flow = await changesNothingUpstream(() =>
    authorize(who.browser, server, { ...linkRequest(who.idToken), answers: { 'link-confirm': false } }),
  )
  assert.equal(flow.page.name, 'link-confirm')
  assert.match(flow.page.text, /Acme web/)
  assert.match(flow.page.text, /this account signs you in/)
  await drive(who.browser)
  const answer = expectStatus(await redeem(server, { ...flow, params: who.browser.page.params }), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, who.sub)
  assert.equal(claimsOf(answer.json.id_token).auth_time, who.claims.auth_time, 'linking is no sign-in')
  assert.deepEqual(await identitiesOf(who.sub), ['calendar', 'code'])
  const subjectToken = answer.json.refresh_token
  assert.ok(code.isLive((await exchange(server, { connection: 'code', subjectToken })).json.access_token))
  assert.equal((await signIn(server, { connection: 'code' })).sub, who.sub)
})

test('whose address is unproven proves it by a mailed code on the way, and goes on to what the client asked for', async () => {
  const person = server.person('unproven', ['loose', 'code'])
  const visit = await signIn(server, { connection: 'loose' })
  const asked = await authorize(visit.browser, server, linkRequest(visit.idToken))
  assert.equal(asked.page.name, 'verify-email', asked.page.text)
  const mail = await eventually('the code', () => server.mails().find(({ to }) => to === person.email))
  assert.match(mail.text, /Acme web/)
  const page = await visit.browser.submit('verify', { fields: { code: /\b\d{6}\b/.exec(mail.text)?.[0] } })
  assert.equal(page.name, 'link-confirm', page.text)
  assert.deepEqual(await identitiesOf(visit.sub), ['loose'])
  await drive(visit.browser)
  const answer = expectStatus(await redeem(server, { ...asked, params: visit.browser.page.params }), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, visit.sub)
  assert.deepEqual(await identitiesOf(visit.sub), ['loose', 'code'])
})

test('whoever would rather not prove the address ends at the client with access_denied, and nothing is added', async () => {
  server.person('unwilling', ['loose', 'code'])
  const visit = await signIn(server, { connection: 'loose' })
  const { page } = await authorize(visit.browser, server, linkRequest(visit.idToken))
  assert.equal(page.name, 'verify-email', page.text)
  const [field] = page.forms.filter(({ buttons }) => buttons.some(({ value }) => value === 'cancel'))
  assert.ok(field)
  const ended = await visit.browser.post(
    `${server.url}/u/address`,
    { ...Object.fromEntries(field.fields), action: 'cancel' },
    { from: page.url },
  )
  assert.ok(ended.stopped, ended.text)
  assert.equal(ended.params.get('error'), 'access_denied')
  assert.match(ended.params.get('error_description') ?? '', /address is not proven/)
  assert.deepEqual(await identitiesOf(visit.sub), ['loose'])
})

/** Users and accounts stay, while the provider is asked. */
async function changesNothingUpstream<T>(act: () => Promise<T>): Promise<T> {
  const users = async () => (await (await mgmt(server)).get('/users?per_page=100')).text
  const before = await users()
  const result = await act()
  assert.equal(await users(), before)
  return result
}

test('a hint is judged on the way in and stands in no row, of an interaction or of a pushed request', async () => {
  const who = await visitor('stored')
  const pushed = await request(`${server.url}/oauth/par`, {
    form: {
      client_id: 'web',
      client_secret: server.tenant.secrets.web,
      response_type: 'code',
      redirect_uri: CALLBACK,
      state: 'pushed',
      scope: 'openid link_account',
      requested_connection: 'code',
      id_token_hint: who.idToken,
    },
  })
  expectStatus(pushed, 201)
  const params = new URLSearchParams({ client_id: 'web', request_uri: pushed.json.request_uri })
  const callback = `${server.url}/login/callback`
  const held = await who.browser.open(`${server.url}/authorize?${params}`, { stopAt: callback })
  assert.ok(held.stopped, held.text)
  const stored = readdirSync(server.dataDir).filter((name) => name.startsWith('tenon.db'))
  const holds = (text: string) => stored.some((name) => readFileSync(join(server.dataDir, name)).includes(text))
  assert.ok(holds('requested_connection'))
  assert.equal(holds(who.idToken.split('.')[2] ?? '?'), false)
  await who.browser.open(held.url)
  assert.equal((await drive(who.browser)).params.get('state'), 'pushed')
  assert.deepEqual(await identitiesOf(who.sub), ['calendar', 'code'])
})

test('a hint of somebody else, of another client, expired, forged or missing goes back to the client', async () => {
  const who = await visitor('hinted')
  const other = await visitor('other')
  const foreign = await authorize(who.browser, server, { client: 'agent-a', extra: { prompt: 'none' } })
  const theirs = expectStatus(await redeem(server, foreign), 200).json.id_token
  const [head, body] = who.idToken.split('.')
  await changesNothing(server, async () => {
    for (const hint of [undefined, 'rubbish', other.idToken, theirs, `${head}.${body}.`, who.accessToken]) {
      const { page, params, state } = await authorize(who.browser, server, linkRequest(hint))
      assert.ok(page.stopped, page.text)
      assert.equal(params.get('error'), 'access_denied')
      assert.match(params.get('error_description') ?? '', /^ID_TOKEN_HINT Invalid/)
      assert.equal(params.get('state'), state)
    }
  })
})

test('what a request says in our own name counts nothing', async () => {
  const who = await visitor('namer')
  const forged = JSON.stringify({ action: 'link', hint: { userId: who.sub, clientId: 'web' } })
  await changesNothing(server, async () => {
    const extra = { tenon_link_request: forged, requested_connection: 'code' }
    const plain = await authorize(who.browser, server, { scope: 'openid', extra })
    assert.ok(plain.params.has('code'), 'an ordinary sign-in')
    const flow = await authorize(who.browser, server, linkRequest(undefined, extra))
    assert.equal(flow.params.get('error'), 'access_denied')
  })
})

test('a client that may not ask gets an ordinary sign-in', async () => {
  const who = await visitor('outsider')
  for (const client of ['agent-b', 'theirs']) {
    const flow = await authorize(who.browser, server, { client, ...linkRequest(who.idToken) })
    assert.ok(flow.params.has('code'), flow.page.text)
  }
  assert.deepEqual(await identitiesOf(who.sub), ['calendar'])
})

test('saying no on the page, or at the provider, tells the client and keeps nothing', async () => {
  const who = await visitor('unwilling')
  const no = await authorize(who.browser, server, {
    ...linkRequest(who.idToken),
    answers: { 'link-confirm': 'cancel' },
  })
  assert.equal(no.params.get('error'), 'access_denied')
  assert.equal(no.params.get('state'), no.state)
  code.denyNext()
  const denied = await authorize(who.browser, server, linkRequest(who.idToken))
  assert.equal(denied.params.get('error'), 'access_denied')
  assert.deepEqual(await identitiesOf(who.sub), ['calendar'])
})

test('T-LINK-08 an identity of another user is not moved by a client, and whose it is stays unsaid', async () => {
  const owner = server.person('owner', ['code'])
  const theirs = await signIn(server, { connection: 'code' })
  const who = await visitor('claimant', ['calendar'])
  owner.at('code')
  const flow = await authorize(who.browser, server, {
    ...linkRequest(who.idToken),
    answers: { 'link-conflict': false },
  })
  assert.equal(flow.page.name, 'link-conflict')
  assert.equal(flow.page.body.includes(owner.email), false)
  assert.equal(flow.page.body.includes(theirs.sub), false)
  await who.browser.submit('link-conflict', { action: 'cancel' })
  assert.equal(who.browser.page.params.get('error'), 'access_denied')
  assert.deepEqual(await identitiesOf(theirs.sub), ['code'])
})

for (const remains of ['own', 'other'] as const) {
  test(`the conflict of a linking request is answered as the user who results: ${remains}`, async () => {
    const other = server.person(`${remains}-twin`, ['work'])
    const theirs = await signIn(server, { connection: 'work' })
    const who = await visitor(`${remains}-asker`, ['calendar'])
    other.at('work')
    const flow = await authorize(who.browser, server, {
      ...linkRequest(who.idToken, { requested_connection: 'work' }),
      answers: { 'link-conflict': 'link', 'merge-preview': false },
    })
    const fields = { primary: remains }
    await who.browser.submit('merge-preview', { action: 'continue', fields })
    const { params } = await who.browser.submit('merge-preview', { action: 'confirm', fields })
    const answer = expectStatus(await redeem(server, { ...flow, params }), 200)
    const [kept, gone] = remains === 'own' ? [who.sub, theirs.sub] : [theirs.sub, who.sub]
    assert.equal(claimsOf(answer.json.id_token).sub, kept)
    assert.deepEqual((await identitiesOf(kept)).sort(), ['calendar', 'work'])
    expectStatus(await (await mgmt(server)).get(userPath(gone)), 404)
  })
}

test('unlinking takes the identity of the connection, and never the one that the user began with', async () => {
  const who = await visitor('parting')
  const linked = await authorize(who.browser, server, linkRequest(who.idToken))
  expectStatus(await redeem(server, linked), 200)
  const away = { scope: 'openid unlink_account' }
  const first = await authorize(who.browser, server, {
    ...away,
    extra: { requested_connection: 'calendar', id_token_hint: who.idToken },
  })
  assert.equal(first.params.get('error'), 'access_denied')
  const done = await authorize(who.browser, server, {
    ...away,
    extra: { requested_connection: 'code', id_token_hint: who.idToken },
  })
  const answer = expectStatus(await redeem(server, done), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, who.sub)
  assert.deepEqual(await identitiesOf(who.sub), ['calendar'])
  // Nothing of it is left: it ends as it should.
  const again = await authorize(who.browser, server, {
    ...away,
    extra: { requested_connection: 'code', id_token_hint: who.idToken },
  })
  assert.ok(again.params.has('code'))
})

test('T-LINK-11 linking changes the id of the session', async () => {
  const who = await visitor('rotated')
  const before = who.browser.clone()
  const flow = await authorize(who.browser, server, linkRequest(who.idToken))
  assert.ok(flow.params.has('code'))
  const silent = { extra: { prompt: 'none' } }
  assert.equal((await authorize(before, server, silent)).params.get('error'), 'login_required')
  assert.ok((await authorize(who.browser, server, silent)).params.has('code'))
})

test('S5 an unknown account in a session: added, or a user of its own, or nothing; never by itself', async () => {
  const ask = { connection: 'code', extra: { prompt: 'login' } }
  const added = await visitor('adder')
  await authorize(added.browser, server, { ...ask, answers: { 'link-choose': 'link' } })
  assert.ok(added.browser.page.params.has('code'), added.browser.page.text)
  assert.deepEqual(await identitiesOf(added.sub), ['calendar', 'code'])

  const another = await visitor('another')
  const flow = await authorize(another.browser, server, { ...ask, answers: { 'link-choose': 'continue' } })
  const sub = claimsOf(expectStatus(await redeem(server, flow), 200).json.id_token).sub
  assert.notEqual(sub, another.sub)
  assert.deepEqual(await identitiesOf(another.sub), ['calendar'])

  const none = await visitor('nobody')
  const refused = await authorize(none.browser, server, { ...ask, answers: { 'link-choose': 'cancel' } })
  assert.equal(refused.params.get('error'), 'access_denied')
  assert.deepEqual(await identitiesOf(none.sub), ['calendar'])
})

test('S2 the account of another user in a session: never switched silently, joined only after the preview', async () => {
  const other = server.person('twin', ['work'])
  const theirs = await signIn(server, { connection: 'work' })
  const who = await visitor('joiner', ['calendar'])
  other.at('work')
  const flow = await authorize(who.browser, server, {
    connection: 'work',
    extra: { prompt: 'login' },
    answers: { 'link-conflict': 'link', 'merge-preview': false },
  })
  assert.equal(flow.page.name, 'merge-preview')
  assert.equal(flow.page.body.includes(other.email), false, 'masked')
  await changesNothing(server, async () => {
    // The other way round is another plan, and changes nothing by itself.
    const fields = { primary: 'other' }
    const turned = await who.browser.submit('merge-preview', { action: 'continue', fields })
    assert.match(turned.url, /primary=other/)
    const stale = await who.browser.submit('merge-preview', { action: 'confirm', fields: { plan_hash: 'stale' } })
    assert.match(stale.text, /Something changed since you looked/)
  })
  await who.browser.submit('merge-preview', { action: 'confirm', fields: { primary: 'other' } })
  const { page } = who.browser
  assert.ok(page.stopped, page.text)
  const answer = expectStatus(await redeem(server, { ...flow, params: page.params }), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, theirs.sub)
  assert.deepEqual(await identitiesOf(theirs.sub), ['work', 'calendar'])
  assert.ok((await eventsOf(server, 'user.linked')).some(({ userId }) => userId === theirs.sub))
})

test('S2 the person goes on as the other, and nothing is joined', async () => {
  const other = server.person('switched', ['work'])
  const theirs = await signIn(server, { connection: 'work' })
  const who = await visitor('switcher', ['calendar'])
  other.at('work')
  const ask = { connection: 'work', extra: { prompt: 'login' } }
  const flow = await authorize(who.browser, server, { ...ask, answers: { 'link-conflict': 'continue' } })
  const answer = expectStatus(await redeem(server, flow), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, theirs.sub)
  assert.deepEqual(await identitiesOf(who.sub), ['calendar'])
})

test('a question is answered in the browser and the session that it was asked in', async () => {
  const who = await visitor('asked')
  const { page } = await authorize(who.browser, server, {
    connection: 'code',
    extra: { prompt: 'login' },
    answers: { 'link-choose': false },
  })
  assert.equal((await new Browser().open(page.url)).error, 'wrong_browser')
  const signedOut = who.browser.clone()
  signedOut.jar.cookies = signedOut.jar.cookies.filter(({ name }) => !name.includes('session'))
  assert.equal((await signedOut.open(page.url)).error, 'wrong_user')
  const csrf = await who.browser.post(`${server.url}/u/choose`, {
    state: new URL(page.url).searchParams.get('state') ?? '',
    action: 'link',
  })
  assert.equal(csrf.error, 'cross_site_request')
  assert.deepEqual(await identitiesOf(who.sub), ['calendar'])
})
