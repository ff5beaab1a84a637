// Agents that wear people out, answer for them, or show them something else than they get; and strangers' devices (attack
// catalogue, T-AGT-04 to T-AGT-07, T-AS-13).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, drive, expectStatus, mgmt, refresh, signIn } from '../support/actors.ts'
import { answer, ask, askByDevice, openQuestion, poll, pollByDevice, withApprovals } from '../support/approvals.ts'
import { Browser } from '../support/browser.ts'
import { DATABASES } from '../support/deployment.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const told = ({ status, json }: Answer) => `${status} ${json.error}`

// Both stand before the first test begins: a file whose tests have ended is over.
const servers = await Promise.all(
  DATABASES.map(async (database) => ({
    database,
    server: await startServer({
      database,
      settings: { rate_limits: { enabled: true } },
      tenant: withApprovals,
    }),
  })),
)

for (const { database, server } of servers) {
  const { ada, eve } = server.tenant
  const person = (user = ada) => signIn(server, { client: 'web', user })

  test(`T-AGT-04 ${database}: three questions at once, and no more; after two refusals a pause; few mails`, async () => {
    const { browser, sub } = await person(eve)
    const mails = () => server.mails().filter(({ to, text }) => to === eve.email && /Agent A/.test(text)).length
    const asked = await Promise.all(Array.from({ length: 12 }, () => ask(server, sub)))
    const open = asked.filter(({ status }) => status === 200)
    assert.equal(open.length, 3)
    for (const refused of asked.filter(({ status }) => status !== 200)) {
      assert.equal(told(refused), '429 too_many_requests')
      assert.ok(Number(refused.headers['retry-after']) > 0)
    }
    // A mail about what nobody can answer any more is not sent: they go out before time passes.
    await eventually('the first mails', () => mails() === 3)
    assert.equal((await ask(server, sub, { client: 'agent-b' })).status, 200, 'another agent is not to blame')
    const [first, second] = open
    assert.ok(first && second)
    await answer(server, browser, first, 'deny')
    assert.equal((await ask(server, sub)).status, 200, 'one refusal may be about the matter')
    await answer(server, browser, second, 'deny')
    passTime(400)
    const paused = await ask(server, sub)
    assert.equal(told(paused), '429 too_many_requests')
    passTime(Number(paused.headers['retry-after']))
    expectStatus(await ask(server, sub, { requested_expiry: '1' }), 200)
    for (let round = 0; round < 5; round++) {
      passTime(2)
      expectStatus(await ask(server, sub, { requested_expiry: '1' }), 200)
    }
    assert.ok(mails() <= 6, `${mails()} mails for ${open.length + 8} questions`)
  })

  test(`T-AGT-05 ${database}: a yes serves once, its own client alone, for what was shown, while it lives`, async () => {
    const { browser, sub } = await person()
    const asked = await ask(server, sub, { scope: 'openid read:things write:things', audience: API })
    // Something of what the page says changes between the page and the answer.
    await openQuestion(server, browser, asked)
    const api = await mgmt(server)
    expectStatus(await api.patch('/clients/agent-a', { name: 'Agent Alpha' }), 200)
    await browser.submit('approve', { action: 'allow' })
    assert.deepEqual([browser.page.name, browser.page.error], ['error', 'interaction_expired'])
    assert.equal(told(await poll(server, asked)), '400 authorization_pending')
    expectStatus(await api.patch('/clients/agent-a', { name: 'Agent A' }), 200)
    // Two tabs: one answer.
    await openQuestion(server, browser, asked)
    const tabs = [browser.clone(), browser.clone()]
    for (const tab of tabs) tab.page = browser.page
    await Promise.all(tabs.map((tab) => tab.submit('approve', { action: 'allow' })))
    assert.equal(tabs.filter(({ page }) => page.name === 'error').length, 1)
    assert.match((await openQuestion(server, browser, asked)).text, /You said yes/)
    assert.equal(told(await poll(server, asked, 'agent-b')), '403 invalid_grant')
    const polls = await Promise.all(Array.from({ length: 8 }, () => poll(server, asked)))
    assert.equal(polls.filter(({ status }) => status === 200).length, 1)
    assert.ok(polls.every(({ status, json }) => status === 200 || json.error === 'invalid_grant'))
    const { json } = polls.find(({ status }) => status === 200) ?? {}
    assert.equal(json.scope, 'openid read:things write:things')
  })

  test(`T-AGT-05 ${database}: a yes is worth nothing after its time, nor with other words in the form`, async () => {
    const { browser, sub } = await person()
    const asked = await ask(server, sub, { requested_expiry: '60' })
    await openQuestion(server, browser, asked)
    await browser.submit('approve', { action: 'allow', fields: { shown: 'something else' } })
    assert.equal(browser.page.error, 'interaction_expired')
    await answer(server, browser, asked, 'allow')
    passTime(61)
    assert.equal(told(await poll(server, asked)), '403 access_denied')
    assert.equal(told(await poll(server, asked)), '403 invalid_grant')
  })

  test(`T-AGT-06 ${database}: only the person asked answers, on the page, having signed in a moment ago`, async () => {
    const [own, other] = [await person(), await person(eve)]
    const asked = await ask(server, own.sub)
    await openQuestion(server, other.browser, asked)
    assert.deepEqual([other.browser.page.status, other.browser.page.error], [403, 'wrong_user'])
    // The form of the one, posted by the other, by nobody, and with a token of the agent's.
    await openQuestion(server, own.browser, asked)
    const fields = Object.fromEntries(own.browser.form('approve').fields)
    const url = `${server.url}/approve`
    for (const browser of [other.browser.clone(), new Browser()]) {
      await browser.post(url, { ...fields, action: 'allow' }, { from: server.url })
      assert.deepEqual([browser.page.status, browser.page.error], [403, 'cross_site_request'])
    }
    const form = { ...fields, action: 'allow' }
    const headers = { authorization: `Bearer ${own.accessToken}` }
    assert.equal((await request(url, { form, headers })).status, 403)
    // A session that has stood for a while is no proof that it is still they.
    passTime(601)
    const late = await ask(server, own.sub)
    await openQuestion(server, own.browser, late)
    await own.browser.submit('approve', { action: 'allow' })
    assert.equal(own.browser.page.name, 'reauthenticate')
    assert.equal(told(await poll(server, late)), '400 authorization_pending')
    const page = await drive(own.browser, { user: ada })
    assert.equal(page.name, 'approve')
    assert.match(page.text, /You said yes/)
    expectStatus(await poll(server, late), 200)
  })

  test(`T-AGT-07 ${database}: what is asked is said in our words; the agent's own are quoted, capped, and never markup`, async () => {
    const { browser, sub } = await person()
    const trick = '"><script>alert(1)</script><img src=x> safe read only'
    const asked = expectStatus(
      await ask(server, sub, { scope: 'openid write:things', audience: API, binding_message: trick }),
      200,
    )
    const page = await openQuestion(server, browser, asked)
    assert.match(page.text, /Write things/)
    assert.match(page.text, /In its own words, which we cannot check/)
    assert.ok(page.text.includes(trick), 'quoted as it is')
    assert.ok(!page.body.includes('<script>alert(1)') && !page.body.includes('<img src=x'))
    for (const message of ['\u202egnihton', 'a\u200bb', '\u2066x', 'x'.repeat(65), ' ', '\u2028'])
      assert.equal(told(await ask(server, sub, { binding_message: message })), '400 invalid_binding_message')
  })

  test(`T-AS-13 ${database}: who polls too fast is slowed down, who guesses codes is stopped, who sends a code is shown`, async () => {
    const { browser, sub } = await person()
    const device = expectStatus(await askByDevice(server), 200)
    const agent = expectStatus(await ask(server, sub, { client: 'agent-b' }), 200)
    const polls = [() => pollByDevice(server, device), () => poll(server, agent, 'agent-b')]
    for (const again of polls) {
      assert.equal(told(await again()), '400 authorization_pending')
      const slowed = await again()
      assert.equal(told(slowed), '400 slow_down')
      assert.equal(slowed.headers['retry-after'], '5')
      passTime(5)
      assert.equal(told(await again()), '400 authorization_pending')
    }
    // Another agent's answer is nobody else's.
    assert.equal(told(await poll(server, agent, 'agent-a')), '403 invalid_grant')
    const guesser = new Browser()
    await guesser.open(`${server.url}/activate`)
    for (let tries = 0; tries < 10; tries++) {
      await guesser.submit('activate', { fields: { user_code: `BBBB-BBB${'BCDFGHJKLM'[tries]}` } })
      assert.equal(guesser.page.name, 'activate')
    }
    await guesser.submit('activate', { fields: { user_code: device.json.user_code } })
    assert.deepEqual([guesser.page.status, guesser.page.error], [429, 'rate_limited'])
    assert.ok(Number(guesser.page.headers['retry-after']) > 0)
    // The person sees whose device it is, and its code, before anything happens; a no ends it.
    const page = await browser.open(device.json.verification_uri_complete)
    assert.equal(page.name, 'approve')
    assert.match(page.text, /Living room/)
    assert.ok(page.text.includes(device.json.user_code))
    await browser.submit('approve', { action: 'deny' })
    assert.equal(told(await pollByDevice(server, device)), '403 access_denied')
  })

  test(`T-AGT-06 ${database}: what an agent was given by a yes ends with the person's access`, async () => {
    const { browser, sub } = await person()
    const asked = await ask(server, sub, { client: 'agent-b', scope: 'openid offline_access' })
    await answer(server, browser, asked, 'allow')
    const { json } = expectStatus(await poll(server, asked, 'agent-b'), 200)
    assert.equal(claimsOf(json.id_token).sub, sub)
    const api = await mgmt(server)
    expectStatus(await api.post(`/users/${encodeURIComponent(sub)}/revoke-access`, {}), 204)
    assert.equal(told(await refresh(server, 'agent-b', json.refresh_token)), '403 invalid_grant')
  })
}
