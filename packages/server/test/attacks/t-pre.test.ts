// Pre-hijacking and identity matching (T-PRE): nobody waits in an account for its owner, and no address is a name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorize,
  authorizeUrl,
  claimsOf,
  expectStatus,
  meToken,
  mgmt,
  redeem,
  refresh,
  type SignedIn,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually, sleep } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, openDoors, snapshot } from '../support/state.ts'
import { PASSWORDS, type Person } from '../support/tenant.ts'

const server = await startServer()
const { calendar, loose, code } = server.providers
let people = 0

/** Somebody new with a password and a proven address. */
async function newcomer(name: string, emailVerified = true): Promise<Person> {
  const person = { email: `${name}-${++people}p@example.test`, password: `of ${name} ${Math.random()}` }
  const api = await mgmt(server)
  const body = { connection: PASSWORDS, email_verified: emailVerified, ...person }
  expectStatus(await api.post('/users', body), 201)
  return person
}

const wordsTo = (to: string) => server.mails().filter((mail) => mail.to === to)

const nextMail = (to: string, before: number) =>
  eventually(`a mail to ${to}`, () => (wordsTo(to).length > before ? wordsTo(to).at(-1) : undefined))

/** Asks for a reset in a new browser and follows the mailed link. */
async function resetLink(email: string): Promise<string> {
  const before = wordsTo(email).flatMap(({ links }) => links)
  await askReset(email)
  return eventually('a reset link', () =>
    wordsTo(email)
      .flatMap(({ links }) => links)
      .find((link) => link.includes('/reset-password?ticket=') && !before.includes(link)),
  )
}

async function askReset(email: string): Promise<Page> {
  const browser = new Browser()
  await browser.open(authorizeUrl(server, { extra: { screen_hint: 'reset-password' } }).url)
  return browser.submit('reset', { fields: { email } })
}

async function chooseNew(link: string, password: string): Promise<Page> {
  const browser = new Browser()
  const page = await browser.open(link)
  if (browser.findForm('reset') === undefined) return page
  return browser.submit('reset', { fields: { password } })
}

async function startSignup(person: Person): Promise<Browser> {
  const browser = new Browser()
  await browser.open(authorizeUrl(server, { extra: { screen_hint: 'signup' } }).url)
  await browser.submit('signup', { fields: { email: person.email, password: person.password } })
  return browser
}

/** A page that suggests a link is where a sign-in stops, unanswered. */
const NO_QUESTIONS = { 'link-suggest': false, 'link-choose': false, 'link-conflict': false } as const

/** A user but for what moves by being used. */
async function stillOf(sub: string) {
  const { last_login: _, last_ip: __, logins_count: ___, updated_at: ____, ...still } = await userOf(sub)
  return still
}

const userOf = async (sub: string) => (await (await mgmt(server)).get(userPath(sub))).json

test("T-PRE-01 a sign-up with somebody else's address makes nothing that its owner could meet", async () => {
  const victim = server.person('owner', ['calendar'])
  const sitter = { email: victim.email, password: 'a password of the sitter' }
  await changesNothing(server, async () => {
    const browser = await startSignup(sitter)
    assert.equal(browser.page.name, 'verify-email')
    for (const guess of ['000000', '123456', '', '999999']) {
      assert.equal((await browser.submit('verify', { fields: { code: guess } })).status, 400)
    }
    await nextMail(victim.email, 0)
  })
  const came = await signIn(server, { connection: 'calendar' })
  const user = await userOf(came.sub)
  assert.deepEqual(
    user.identities.map(({ connection }: { connection: string }) => connection),
    ['calendar'],
  )
  assert.equal((await authorize(new Browser(), server, { user: sitter })).params.has('code'), false)
})

test('T-PRE-02 who proves the mailbox has the account alone: sessions and tokens of before are dead', async () => {
  const victim = await newcomer('victim')
  const sitter = await signIn(server, { user: victim })
  const token = await meToken(server, sitter)
  const agent = await signIn(server, { user: victim, client: 'agent-b' })
  assert.equal((await refresh(server, 'agent-b', agent.refreshToken)).status, 200)
  const done = await chooseNew(await resetLink(victim.email), 'a new password of the owner')
  assert.equal(done.status, 200)
  assert.deepEqual(await openDoors(server, sitter, { meToken: token, connection: 'calendar' }), [])
  assert.equal((await refresh(server, 'agent-b', agent.refreshToken)).json.error, 'invalid_grant')
  assert.equal((await authorize(new Browser(), server, { user: victim })).params.has('code'), false)
  const again = { ...victim, password: 'a new password of the owner' }
  assert.equal((await authorize(new Browser(), server, { user: again })).params.has('code'), true)
})

test('T-PRE-03 nothing is connected to an account whose address nobody proved', async () => {
  const unproven = await newcomer('unproven', false)
  const came: SignedIn[] = [await signIn(server, { user: unproven })]
  server.person('claims', ['loose'], { emailVerified: true })
  came.push(await signIn(server, { connection: 'loose' }))
  for (const who of came) {
    const token = await meToken(server, who)
    await changesNothing(server, async () => {
      const { answer } = await startConnect(server, { token, connection: 'code' })
      assert.equal(answer.status, 403)
      assert.equal(answer.json.code, 'address_unproven')
    })
  }
})

test('T-PRE-04 links that were mailed before die with what they were for', async () => {
  const victim = await newcomer('changed')
  const first = await resetLink(victim.email)
  const second = await resetLink(victim.email)
  const failsWith = async (link: string) => {
    const page = await chooseNew(link, 'a password of somebody late')
    assert.ok(page.status === 400 || page.status === 410, `${page.name} ${page.status}`)
  }
  await failsWith(first)
  assert.equal((await chooseNew(second, 'the password of the owner')).status, 200)
  await failsWith(second)
  // Blocking ends what waits; opening alone changes nothing, for mail scanners open links.
  const waiting = await resetLink(victim.email)
  assert.equal((await new Browser().open(waiting)).status, 200)
  const came = await signIn(server, { user: { ...victim, password: 'the password of the owner' } })
  const api = await mgmt(server)
  expectStatus(await api.patch(userPath(came.sub), { blocked: true }), 200)
  await failsWith(waiting)
  expectStatus(await api.patch(userPath(came.sub), { blocked: false }), 200)
  await failsWith(waiting)
  const third = await resetLink(victim.email)
  const answers = await Promise.all(['one', 'two', 'three'].map((word) => chooseNew(third, `password number ${word}`)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
})

test('T-PRE-05 a provider that verifies nothing, or whose word is not plain true, reaches nobody', async () => {
  const victim = await newcomer('known')
  const owner = await signIn(server, { user: victim })
  const before = await stillOf(owner.sub)
  const lies = [true, 'true', 1, undefined, null, [true], { verified: true }]
  for (const [at, lie] of lies.entries()) {
    for (const connection of ['loose', 'calendar'] as const) {
      if (connection === 'calendar' && lie === true) continue
      const provider = server.providers[connection]
      server.person(`liar-${at}`, [connection], {
        email: victim.email,
        emailVerified: undefined,
        extraClaims: lie === undefined ? {} : { email_verified: lie },
      })
      const came = await comeIn(connection)
      if (came === undefined) continue
      assert.notEqual(came.sub, owner.sub, `${connection}: ${JSON.stringify(lie)}`)
      assert.notEqual(came.claims.email_verified, true, `${connection}: ${JSON.stringify(lie)}`)
      assert.equal(provider.currentUser?.startsWith('liar'), true)
    }
  }
  assert.deepEqual(await stillOf(owner.sub), before)
  assert.equal((await authorize(new Browser(), server, { user: victim })).params.has('code'), true)
})

/** A sign-in without any question of ours; undefined when the provider's word was not taken at all. */
async function comeIn(connection: string): Promise<SignedIn | undefined> {
  const { page, ...flow } = await authorize(new Browser(), server, { connection, answers: NO_QUESTIONS })
  assert.ok(!(page.name ?? '').startsWith('link-'), `${page.name}: suggested by an address that nobody believes`)
  if (page.name === 'error') return undefined
  const { json } = expectStatus(await redeem(server, flow), 200)
  const claims = claimsOf(json.id_token)
  const { refresh_token: refreshToken, id_token: idToken, access_token: accessToken } = json
  const tokens = { refreshToken, idToken, accessToken, code: '', client: 'web' }
  return { browser: new Browser(), claims, sub: String(claims.sub), ...tokens }
}

test('T-PRE-06 an address that a trusted provider names, old or new, leads to nobody else', async () => {
  const victim = server.person('first', ['calendar'])
  const owner = await signIn(server, { connection: 'calendar' })
  const attacker = server.person('second', ['calendar'])
  const other = await signIn(server, { connection: 'calendar' })
  const untouched = await stillOf(owner.sub)
  calendar.updateUser(attacker.key, {
    email: victim.email,
    emailVerified: true,
    login: victim.key,
    extraClaims: { preferred_username: victim.email, upn: victim.email, oid: owner.sub, unique_name: victim.email },
  })
  const again = await signIn(server, { connection: 'calendar', answers: NO_QUESTIONS })
  assert.equal(again.sub, other.sub)
  assert.notEqual(again.sub, owner.sub)
  const renamed = server.person('third', ['calendar'], { email: victim.email })
  const third = await signIn(server, { connection: 'calendar' })
  assert.ok(![owner.sub, other.sub].includes(third.sub))
  assert.deepEqual(await stillOf(owner.sub), untouched)
  victim.at('calendar')
  calendar.updateUser(victim.key, { email: 'moved@example.test' })
  assert.equal((await signIn(server, { connection: 'calendar' })).sub, owner.sub)
  assert.notEqual(renamed.key, victim.key)
})

test('T-PRE-07 another spelling of an address is refused or is another address', async () => {
  const victim = { email: `victim.${++people}@example.test`, password: 'the password of the victim' }
  expectStatus(
    await (await mgmt(server)).post('/users', { connection: PASSWORDS, email_verified: true, ...victim }),
    201,
  )
  const [local = '', domain = ''] = victim.email.split('@')
  const variants = [
    `${local}@example.test.`,
    ` ${victim.email}`,
    `${victim.email} `,
    `${local}\u0000@${domain}`,
    `${local}\u00ad@${domain}`,
    `${local}\u200b@${domain}`,
    `${local.replace('i', 'ı')}@${domain}`,
    `${local.replace('i', 'і')}@${domain}`,
    `${local.replace('v', 'ｖ')}@${domain}`,
    `${local}@exаmple.test`,
    `${local}@ex\u0061\u0301mple.test`,
    `${local}@\u00e9xample.test`,
    `${local}@xn--xample-9ua.test`,
    `${local.replace('i', 'i\u0307')}@${domain}`,
    `${local}＠${domain}`,
    `${local}@example\u3002test`,
    `${local}+tag@${domain}`,
    `${local.replace('.', '')}@${domain}`,
    `"${local}"@${domain}`,
    `Victim <${victim.email}>`,
    `${victim.email},evil@evil.test`,
    `${local}@evil.test@${domain}`,
    `${local}(comment)@${domain}`,
    `${local}@[127.0.0.1]`,
    `${local}%00@${domain}`,
    `${local}\r\nBcc: evil@evil.test@${domain}`,
  ]
  const mailsBefore = wordsTo(victim.email).length
  for (const email of variants) {
    const page = await askReset(email)
    assert.ok(page.status === 400 || page.name === 'reset-password', JSON.stringify(email))
    const came = await authorize(new Browser(), server, { user: { email, password: victim.password } })
    assert.equal(came.params.has('code'), false, JSON.stringify(email))
    const signup = await startSignup({ email, password: 'another password' })
    assert.ok(signup.page.name === 'signup' || signup.page.name === 'verify-email', JSON.stringify(email))
  }
  await sleep(1200)
  assert.equal(wordsTo(victim.email).length, mailsBefore, 'a variant mailed the victim')
  const receivers = new Set(server.mails().map(({ to }) => to))
  assert.equal(
    [...receivers].some((to) => /evil\.test$/.test(to) || /[\s,<>]/.test(to)),
    false,
  )
  // Case alone makes no second person, and mail goes to the address as it is stored.
  assert.equal(
    (await authorize(new Browser(), server, { user: { ...victim, email: victim.email.toUpperCase() } })).params.has(
      'code',
    ),
    true,
  )
  await askReset(victim.email.toUpperCase())
  assert.equal((await nextMail(victim.email, mailsBefore)).to, victim.email)
  const api = await mgmt(server)
  const twice = await api.post('/users', { connection: PASSWORDS, ...victim, email: victim.email.toUpperCase() })
  assert.equal(twice.status, 409)
})

test('T-PRE-07 an address that a trusted provider spells otherwise is nobody else', async () => {
  const victim = server.person('spelled.out', ['calendar'])
  const owner = await signIn(server, { connection: 'calendar' })
  const before = await stillOf(owner.sub)
  const [local = '', domain = ''] = victim.email.split('@')
  const variants = [
    `${local.replace('.', '')}@${domain}`,
    `${local}+tag@${domain}`,
    `${local}@${domain}.`,
    ` ${victim.email}`,
    `${local}\u00ad@${domain}`,
    `${local.replace('e', 'е')}@${domain}`,
    `${local}@exаmple.test`,
    `${victim.email},evil@evil.test`,
    `Victim <${victim.email}>`,
    `${local}\u0000@${domain}`,
    [victim.email],
    { address: victim.email },
  ]
  for (const email of variants) {
    server.person('speller', ['work'], { extraClaims: { email, email_verified: true } })
    const came = await comeIn('work')
    assert.notEqual(came?.sub, owner.sub, JSON.stringify(email))
  }
  assert.deepEqual(await stillOf(owner.sub), before)
})

test('T-PRE-08 a name that was registered again at the provider is somebody new', async () => {
  const old = server.person('octocat', ['code'])
  const before = await signIn(server, { connection: 'code' })
  const heir = server.person('heir', ['code'], { email: old.email, login: 'octocat-1', emailVerified: true })
  code.updateUser(old.key, { login: 'gone' })
  code.updateUser(heir.key, { login: 'octocat' })
  const after = await signIn(server, { connection: 'code' })
  assert.notEqual(after.sub, before.sub)
  assert.equal(after.sub, `github|${heir.subjects.code}`)
})

test('T-PRE-09 what names a person upstream is one exact string, or nothing', async () => {
  const wrong = [12345, null, '', [], {}, true, undefined, 'x'.repeat(10_000), 'a\u0000b', ' padded ', 1e3]
  const before = await snapshot(server)
  for (const sub of wrong) {
    server.person('shifter', ['calendar'])
    calendar.tamperIdToken = (claims) => {
      const { sub: _, ...rest } = claims
      return sub === undefined ? rest : { ...claims, sub }
    }
    const { page } = await authorize(new Browser(), server, { connection: 'calendar' })
    assert.equal(page.name, 'error', JSON.stringify(sub))
  }
  calendar.reset()
  assert.deepEqual(await snapshot(server), before)
  // Ids that differ beyond what a double holds are two people.
  const ids = ['9007199254740993', '9007199254740992']
  const subs = new Set<string>()
  for (const sub of ids) {
    server.person('big', ['code'], { sub })
    subs.add((await signIn(server, { connection: 'code' })).sub)
  }
  assert.deepEqual(
    [...subs],
    ids.map((id) => `github|${id}`),
  )
  // A subject with a pipe does not become another connection's.
  server.person('piped', ['loose'], { sub: 'x|calendar|y' })
  const piped = await signIn(server, { connection: 'loose' })
  assert.equal(piped.sub, 'oidc|loose|x|calendar|y')
  assert.equal(loose.currentUser?.startsWith('piped'), true)
})

test('T-PRE-10 a code that was mailed for one sign-up finishes no other', async () => {
  const email = `mailed-${++people}@example.test`
  const first = await startSignup({ email, password: 'the password of the owner' })
  const mail = await nextMail(email, 0)
  const mailed = /\b(\d{6})\b/.exec(mail.text)?.[1] ?? ''
  const attacker = await startSignup({ email, password: 'the password of the thief' })
  assert.equal((await attacker.submit('verify', { fields: { code: mailed } })).status, 400)
  const done = await first.submit('verify', { fields: { code: mailed } })
  assert.equal(done.params.has('code'), true)
  assert.equal(
    (await authorize(new Browser(), server, { user: { email, password: 'the password of the thief' } })).params.has(
      'code',
    ),
    false,
  )
})
