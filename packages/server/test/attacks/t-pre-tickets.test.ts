// Tickets: links that an operator hands out, and whom they could be turned against (T-PRE-01, T-PRE-02, T-PRE-04, T-AS-02).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { DATABASES } from '../support/deployment.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { LOGGED_OUT, PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const WEBSITE = new URL(LOGGED_OUT).origin
const PASSWORD = 'a kettle on the upper shelf'

// Both stand before the first test begins: a file whose tests have ended is over.
const servers = await Promise.all(
  DATABASES.map(async (database) => ({
    database,
    server: await startServer({
      database,
      providers: {},
      settings: { allowed_logout_urls: [LOGGED_OUT], rate_limits: { enabled: true } },
      tenant: ({ clients }) => {
        clients.push({ client_id: 'phone', name: 'Phone', app_type: 'native', callbacks: ['com.acme.app:/back'] })
      },
    }),
  })),
)

for (const { database, server } of servers) {
  let made = 0
  const person = async (more: object = {}) => {
    const user = { email: `claimed-${++made}@example.test`, password: PASSWORD }
    const api = await mgmt(server)
    const { json } = expectStatus(await api.post('/users', { connection: PASSWORDS, ...user, ...more }), 201)
    return {
      ...user,
      id: String(json.user_id),
      api,
      isProven: async () => (await read(String(json.user_id))).email_verified,
    }
  }
  const read = async (id: string) => expectStatus(await (await mgmt(server)).get(userPath(id)), 200).json
  const ticketFor = async (id: string, more: object = {}, kind = 'email-verification') => {
    const answer = await (await mgmt(server)).post(`/tickets/${kind}`, { user_id: id, ...more })
    return String(expectStatus(answer, 201).json.ticket)
  }
  const confirm = async (browser: Browser, link: string) => {
    await browser.open(link)
    return browser.submit('verify', { action: 'continue' })
  }

  test(`T-PRE-01 ${database}: who reads the mailbox of an account that somebody else made proves nothing for them`, async () => {
    const sitter = await person()
    const link = await ticketFor(sitter.id)
    const owner = new Browser()
    assert.equal((await owner.open(link)).name, 'login')
    const signedIn = await signIn(server, { user: server.tenant.ada })
    assert.equal((await signedIn.browser.open(link)).error, 'wrong_user')
    // The form of the sitter's own page, posted where somebody else is signed in.
    const { browser } = await signIn(server, { user: sitter })
    await browser.open(link)
    const { action, fields } = browser.form('verify')
    const sent = Object.fromEntries(fields)
    const posted = await signedIn.browser.post(new URL(action, server.url).href, sent, { from: server.url })
    assert.notEqual(posted.error, undefined)
    assert.equal(await sitter.isProven(), false)
  })

  test(`T-PRE-04 ${database}: a ticket is opened without effect, used once, and ends with all that ends what waits`, async () => {
    const own = await person()
    const { browser } = await signIn(server, { user: own })
    const link = await ticketFor(own.id)
    await changesNothing(server, async () => {
      for (let at = 0; at < 2; at++) assert.equal((await browser.open(link)).name, 'verify-email')
    })
    assert.equal((await confirm(browser, link)).status, 200)
    assert.equal(await own.isProven(), true)
    assert.equal((await browser.open(link)).error, 'ticket_invalid')

    const ends: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      'a newer ticket': (id) => ticketFor(id),
      'its time': async () => passTime(700),
      'another address': async (id) => own.api.patch(userPath(id), { email: `moved-${made}@example.test` }),
      'a new password': async (id) => {
        const reset = new Browser()
        await reset.open(await ticketFor(id, {}, 'password-change'))
        assert.equal((await reset.submit('reset', { fields: { password: `${PASSWORD} again` } })).status, 200)
      },
      'a block': async (id) => own.api.patch(userPath(id), { blocked: true }),
    }
    for (const [name, end] of Object.entries(ends)) {
      const other = await person()
      const visit = await signIn(server, { user: other })
      const ticket = await ticketFor(other.id, { ttl_sec: 600 })
      await end(other.id)
      await visit.browser.open(ticket)
      if (visit.browser.page.name === 'verify-email') await visit.browser.submit('verify', { action: 'continue' })
      assert.notEqual(visit.browser.page.error, undefined, name)
      assert.equal(await other.isProven(), false, name)
    }
  })

  test(`T-PRE-02 ${database}: a password ticket proves the mailbox when it went there, and only then`, async () => {
    for (const [proves, more] of [
      [true, { mark_email_as_verified: true }],
      [false, {}],
    ] as const) {
      const own = await person()
      const browser = new Browser()
      await browser.open(await ticketFor(own.id, more, 'password-change'))
      await browser.submit('reset', { fields: { password: `${PASSWORD} again` } })
      assert.equal(await own.isProven(), proves)
      await assert.rejects(signIn(server, { user: own }))
    }
  })

  test(`T-AS-02 ${database}: a ticket leads to websites that the operator registered, and nowhere else`, async () => {
    const own = await person()
    const { host } = new URL(WEBSITE)
    const api = await mgmt(server)
    const nowhere = [
      'https://evil.test/',
      `http://${host}.evil.test/`,
      `http://evil@${host}/`,
      `https://${host}/`,
      `${WEBSITE.replace(/:\d+$/, '')}:1/`,
      '//evil.test/',
      'javascript:alert(1)',
      'data:text/html,x',
      'com.acme.app:/back',
    ]
    for (const result_url of nowhere)
      for (const kind of ['email-verification', 'password-change']) {
        const answer = await api.post(`/tickets/${kind}`, { user_id: own.id, result_url })
        assert.deepEqual([answer.status, answer.json.errorCode], [400, 'invalid_body'], result_url)
      }
    // Of a client: what it registered, apps exactly.
    const ofPhone = (result_url: string) =>
      api.post('/tickets/email-verification', { user_id: own.id, client_id: 'phone', result_url })
    assert.equal((await ofPhone('com.acme.app:/back')).status, 201)
    assert.equal((await ofPhone('com.acme.app:/elsewhere')).status, 400)
    assert.equal((await ofPhone(LOGGED_OUT)).status, 400)
    const { browser } = await signIn(server, { user: own })
    const url = `${WEBSITE}/welcome?step=2`
    const page = await confirm(browser, await ticketFor(own.id, { result_url: url, includeEmailInRedirect: true }))
    const end = new URL(page.url)
    assert.equal(`${end.origin}${end.pathname}`, `${WEBSITE}/welcome`)
    const told = Object.fromEntries(end.searchParams)
    assert.deepEqual(told, { step: '2', success: 'true', code: 'success', email: own.email })
  })

  test(`${database}: a mail asks for the address of a new user, or of one of their identities, and not too often`, async () => {
    const own = await person({ verify_email: true })
    const linkTo = (address: string) =>
      eventually(`a mail to ${address}`, () =>
        server
          .mails()
          .filter(({ to }) => to === address)
          .flatMap(({ links }) => links)
          .find((link) => link.includes('/verify-email?')),
      )
    const { browser } = await signIn(server, { user: own })
    await confirm(browser, await linkTo(own.email))
    assert.equal(await own.isProven(), true)

    const second = await person({ email_verified: true })
    const { api } = own
    const identity = { provider: 'auth0', user_id: second.id.slice('auth0|'.length) }
    expectStatus(await api.post(`${userPath(own.id)}/identities`, identity), 201)
    const ask = () => api.post('/jobs/verification-email', { user_id: own.id, client_id: 'web', identity })
    const job = expectStatus(await ask(), 201).json
    assert.deepEqual([job.type, job.status], ['verification_email', 'completed'])
    assert.equal((await browser.open(await linkTo(second.email))).name, 'verify-email')
    const wrong = { user_id: own.id, identity: { provider: 'auth0', user_id: 'f'.repeat(24) } }
    assert.equal((await api.post('/jobs/verification-email', wrong)).status, 400)
    let last = await ask()
    for (let asked = 0; asked < 5; asked++) last = await ask()
    assert.equal(last.status, 429)
    assert.ok(Number(last.headers['retry-after']) >= 1)
  })
}
