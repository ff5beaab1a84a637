// The browser leg of connecting an account for agents: whose address must be proven first, and what is given back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  completeConnect,
  drive,
  expectStatus,
  me,
  meToken,
  mgmt,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { eventsOf, tokenCalls } from '../support/state.ts'

const server = await startServer()
const { calendar, code: forge } = server.providers
const codeOf = (text: string) => /\b\d{6}\b/.exec(text)?.[0] ?? ''

/** Somebody who may connect, a ticket of theirs, and then an address that nobody vouches for any more. */
async function withUnprovenAddress(name: string) {
  const person = server.person(name, ['calendar', 'code'])
  const who = await signIn(server, { connection: 'calendar' })
  const token = await meToken(server, who)
  const flow = await startConnect(server, { token, connection: 'code' })
  expectStatus(flow.answer, 201)
  const api = await mgmt(server)
  expectStatus(await api.patch(userPath(who.sub), { email_verified: false }), 200)
  return { person, who, token, flow, api }
}

test('T-PRE a person whose address is unproven proves it by a mailed code, and connects', async () => {
  const { person, who, flow, token, api } = await withUnprovenAddress('ida')
  const refused = await startConnect(server, { token, connection: 'code' })
  assert.equal(refused.answer.status, 403)
  assert.match(refused.answer.text, /address_unproven/)

  const page = await who.browser.open(flow.url)
  assert.equal(page.name, 'verify-email')
  // The whole address is not for whoever looks over the shoulder.
  assert.ok(!page.text.includes(person.email))
  assert.deepEqual(tokenCalls(server).code, 0)
  const mail = await mailTo(person.email)
  assert.match(mail.text, /Acme/)

  const wrong = await who.browser.submit('verify', { fields: { code: '000000' } })
  assert.deepEqual([wrong.status, wrong.name], [400, 'verify-email'])
  await who.browser.submit('verify', { fields: { code: codeOf(mail.text) } })
  const done = await drive(who.browser)
  expectStatus(await completeConnect(server, flow, done.params), 201)
  const user = (await api.get(userPath(who.sub))).json
  assert.equal(user.email_verified, true)
  const [event] = await eventsOf(server, 'user.address_proven')
  assert.deepEqual([event?.userId, event?.data], [who.sub, { grade: 3, source: 'mail' }])
})

test('T-PRE-10 the code is for one browser, one interaction and five tries', async () => {
  const { person, who, flow } = await withUnprovenAddress('ivo')
  await who.browser.open(flow.url)
  const { text } = await mailTo(person.email)
  const before = who.browser.clone()
  const stranger = await signIn(server, { user: server.tenant.eve })
  const elsewhere = await stranger.browser.open(
    before.page.url === 'about:blank' ? who.browser.page.url : before.page.url,
  )
  assert.equal(elsewhere.error, 'wrong_browser')

  const guesses = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const copy = who.browser.clone()
      copy.page = who.browser.page
      return copy.submit('verify', { fields: { code: String(100_000 + at) } })
    }),
  )
  const heard = guesses.filter(({ text: said }) => said.includes('This is not the code'))
  assert.equal(heard.length, 5)
  const late = await who.browser.submit('verify', { fields: { code: codeOf(text) } })
  assert.deepEqual([late.status, late.name], [400, 'verify-email'])
  const resent = await who.browser.submit('verify', { fields: { resend: 'yes' } })
  assert.equal(resent.status, 200)
  const fresh = await eventually('a second code', () => {
    const codes = server
      .mails()
      .filter(({ to }) => to === person.email)
      .map((mail) => codeOf(mail.text))
    return codes.find((one) => one !== codeOf(text))
  })
  await who.browser.submit('verify', { fields: { code: fresh } })
  assert.ok((await drive(who.browser)).params.has('connect_code'))
})

test('who would rather not prove the address goes back to the client with access_denied', async () => {
  const { person, who, flow } = await withUnprovenAddress('ira')
  await who.browser.open(flow.url)
  await mailTo(person.email)
  const { action, fields } = who.browser.form('verify')
  const from = who.browser.page.url
  const page = await who.browser.post(
    new URL(action, from).href,
    { ...Object.fromEntries(fields), action: 'cancel' },
    { from },
  )
  assert.ok(page.stopped)
  assert.equal(page.params.get('error'), 'access_denied')
  assert.equal(page.params.get('state'), flow.state)
  assert.equal((await who.browser.open(flow.url)).error, 'ticket_invalid')
})

test('a code proves the address that it was sent to, and not the one that the user has meanwhile', async () => {
  const { person, who, flow, api } = await withUnprovenAddress('ines')
  await who.browser.open(flow.url)
  const { text } = await mailTo(person.email)
  expectStatus(await api.patch(userPath(who.sub), { email: 'other@example.test', email_verified: false }), 200)
  const page = await who.browser.submit('verify', { fields: { code: codeOf(text) } })
  assert.equal(page.error, 'interaction_expired')
  assert.equal((await api.get(userPath(who.sub))).json.email_verified, false)
})

test('of "yes" and "no" at once on the confirm page one is heard, and what is kept is not revoked', async () => {
  server.person('olga', ['calendar', 'code'])
  const who = await signIn(server, { connection: 'calendar' })
  const token = await meToken(server, who)
  for (let round = 0; round < 3; round++) {
    const flow = await startConnect(server, { token, connection: 'code' })
    await who.browser.open(flow.url)
    await drive(who.browser, { answers: { 'link-confirm': false } })
    assert.equal(who.browser.page.name, 'link-confirm')
    const answers = await Promise.all(
      ['cancel', 'confirm', 'cancel'].map((action) => {
        const copy = who.browser.clone()
        copy.page = who.browser.page
        return copy.submit('link-confirm', { action })
      }),
    )
    const heard = answers.filter(({ stopped }) => stopped)
    assert.equal(heard.length, 1)
    const [winner] = heard
    if (winner?.params.has('connect_code') !== true) continue
    expectStatus(await completeConnect(server, flow, winner.params), 201)
    const { json } = await me(server, token).get('/connected-accounts/accounts')
    assert.equal(json.accounts.length, 1)
  }
  assert.ok(forge.calls('token').length > 0)
})

test('a leg whose session ends midway redeems nothing', async () => {
  server.person('otto', ['calendar', 'code'])
  const who = await signIn(server, { connection: 'calendar' })
  const token = await meToken(server, who)
  const flow = await startConnect(server, { token, connection: 'code' })
  await who.browser.open(flow.url, { stopAt: `${server.issuer}login/callback` })
  const callback = who.browser.page.url
  const calls = tokenCalls(server).code
  const api = await mgmt(server)
  expectStatus(await api.patch(userPath(who.sub), { blocked: true }), 200)
  const page = await who.browser.open(callback)
  assert.ok(page.status >= 400 && page.status < 500)
  assert.equal(tokenCalls(server).code, calls)
  assert.ok(calendar.calls('token').length > 0)
})

const mailTo = (address: string) =>
  eventually(`a mail to ${address}`, () => server.mails().find(({ to, text }) => to === address && codeOf(text) !== ''))
