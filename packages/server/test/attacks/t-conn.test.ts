// Connecting accounts, and apps that attack each other across it (attack catalogue, T-CONN).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Provider } from '@tenon/sdk/testing'
import { startOidcProvider } from '@tenon/sdk/testing'
import {
  authorizeUrl,
  type ConnectFlow,
  completeConnect,
  connect,
  drive,
  exchange,
  me,
  meToken,
  mgmt,
  type SignedIn,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, eventsOf, oneWinner } from '../support/state.ts'
import { CALLBACK, type Person } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const honest = await startOidcProvider({ name: 'lazy', alg: 'ES256', users: { ada: {} } })
const providers = {
  calendar: await startOidcProvider({ name: 'calendar', refresh: 'always', users: { ada: {}, eve: {} } }),
  mallory: await startOidcProvider({ name: 'mallory', refresh: 'always', users: { ada: {}, eve: {} } }),
  late: honest,
}
const server = await startServer({ providers })
const { calendar, mallory } = providers
const { ada, eve } = server.tenant

interface Someone extends SignedIn {
  readonly token: string
}

async function comesIn(person: Person): Promise<Someone> {
  const who = await signIn(server, { user: person })
  return { ...who, token: await meToken(server, who) }
}

const V = await comesIn(ada)
const A = await comesIn(eve)

/** What the browser shows after the upstream answered and the person said yes. */
async function confirmed(who: Someone, connection: string, scopes?: readonly string[]) {
  const flow = await startConnect(server, { token: who.token, connection, ...(scopes ? { scopes } : {}) })
  await who.browser.open(flow.url)
  const page = await drive(who.browser)
  assert.ok(page.params.has('connect_code'), page.text)
  return { flow, params: page.params }
}

/** Stops in front of the provider's own authorization page. */
async function untilProvider(who: Someone, provider: Provider): Promise<{ flow: ConnectFlow; asked: URLSearchParams }> {
  const flow = await startConnect(server, { token: who.token, connection: provider.name })
  const page = await who.browser.open(flow.url, { stopAt: provider.url })
  assert.ok(page.stopped)
  return { flow, asked: page.params }
}

/** The provider's answer, held back before it reaches us. */
async function answerOf(provider: Provider, parameters: Record<string, string>): Promise<URL> {
  const page = await new Browser().open(provider.authorizeUrl(parameters), { stopAt: server.url })
  assert.ok(page.stopped, page.text)
  return new URL(page.url)
}

const fields = (params: URLSearchParams): Record<string, string> => Object.fromEntries(params)

function assertRefused(page: Page): void {
  assert.equal(page.name, 'error', page.url)
  assert.ok(page.status >= 400 && page.status < 500, `status ${page.status}`)
}

const accountsOf = async ({ token }: Someone) =>
  (await me(server, token).get('/connected-accounts/accounts')).json.accounts as { id: string; scopes: string[] }[]

test("T-CONN-01 a ticket that somebody else's browser opens goes back with access_denied, and is void", async () => {
  const flow = await startConnect(server, { token: V.token, connection: 'calendar' })
  await changesNothing(server, async () => {
    const page = await A.browser.open(flow.url)
    assert.ok(page.stopped)
    assert.equal(page.params.get('error'), 'access_denied')
    assert.equal(page.params.get('connect_code'), null)
    assertRefused(await V.browser.open(flow.url))
  })
})

test('T-CONN-01 a ticket opens once', async () => {
  const { flow } = await untilProvider(V, calendar)
  await changesNothing(server, async () => {
    assertRefused(await V.browser.open(flow.url))
    assertRefused(await new Browser().open(flow.url))
  })
})

test("T-CONN-01 somebody else's token completes nothing, and what it tried is void and revoked upstream", async () => {
  const before = await accountsOf(V)
  const { flow, params } = await confirmed(V, 'calendar')
  await changesNothing(server, async () => {
    assert.equal((await completeConnect(server, flow, params, { token: A.token })).status, 400)
    const late = await completeConnect(server, flow, params)
    assert.ok(late.status === 400 || late.status === 409, 'the transaction is void for its owner, too')
  })
  assert.deepEqual(await accountsOf(V), before)
  const issued = calendar.issued.findLast(({ kind }) => kind === 'access_token')
  await eventually('the tokens that nobody keeps are revoked', () => !calendar.isLive(issued?.value ?? ''))
})

test("T-CONN-01 another flow's code, verifier or redirect_uri completes nothing and ends the transaction", async () => {
  const stolen = await confirmed(V, 'mallory')
  const variants: Record<string, string>[] = [
    { connect_code: stolen.params.get('connect_code') ?? '' },
    { code_verifier: stolen.flow.verifier },
    { redirect_uri: `${CALLBACK}2` },
    { connect_code: 'A'.repeat(43) },
  ]
  for (const wrong of variants) {
    const own = await confirmed(A, 'calendar')
    await changesNothing(server, async () => {
      assert.equal((await completeConnect(server, own.flow, own.params, { fields: wrong })).status, 400)
      assert.equal((await completeConnect(server, own.flow, own.params)).status, 400, 'void')
    })
  }
})

test('T-CONN-01 the same person by another client or another auth_session completes nothing', async () => {
  const agent = await signIn(server, { user: ada, client: 'agent-a', browser: V.browser.clone() })
  const theirs = await meToken(server, agent)
  const own = await confirmed(V, 'calendar')
  await changesNothing(server, async () => {
    assert.equal((await completeConnect(server, own.flow, own.params, { token: theirs })).status, 400)
    assert.equal((await completeConnect(server, own.flow, own.params)).status, 400, 'void')
  })
  const other = await startConnect(server, { token: V.token, connection: 'calendar' })
  const swapped = await confirmed(V, 'calendar')
  const session = { auth_session: other.answer.json.auth_session }
  await changesNothing(server, async () => {
    assert.equal((await completeConnect(server, swapped.flow, swapped.params, { fields: session })).status, 400)
  })
})

test('T-CONN-01 completing is won once, however often it is tried at the same time', async () => {
  const { flow, params } = await confirmed(V, 'mallory')
  const won = oneWinner(await Promise.all(Array.from({ length: 20 }, () => completeConnect(server, flow, params))))
  assert.equal((await accountsOf(V)).filter(({ id }) => id === won.json.id).length, 1)
})

test('T-CONN-02 a provider that sends its victim on to another one gets no code: neither token endpoint is called', async () => {
  const { asked } = await untilProvider(V, mallory)
  const theirs = {
    ...fields(asked),
    client_id: calendar.clientId,
    redirect_uri: `${server.issuer}login/callback/calendar`,
  }
  const answer = await answerOf(calendar, theirs)
  await changesNothing(server, async () => assertRefused(await V.browser.open(answer.href)))
  // Nor does the code fit where the transaction waits: `iss` says whose it is.
  const again = await untilProvider(V, mallory)
  const moved = new URL(`${server.issuer}login/callback/mallory`)
  moved.search = (await answerOf(calendar, { ...theirs, state: again.asked.get('state') ?? '' })).search
  await changesNothing(server, async () => assertRefused(await V.browser.open(moved.href)))
})

test('T-CONN-02 the same at sign-in: the path of the answer is the one that was asked for', async () => {
  const browser = new Browser()
  const start = await browser.open(authorizeUrl(server, { connection: 'mallory' }).url, { stopAt: mallory.url })
  const theirs = { ...fields(start.params), client_id: calendar.clientId }
  const answer = await answerOf(calendar, { ...theirs, redirect_uri: `${server.issuer}login/callback/calendar` })
  await changesNothing(server, async () => assertRefused(await browser.open(answer.href)))
})

test("T-CONN-03 an attacker's code in a victim's transaction is refused at either path", async () => {
  const own = await untilProvider(A, mallory)
  const planted = await answerOf(mallory, fields(own.asked))
  for (const [waiting, at] of [
    [calendar, calendar],
    [calendar, mallory],
    [mallory, calendar],
  ] as const) {
    const { asked } = await untilProvider(V, waiting)
    const forged = new URL(`${server.issuer}login/callback/${at.name}`)
    forged.search = planted.search
    forged.searchParams.set('state', asked.get('state') ?? '')
    await changesNothing(server, async () => assertRefused(await V.browser.open(forged.href)))
  }
  // The attacker's whole answer, in the victim's browser.
  await changesNothing(server, async () => assertRefused(await V.browser.open(planted.href)))
})

test('T-CONN-03 the browser leg belongs to the browser and the session that started it', async () => {
  const { asked } = await untilProvider(V, calendar)
  const answer = await answerOf(calendar, fields(asked))
  await changesNothing(server, async () => {
    assertRefused(await A.browser.open(answer.href))
    assertRefused(await V.browser.open(answer.href))
  })
})

test('T-CONN-04 two connections to one upstream keep their people apart, and their answers', async () => {
  const api = await mgmt(server)
  const { options } = calendar.connection()
  const twin = { name: 'twin', strategy: 'oidc', enabled_clients: ['web'], options }
  assert.equal((await api.post('/connections', twin)).status, 201)
  calendar.addUser('both', { email: 'both@example.test' })
  calendar.switchUser('both')
  const one = await signIn(server, { connection: 'calendar' })
  const other = await signIn(server, { connection: 'twin' })
  assert.notEqual(one.sub, other.sub)
  const browser = new Browser()
  const start = await browser.open(authorizeUrl(server, { connection: 'twin' }).url, { stopAt: calendar.url })
  const answer = await answerOf(calendar, {
    ...fields(start.params),
    redirect_uri: `${server.issuer}login/callback/calendar`,
  })
  await changesNothing(server, async () => assertRefused(await browser.open(answer.href)))
  calendar.switchUser('ada')
})

test('T-CONN-05 an answer without `iss`, or with another, is refused before a token call', async () => {
  for (const tamper of [
    ({ iss: _, ...rest }: Readonly<Record<string, string>>) => rest,
    (answer: Readonly<Record<string, string>>) => ({ ...answer, iss: mallory.issuer }),
    (answer: Readonly<Record<string, string>>) => ({ ...answer, iss: `${answer.iss}/` }),
  ]) {
    calendar.tamperRedirect = tamper
    const flow = await startConnect(server, { token: V.token, connection: 'calendar' })
    await changesNothing(server, async () => {
      assertRefused(await V.browser.open(flow.url))
      assertRefused(await new Browser().open(authorizeUrl(server, { connection: 'calendar' }).url))
    })
  }
  calendar.reset()
})

test("T-CONN-05 a discovery document that names somebody else's issuer is not used", async () => {
  honest.tamperDiscovery = (document) => ({ ...document, issuer: calendar.issuer })
  await changesNothing(server, async () => {
    assertRefused(await new Browser().open(authorizeUrl(server, { connection: 'lazy' }).url))
  })
  assert.equal(honest.calls('authorize').length, 0)
  honest.reset()
})

test("T-CONN-05 a discovery document that names somebody else's endpoints gets no code past their `iss`", async () => {
  const own = ['authorization_endpoint', 'token_endpoint'] as const
  const theirs = (await (await fetch(`${calendar.issuer}/.well-known/openid-configuration`)).json()) as Record<
    string,
    unknown
  >
  honest.tamperDiscovery = (document) => ({
    ...document,
    ...Object.fromEntries(own.map((name) => [name, theirs[name]])),
  })
  await changesNothing(server, async () => {
    const page = await new Browser().open(authorizeUrl(server, { connection: 'lazy' }).url)
    assert.ok(page.status >= 400, `${page.name} ${page.url}`)
  })
  honest.reset()
})

test('T-CONN-07 scopes are those that the provider granted, and a wider exchange is refused without a call', async () => {
  calendar.grantOnly = ['openid', 'offline_access']
  const account = await connect(V.browser, server, {
    token: V.token,
    connection: 'calendar',
    scopes: ['openid', 'email', 'offline_access'],
  })
  calendar.reset()
  assert.deepEqual([...account.scopes].sort(), ['offline_access', 'openid'])
  await changesNothing(server, async () => {
    const answer = await exchange(server, { connection: 'calendar', subjectToken: V.refreshToken, scope: 'email' })
    assert.equal(answer.status, 401)
    assert.equal(answer.json.tenon.code, 'scope_missing')
    assert.deepEqual(answer.json.tenon.missing_scopes, ['email'])
  })
  // Connected again with less: what is kept is what the provider grants now, not what it granted once.
  const wider = await connect(V.browser, server, {
    token: V.token,
    connection: 'calendar',
    scopes: ['openid', 'email', 'offline_access'],
  })
  assert.equal(wider.id, account.id)
  calendar.grantOnly = ['openid', 'offline_access']
  const again = await connect(V.browser, server, {
    token: V.token,
    connection: 'calendar',
    scopes: ['openid', 'email'],
  })
  calendar.reset()
  assert.deepEqual([again.id, ...[...again.scopes].sort()], [account.id, 'offline_access', 'openid'])
  const narrow = await exchange(server, { connection: 'calendar', subjectToken: V.refreshToken, scope: 'email' })
  assert.deepEqual([narrow.status, narrow.json.tenon?.code], [401, 'scope_missing'])
  // Edited in the browser: what counts is what came of it.
  const { asked } = await untilProvider(V, calendar)
  const wide = await answerOf(calendar, {
    ...fields(asked),
    scope: 'openid email profile offline_access calendar.write',
  })
  await V.browser.open(wide.href)
  assert.match(V.browser.page.text, /Change\s*your events/, 'the confirm page says what was granted')
  await V.browser.submit('link-confirm', { action: 'cancel' })
})

test('T-CONN-08 another upstream account than before is another connected account; the first stays as it is', async () => {
  const [ordinary] = [await connect(V.browser, server, { token: V.token, connection: 'calendar' })]
  calendar.switchUser('eve')
  const other = await connect(V.browser, server, { token: V.token, connection: 'calendar' })
  calendar.switchUser('ada')
  assert.notEqual(other.id, ordinary.id)
  const first = await exchange(server, { connection: 'calendar', subjectToken: V.refreshToken, loginHint: ordinary.id })
  assert.equal(first.status, 200)
  const who = await fetch(calendar.apiUrl, { headers: { authorization: `Bearer ${first.json.access_token}` } })
  assert.match(await who.text(), new RegExp(calendar.users.get('ada').sub))
})

test('T-CONN-09 nothing is connected without a yes on our page, however willing the provider is', async () => {
  const flow = await startConnect(server, { token: V.token, connection: 'mallory', scopes: ['openid', 'everything'] })
  await changesNothing(server, async () => {
    const unopened = await completeConnect(server, flow, new URLSearchParams({ connect_code: 'A'.repeat(43) }))
    assert.equal(unopened.status, 400)
  })
  const page = await V.browser.open(flow.url)
  assert.equal(page.name, 'link-confirm')
  assert.match(page.text, /everything/)
  const before = await accountsOf(V)
  const early = await completeConnect(server, flow, new URLSearchParams({ connect_code: 'A'.repeat(43) }))
  assert.equal(early.status, 400)
  const cancelled = await V.browser.submit('link-confirm', { action: 'cancel' })
  assert.equal(cancelled.params.get('error'), 'access_denied')
  assert.equal((await completeConnect(server, flow, new URLSearchParams({ connect_code: 'A'.repeat(43) }))).status, 400)
  assert.deepEqual(await accountsOf(V), before)
})

test('T-CONN-09 a connection that is not enabled for the client looks like one that does not exist', async () => {
  const api = await mgmt(server)
  const { options } = mallory.connection()
  const hidden = {
    name: 'hidden',
    strategy: 'oidc',
    enabled_clients: ['agent-b'],
    connected_accounts: { active: true },
    options,
  }
  assert.equal((await api.post('/connections', hidden)).status, 201)
  const [one, none] = await Promise.all(
    ['hidden', 'nothing'].map((connection) => startConnect(server, { token: V.token, connection })),
  )
  assert.equal(one?.answer.status, 400)
  assert.equal(one?.answer.text, none?.answer.text)
})

test('T-CONN-01 a ticket and a connect code that lay for ten minutes are worth nothing', async () => {
  const late = await confirmed(V, 'mallory')
  const unopened = await startConnect(server, { token: V.token, connection: 'calendar' })
  passTime(601)
  await changesNothing(server, async () => {
    assert.equal((await completeConnect(server, late.flow, late.params)).status, 400)
    assertRefused(await V.browser.open(unopened.url))
  })
})

test('T-CONN every refusal of a browser leg leaves an event without a secret', async () => {
  const refused = await eventsOf(server, 'connected_account.refused')
  assert.ok(refused.length > 0)
  const text = JSON.stringify(refused)
  for (const secret of [...calendar.secrets, ...mallory.secrets]) assert.ok(!text.includes(secret))
  assert.ok((await (await mgmt(server)).get(userPath(V.sub))).status === 200)
})
