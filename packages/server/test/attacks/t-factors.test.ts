// Second steps under attack: guessed, replayed, gone around, and taken off.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSelfWorld } from '../http/self-world.ts'
import { authorize, codeOf, expectStatus } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { enrolApp, toSecondStep, typeCode, typeRecovery } from '../support/factors.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

for (const database of databases)
  test(`T-API-08 a code of an app and a recovery code are each right once, however many send them at once (${database})`, async () => {
    const { server, withPassword } = await openSelfWorld(database)
    const { user, browser } = await withPassword('ivo')
    const { app, codes } = await enrolApp(browser, server)
    // What set it up is used.
    assert.equal((await typeCode(await toSecondStep(server, user), app.code())).name, 'mfa')
    passTime(60)
    const code = app.code()
    const race = async (type: (one: Browser) => Promise<{ stopped: boolean; name: string | undefined }>) => {
      const browsers = await Promise.all([1, 2, 3].map(() => toSecondStep(server, user)))
      const pages = await Promise.all(browsers.map(type))
      assert.equal(pages.filter(({ stopped }) => stopped).length, 1)
      assert.equal(pages.filter(({ name }) => name === 'mfa').length, 2)
    }
    await race((one) => typeCode(one, code))
    await race((one) => typeRecovery(one, codes[3] ?? ''))
    // Nor is an older code good after a newer one.
    assert.ok((await typeCode(await toSecondStep(server, user), app.next())).stopped)
    assert.equal((await typeCode(await toSecondStep(server, user), app.code())).name, 'mfa')
  })

test('T-API-08 guesses of a second step are counted for the account, wherever they come from', async () => {
  const { server, withPassword } = await openSelfWorld('sqlite', { rate_limits: { enabled: true } })
  const { user, browser: own } = await withPassword('jan')
  const { app, codes } = await enrolApp(own, server)
  for (let guess = 0; guess < 10; guess++) {
    const browser = await toSecondStep(server, user)
    const typed = guess % 2 === 0 ? typeCode(browser, '123456') : typeRecovery(browser, 'aaaa-bbbb-cccc-dddd')
    assert.equal((await typed).name, 'mfa')
  }
  passTime(60)
  const limited = await typeCode(await toSecondStep(server, user), app.code())
  assert.deepEqual([limited.status, limited.error], [429, 'rate_limited'])
  assert.equal((await typeRecovery(await toSecondStep(server, user), codes[0] ?? '')).error, 'rate_limited')
  // Somebody else's guesses do not lock them out of a browser in which they were before.
  const known = own.clone()
  known.jar.cookies = known.jar.cookies.filter(({ name }) => name !== '__Host-tenon_session')
  assert.ok((await typeCode(await toSecondStep(server, user, known), app.code())).stopped)
})

test('T-LINK-15 whoever comes in by an account that was joined meets the second step of the account it is joined to', async () => {
  const { server, withPassword, api, somebody } = await openSelfWorld('sqlite')
  const { user, browser, sub } = await withPassword('kim')
  const { app } = await enrolApp(browser, server)
  const other = await somebody('kim-there')
  expectStatus(await api.post('/links', { primary_user_id: sub, secondary_user_id: other.sub }), 201)
  other.person.at('calendar')
  const thief = new Browser()
  const asked = await authorize(thief, server, { connection: 'calendar' })
  assert.equal(asked.page.name, 'mfa')
  // No way around: neither the pages nor another try know them.
  assert.equal((await thief.open(`${server.url}/account`)).name, 'login')
  passTime(60)
  const rightful = new Browser()
  await authorize(rightful, server, { connection: 'calendar' })
  assert.ok((await typeCode(rightful, app.code())).stopped)
  assert.ok(user.email)
})

test('T-LINK-15 nobody is joined to by whoever has one of the two proofs of their account', async () => {
  const { server, withPassword, somebody, connectionsOf } = await openSelfWorld('sqlite')
  const victim = await withPassword('lea')
  const { app } = await enrolApp(victim.browser, server)
  const thief = await somebody('thief')
  // The thief knows the password, and wants the account among their own.
  await authorize(thief.browser, server, {
    extra: { prompt: 'login' },
    answers: { 'link-conflict': false, login: false },
  })
  await thief.browser.submit('login', { fields: { username: victim.user.email, password: victim.user.password } })
  assert.equal(thief.browser.page.name, 'link-conflict')
  const kept = thief.browser.clone()
  kept.page = thief.browser.page
  assert.equal((await thief.browser.submit('link-conflict', { action: 'link' })).name, 'mfa')
  const state = new URL(thief.browser.page.url).searchParams.get('state')
  assert.equal((await thief.browser.open(`${server.url}/u/merge?state=${state}`)).error, 'interaction_expired')
  // Nor do they go on as the victim.
  assert.equal((await kept.submit('link-conflict', { action: 'continue' })).name, 'mfa')
  assert.equal((await connectionsOf(victim.sub)).length, 1)
  passTime(60)
  assert.equal((await typeCode(kept, app.code())).stopped, true)
})

test('T-LINK-10 a second step is taken off by a recent proof of both kinds alone, and its mail takes back one that a thief set up', async () => {
  const { server, withPassword, at, mailTo } = await openSelfWorld('sqlite')
  const { user, browser } = await withPassword('mia')
  const thief = browser.clone()
  await enrolApp(thief, server)
  // Their session was changed under them.
  assert.equal((await at(browser, '/connections')).name, 'login')
  const mail = await mailTo(user.email, /second step was added/)
  const opened = await browser.open(mail.links[0] ?? '')
  assert.equal(opened.name, 'not-me')
  const form = browser.page.forms.find(({ action }) => action === '/account/not-me')
  assert.ok(form)
  const fields = { ...Object.fromEntries(form.fields), action: 'not_me' }
  assert.match((await browser.post(`${server.url}/account/not-me`, fields)).text, /taken back/)
  assert.equal((await at(thief, '/connections')).name, 'login')
  codeOf(await authorize(browser, server, { user }))
  const twice = await new Browser().open(mail.links[0] ?? '')
  assert.equal(twice.error, 'ticket_invalid')

  const { codes } = await enrolApp(browser, server)
  passTime(700)
  for (const change of ['remove-app', 'new-codes', 'add-app']) {
    await at(browser, '/connections')
    const csrf = Object.fromEntries(browser.form('second-step').fields).csrf ?? ''
    const page = await browser.post(`${server.url}/account/connections/second-step`, { csrf, change })
    assert.equal(page.name, 'reauthenticate', change)
  }
  assert.ok((await typeRecovery(await toSecondStep(server, user), codes[0] ?? '')).stopped)
})
