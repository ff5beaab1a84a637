// Suggested linking at sign-in, and what else the address of a newcomer leads to (linking.md §2, §4, §7).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import {
  type AuthorizationAnswer,
  authorize,
  claimsOf,
  expectStatus,
  mgmt,
  redeem,
  type SignedIn,
  signIn,
  silently,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer, type TestPerson, type TestServer } from '../support/server.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'

const server = await startServer()
const { calendar, work, loose } = server.providers

/** Nobody answers for the person. */
const STOP = { 'link-suggest': false } as const

interface Newcomer {
  readonly person: TestPerson
  readonly older: SignedIn
  readonly browser: Browser
  readonly flow: AuthorizationAnswer
}

/** Known by `calendar`, and now there by `work` with the same proven address. */
async function newcomer(name: string, at: TestServer = server): Promise<Newcomer> {
  const person = at.person(name, ['calendar', 'work'])
  const older = await signIn(at, { connection: 'calendar' })
  const browser = new Browser()
  const flow = await authorize(browser, at, { connection: 'work', answers: STOP })
  return { person, older, browser, flow }
}

/** The sign-in that was begun, up to its tokens. */
async function finished({ browser, flow }: Newcomer, at: TestServer = server): Promise<string> {
  const { page } = browser
  assert.ok(page.stopped, page.text)
  const answer = expectStatus(await redeem(at, { ...flow, params: page.params }), 200)
  return String(claimsOf(answer.json.id_token).sub)
}

const identitiesOf = async (sub: string, at: TestServer = server): Promise<string[]> => {
  const { json } = await (await mgmt(at)).get(userPath(sub))
  return (json.identities ?? []).map(({ connection }: { connection: string }) => connection)
}

async function inDatabase<T>(look: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    return await look(storage)
  } finally {
    await storage.close()
  }
}

test('suggested linking: the page masks the address, names nobody, and signs nobody in', async () => {
  const visit = await newcomer('quiet')
  const { page } = visit.browser
  assert.equal(page.name, 'link-suggest')
  assert.equal(page.body.includes(visit.person.email), false)
  assert.equal(page.body.includes(visit.older.sub), false)
  assert.equal(await silently(visit.browser, server), 'login_required')
  const before = (await (await mgmt(server)).get('/users?per_page=100&include_totals=true')).json.total
  await visit.browser.open(page.url)
  assert.equal((await (await mgmt(server)).get('/users?per_page=100&include_totals=true')).json.total, before)
})

test('suggested linking: proven by a connection of the older account, both are one user and the sign-in goes on', async () => {
  const visit = await newcomer('linked')
  await visit.browser.submit('link-suggest', { action: 'link' })
  assert.equal(await finished(visit), visit.older.sub)
  assert.deepEqual(await identitiesOf(visit.older.sub), ['calendar', 'work'])
  assert.equal((await signIn(server, { connection: 'work' })).sub, visit.older.sub)
  const linked = (await eventsOf(server, 'identity.linked')).filter(({ userId }) => userId === visit.older.sub)
  assert.equal(linked.length, 1)
  assert.equal(linked[0]?.data?.rule, 'S8')
})

test('suggested linking: proven by the password of the older account, and by no other password', async () => {
  const email = 'by-password@example.test'
  const password = 'a long password of somebody'
  const api = await mgmt(server)
  const made = expectStatus(
    await api.post('/users', { connection: PASSWORDS, email, password, email_verified: true }),
    201,
  )
  server.person('by-password', ['work'], { email })
  const browser = new Browser()
  const flow = await authorize(browser, server, { connection: 'work', answers: STOP })
  assert.equal(browser.page.name, 'link-suggest')
  await browser.submit('link-suggest', { action: 'link' })
  assert.equal(browser.page.name, 'login')
  assert.equal(browser.page.body.includes(email), false)
  assert.equal(browser.findForm('connection'), undefined, 'only the ways of that account')
  const { eve } = server.tenant
  await changesNothing(server, async () => {
    await browser.submit('login', { fields: { username: eve.email, password: eve.password } })
    assert.equal(browser.page.name, 'link-suggest')
    assert.match(browser.page.text, /another account than the one we mean/)
    assert.equal(await silently(browser, server), 'login_required')
  })
  await browser.submit('link-suggest', { action: 'link' })
  assert.equal((await browser.submit('login', { fields: { username: email, password: 'wrong' } })).name, 'login')
  await browser.submit('login', { fields: { username: email, password } })
  const params = browser.page.params
  const answer = expectStatus(await redeem(server, { ...flow, params }), 200)
  assert.equal(claimsOf(answer.json.id_token).sub, made.json.user_id)
  assert.deepEqual(await identitiesOf(made.json.user_id), [PASSWORDS, 'work'])
})

test('suggested linking: another account of the same provider proves nothing', async () => {
  const visit = await newcomer('wronged')
  const stranger = server.person('stranger', ['calendar'])
  const other = await signIn(server, { connection: 'calendar' })
  await visit.browser.submit('link-suggest', { action: 'link' })
  assert.equal(visit.browser.page.name, 'link-suggest')
  assert.equal(visit.browser.page.body.includes(stranger.email), false)
  assert.deepEqual(await identitiesOf(visit.older.sub), ['calendar'])
  assert.deepEqual(await identitiesOf(other.sub), ['calendar'])
  assert.equal(await silently(visit.browser, server), 'login_required')
})

test('T-PRE-10 a proof that was begun for one arrival counts nothing for another', async () => {
  const { browser, person, older } = await newcomer('swapped')
  const question = browser.page.url
  const held = await browser.submit('link-suggest', { action: 'link', stopAt: `${server.url}/login/callback` })
  assert.ok(held.stopped)
  // In the same browser and interaction another account of the same address arrives.
  work.addUser('swapped-in', { email: person.email })
  work.switchUser('swapped-in')
  await browser.open(question.replace('/u/suggest', '/u/login'))
  assert.equal(browser.page.name, 'link-suggest')
  assert.equal((await browser.open(held.url)).error, 'interaction_expired')
  assert.deepEqual(await identitiesOf(older.sub), ['calendar'])
})

for (const choice of ['keep_separate', 'not_me']) {
  test(`suggested linking: "${choice}" makes a user of their own and is never asked again`, async () => {
    const visit = await newcomer(choice)
    await visit.browser.submit('link-suggest', { action: choice })
    const sub = await finished(visit)
    assert.notEqual(sub, visit.older.sub)
    assert.deepEqual(await identitiesOf(visit.older.sub), ['calendar'])
    assert.equal((await signIn(server, { connection: 'work' })).sub, sub)
    assert.equal((await signIn(server, { connection: 'calendar' })).sub, visit.older.sub)
    // Not even after the identity was deleted with its user, and comes anew.
    expectStatus(await (await mgmt(server)).delete(userPath(sub)), 204)
    assert.notEqual((await signIn(server, { connection: 'work' })).sub, visit.older.sub)
  })
}

test("suggested linking: the provider's no leads back to the question", async () => {
  const visit = await newcomer('refused')
  calendar.denyNext()
  await visit.browser.submit('link-suggest', { action: 'link' })
  assert.equal(visit.browser.page.name, 'link-suggest')
  assert.match(visit.browser.page.text, /The answer was no/)
  await visit.browser.submit('link-suggest', { action: 'link' })
  assert.equal(await finished(visit), visit.older.sub)
})

test('suggested linking: the waiting newcomer stands nowhere in clear', async () => {
  const visit = await newcomer('sealed')
  const state = new URL(visit.browser.page.url).searchParams.get('state') ?? ''
  const row = await inDatabase(async ({ artifacts }) =>
    JSON.stringify((await artifacts.find('Interaction', sha256Hex(state)))?.payload),
  )
  assert.ok(row?.includes('"question":"suggest"'))
  assert.equal(row.includes(visit.person.email), false)
  assert.equal(row.includes(String(visit.person.subjects.work)), false)
  for (const secret of work.secrets) assert.equal(row.includes(secret), false)
})

test('T-PRE-11 an address that is only claimed shows the same page whether somebody has it or not', async () => {
  const known = server.person('claimed', ['calendar', 'loose'])
  await signIn(server, { connection: 'calendar' })
  const one = await signIn(server, { connection: 'loose' })
  server.person('casual', ['loose'])
  const other = await signIn(server, { connection: 'loose' })
  const steps = ({ browser }: SignedIn) => browser.seen.map(({ name }) => name ?? 'redirect')
  assert.deepEqual(steps(one), steps(other))
  // Nor does what they find on their own page differ, but for their names and ids.
  const accountOf = async ({ browser, sub, claims }: SignedIn) => {
    const { text } = await browser.open(`${server.url}/account`)
    const own = [sub, claims.email, String(claims.email).split('@')[0], claims.name, claims.sid]
    return own.reduce<string>((said, word) => said.replaceAll(String(word), '*'), text.replaceAll(/\d\d:\d\d/g, ''))
  }
  assert.equal(await accountOf(one), await accountOf(other))
  assert.notEqual(one.claims.email_verified, true)
  assert.ok(known.email)
})

test('T-PRE-01 whoever sat on an address loses it, its password, sessions and tokens when its owner comes', async () => {
  const email = 'owner-of-mailbox@example.test'
  const sitter = { email, password: 'the password of a sitter' }
  const api = await mgmt(server)
  const made = expectStatus(await api.post('/users', { connection: PASSWORDS, ...sitter, email_verified: false }), 201)
  const before = await signIn(server, { user: sitter })
  server.person('owner-of-mailbox', ['calendar'], { email })
  const owner = await signIn(server, { connection: 'calendar' })
  assert.notEqual(owner.sub, made.json.user_id)
  assert.equal(owner.claims.email_verified, true)
  assert.deepEqual(await openDoors(server, before), [])
  assert.equal((await authorize(new Browser(), server, { user: sitter })).params.has('code'), false)
  const { json } = await api.get(userPath(made.json.user_id))
  assert.equal(json.email, undefined)
  assert.deepEqual(
    (await api.get(`/users-by-email?email=${encodeURIComponent(email)}`)).json.map(
      (user: { user_id: string }) => user.user_id,
    ),
    [owner.sub],
  )
})

test('T-PRE-05 a user at a provider that proves no addresses keeps their account, and nothing of the owner', async () => {
  const person = server.person('claimer', ['loose', 'calendar'])
  const claimer = await signIn(server, { connection: 'loose' })
  const owner = await signIn(server, { connection: 'calendar' })
  assert.notEqual(owner.sub, claimer.sub)
  assert.deepEqual(await openDoors(server, claimer), [], 'sessions and tokens of before have ended')
  const again = await signIn(server, { connection: 'loose' })
  assert.equal(again.sub, claimer.sub)
  assert.notEqual(again.claims.email_verified, true)
  assert.ok(person.email && loose)
})

test('T-PRE-03 whoever proves the mailbox by a new password keeps nothing that was put there before', async () => {
  const email = 'prepared@example.test'
  const sitter = { email, password: 'the password of a sitter' }
  const api = await mgmt(server)
  const made = expectStatus(await api.post('/users', { connection: PASSWORDS, ...sitter, email_verified: false }), 201)
  const trojan = server.person('trojan', ['work'])
  const helper = await signIn(server, { connection: 'work' })
  // An operator's link: nothing of ours lets the sitter do it.
  await inDatabase(async (storage) => {
    const connectionId = (await storage.connections.findByName('work'))?.id ?? ''
    const key = { connectionId, subject: String(trojan.subjects.work), fromUserId: helper.sub }
    assert.ok(await storage.transaction((tx) => tx.identities.move(key, made.json.user_id)))
  })
  const browser = new Browser()
  await authorize(browser, server, { extra: { screen_hint: 'reset-password' } })
  await browser.submit('reset', { fields: { email } })
  const link = await eventually('a reset link', () =>
    server
      .mails()
      .filter(({ to }) => to === email)
      .flatMap(({ links }) => links)
      .at(-1),
  )
  await browser.open(link)
  await browser.submit('reset', { fields: { password: 'the password of the owner' } })
  assert.deepEqual(await identitiesOf(made.json.user_id), [PASSWORDS])
  const answers = { 'link-suggest': 'keep_separate' }
  assert.notEqual((await signIn(server, { connection: 'work', answers })).sub, made.json.user_id)
})

test('suggested linking: the person is told at every proven address', async () => {
  const visit = await newcomer('told')
  await visit.browser.submit('link-suggest', { action: 'link' })
  assert.equal(await finished(visit), visit.older.sub)
  const mail = await eventually('a mail', () => server.mails().find(({ to }) => to === visit.person.email))
  assert.match(mail.text, /\bwork\b/)
})

test('S7 joined by policy where both sides are authoritative, told by mail, and never an operator', async () => {
  const operator = 'operator@example.test'
  const auto = await startServer({
    settings: { linking: { policy: 'auto_when_authoritative' }, operators: [operator] },
  })
  const person = auto.person('joined', ['calendar', 'work'])
  const older = await signIn(auto, { connection: 'calendar' })
  assert.equal((await signIn(auto, { connection: 'work' })).sub, older.sub)
  await eventually('a mail', () => auto.mails().find(({ to }) => to === person.email))
  // "Unlink means unlink": it is suggested from then on.
  const api = await mgmt(auto)
  const path = `${userPath(older.sub)}/identities/oidc/${encodeURIComponent(`work|${person.subjects.work}`)}`
  const remains = expectStatus(await api.delete(path), 200)
  assert.equal(remains.json.length, 1)
  const split = await signIn(auto, { connection: 'work' })
  assert.notEqual(split.sub, older.sub)
  expectStatus(await api.delete(userPath(split.sub)), 204)
  assert.equal((await authorize(new Browser(), auto, { connection: 'work', answers: STOP })).page.name, 'link-suggest')
  auto.person('boss', ['calendar', 'work'], { email: operator })
  await signIn(auto, { connection: 'calendar' })
  assert.equal((await authorize(new Browser(), auto, { connection: 'work', answers: STOP })).page.name, 'link-suggest')
})
