// A second step: set up, asked for by whichever way one comes in, counted as proof, and given up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../attacks/databases.ts'
import { authorize, claimsOf, codeOf, drive, expectStatus, redeem, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { enrolApp, toSecondStep, typeCode, typeRecovery } from '../support/factors.ts'
import { passTime } from '../support/time.ts'
import { openSelfWorld } from './self-world.ts'

for (const database of databases) {
  test(`an app is asked for at every sign-in from then on, and its code is in amr and acr (${database})`, async () => {
    const { server, withPassword, mailTo } = await openSelfWorld(database)
    const who = await withPassword('cara')
    const elsewhere = new Browser()
    await authorize(elsewhere, server, { user: who.user })
    const { app } = await enrolApp(who.browser, server)
    await mailTo(who.user.email, /second step was added/)
    // Whoever was signed in before goes around nothing.
    await elsewhere.open(`${server.url}/account`)
    assert.equal(elsewhere.page.name, 'login')
    passTime(60)
    const browser = new Browser()
    const flow = await authorize(browser, server, { user: who.user })
    assert.equal(browser.page.name, 'mfa')
    const page = await typeCode(browser, app.code())
    const tokens = expectStatus(await redeem(server, { ...flow, params: page.params }), 200).json
    const claims = claimsOf(tokens.id_token)
    assert.deepEqual(claims.amr, ['pwd', 'otp', 'mfa'])
    assert.equal(claims.acr, 'http://schemas.openid.net/pape/policies/2007/06/multi-factor')
    // The session lasts: nothing is asked again.
    codeOf(await authorize(browser, server, {}))
  })

  test(`recovery codes let somebody in once each, and new ones take their place (${database})`, async () => {
    const { server, withPassword, at, mailTo } = await openSelfWorld(database)
    const { user, browser: own } = await withPassword('dora')
    const { codes } = await enrolApp(own, server)
    const browser = await toSecondStep(server, user)
    assert.ok((await typeRecovery(browser, (codes[0] ?? '').toUpperCase().replaceAll('-', ' '))).stopped)
    assert.match((await at(browser, '/connections')).text, /9 codes are left/)
    await browser.submit('second-step', { action: 'new-codes' })
    assert.equal(browser.page.name, 'recovery-codes')
    await mailTo(user.email, /New recovery codes/)
    const later = await toSecondStep(server, user)
    assert.equal((await typeRecovery(later, codes[1] ?? '')).name, 'mfa')
    // Given up, nothing is asked any more, and no code is left behind.
    await at(browser, '/connections')
    await browser.submit('second-step', { action: 'remove-app' })
    await mailTo(user.email, /second step was removed/)
    codeOf(await authorize(new Browser(), server, { user }))
    assert.doesNotMatch((await at(browser, '/connections')).text, /codes? (is|are) left/)
  })

  test(`a change to the account asks for the second step as well, and goes on after it (${database})`, async () => {
    const { server, withPassword, at } = await openSelfWorld(database)
    const { user, browser } = await withPassword('emil')
    const { app, codes } = await enrolApp(browser, server)
    passTime(700)
    await at(browser, '/connections')
    await browser.submit('second-step', { action: 'remove-app' })
    assert.equal(browser.page.name, 'reauthenticate')
    await browser.submit('login', { fields: { password: user.password } })
    assert.equal(browser.page.name, 'mfa')
    // Half a proof is none: whatever else is wanted asks from the beginning.
    const half = browser.clone()
    await at(half, '/connections')
    await half.submit('second-step', { action: 'new-codes' })
    assert.equal(half.page.name, 'reauthenticate')
    assert.equal((await typeCode(browser, '000000')).name, 'mfa')
    const done = await typeCode(browser, app.code())
    assert.equal(done.name, 'account-connections')
    assert.match(done.text, /switched off/)
    assert.equal(codes.length, 10)
  })

  test(`the account that is suggested for joining is proven by its second step as well (${database})`, async () => {
    const { server, withPassword, connectionsOf } = await openSelfWorld(database)
    const who = await withPassword('fay')
    const { app } = await enrolApp(who.browser, server)
    passTime(60)
    server.person('fay-there', ['calendar'], { email: who.user.email })
    const browser = new Browser()
    await authorize(browser, server, { connection: 'calendar', answers: { 'link-suggest': false } })
    assert.equal(browser.page.name, 'link-suggest')
    await browser.submit('link-suggest', { action: 'link' })
    await browser.submit('login', { fields: { username: who.user.email, password: who.user.password } })
    assert.equal(browser.page.name, 'mfa')
    assert.deepEqual(await connectionsOf(who.sub), ['Username-Password-Authentication'])
    await typeCode(browser, app.code())
    assert.ok(browser.page.stopped, browser.page.text)
    assert.equal((await connectionsOf(who.sub)).length, 2)
  })

  test(`what was joined asks for the primary's second step, and what is parted for its own again (${database})`, async () => {
    const { server, api, somebody, withPassword } = await openSelfWorld(database)
    const who = await withPassword('gil')
    const { app } = await enrolApp(who.browser, server)
    const other = await somebody('gil-there')
    const link = { primary_user_id: other.sub, secondary_user_id: who.sub }
    const made = expectStatus(await api.post('/links', link), 201).json
    passTime(60)
    // Its own user had none.
    codeOf(await authorize(new Browser(), server, { user: who.user }))
    expectStatus(await api.post(`/links/${made.id}/undo`, {}), 200)
    const browser = await toSecondStep(server, who.user)
    assert.ok((await typeCode(browser, app.code())).stopped)
    expectStatus(await api.delete(userPath(who.sub)), 204)
  })
}

test('who is about to join two accounts is told what becomes of the second step of the one that goes', async () => {
  const { server, somebody, at } = await openSelfWorld('sqlite')
  const other = server.person('ida-there', ['work'], { name: 'Ida There' })
  const theirs = await signIn(server, { connection: 'work' })
  const { app } = await enrolApp(theirs.browser, server)
  const { browser } = await somebody('ida')
  other.at('work')
  passTime(60)
  const look = async (primary: 'own' | 'other') => {
    await browser.submit('merge-preview', { action: 'continue', fields: { primary } })
    assert.equal(browser.page.name, 'merge-preview')
    return browser.page.text
  }
  const join = async () => {
    await at(browser, '/connections')
    await browser.submit('link', { connection: 'work' })
    await drive(browser, { answers: { 'link-conflict': 'link', 'merge-preview': false } })
    await typeCode(browser, app.next())
  }
  await join()
  assert.match(await look('own'), /not asked for any more, and the account that remains has none/)
  assert.match(browser.page.text, /work \(ida-there/)
  assert.doesNotMatch(await look('other'), /second step/)
  // With one of its own, the one that remains guards both.
  await browser.submit('merge-preview', { action: 'cancel' })
  await enrolApp(browser, server)
  passTime(60)
  await join()
  assert.match(await look('own'), /not asked for any more. The one of the account that remains is/)
})

test('an account that was prepared for somebody loses its second step when they first prove the address', async () => {
  const { server, api, resetPassword } = await openSelfWorld('sqlite')
  const user = { email: 'late@example.test', password: 'a word of the squatter' }
  expectStatus(await api.post('/users', { connection: 'Username-Password-Authentication', ...user }), 201)
  const squatter = new Browser()
  await authorize(squatter, server, { user })
  await enrolApp(squatter, server)
  const password = 'a word of the owner'
  await resetPassword(user.email, password)
  const browser = new Browser()
  codeOf(await authorize(browser, server, { user: { ...user, password } }))
  assert.equal((await drive(browser)).stopped, true)
})
