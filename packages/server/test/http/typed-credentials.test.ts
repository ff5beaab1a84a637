// Keys and passwords that people type: connected, used, replaced and disconnected like other accounts, and seen by nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchange, expectStatus, me, meToken, mgmt, signIn, startConnect, tokenRequest } from '../support/actors.ts'
import { DATABASES } from '../support/deployment.ts'
import { callProxy, setPolicy } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { choose, connectTyped, startKeyApi, withTyped } from '../support/typed.ts'

const api = await startKeyApi()
const KEY = 'crm-key-0123456789abcdef'
const PASSWORD = 'app password: ünïcode'

const stages = await Promise.all(
  DATABASES.map(async (database) => {
    const server = await startServer({ database, tenant: (file) => withTyped(file, api) })
    const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
    return { database, server, who, token: await meToken(server, who) }
  }),
)

for (const { database, server, who, token } of stages) {
  const { browser } = who
  const accountsPage = () => browser.open(`${server.url}/account/connections`)
  const capability = async (connection: string) => {
    const { json } = expectStatus(await me(server, token).get('/capabilities'), 200)
    return json.connections.find((one: { connection: string }) => one.connection === connection)
  }
  /** The form of one account's row. */
  const press = (name: string, account: string) => {
    const form = browser.page.forms.find((one) => one.name === name && one.attributes.get('data-account') === account)
    assert.ok(form, `no form ${name}`)
    const fields = { ...Object.fromEntries(form.fields), action: form.buttons[0]?.value }
    return browser.post(new URL(form.action, server.url).href, fields, { from: browser.page.url })
  }
  const lastCall = () => api.calls.at(-1)?.headers

  test(`${database}: a key typed in the connect leg is confirmed, kept, and put where the connection says`, async () => {
    const flow = await startConnect(server, { token, connection: 'crm' })
    const page = await browser.open(flow.url)
    assert.equal(page.name, 'enter-credential')
    assert.match(page.text, /Agent A asks/)
    assert.match(page.text, new RegExp(api.host))
    assert.match(page.text, /cannot renew it/)
    assert.ok(page.links.includes('https://crm.example/keys'))
    const account = await connectTyped(browser, server, { token, connection: 'crm', typed: { secret: ` ${KEY}\n` } })
    assert.deepEqual(account.scopes, ['contacts:read'])
    assert.equal(account.expires_at, undefined)
    const headers = { 'x-api-key': 'of the caller', 'X-Own': 'kept' }
    expectStatus(await callProxy(server, token, account.id, '/contacts', { headers }), 204)
    assert.equal(lastCall()?.['x-api-key'], KEY)
    assert.equal(lastCall()?.authorization, undefined)
    assert.equal(lastCall()?.['x-own'], 'kept')
    const elsewhere = { headers: { 'tenon-host': 'elsewhere.example' } }
    assert.equal((await callProxy(server, token, account.id, '/', elsewhere)).json.code, 'host_not_allowed')
    assert.deepEqual((await capability('crm')).access, ['proxy'])
  })

  test(`${database}: a user name and password go as HTTP Basic, and the user name is who it is`, async () => {
    const typed = { username: 'ada ', secret: PASSWORD }
    const { id } = await connectTyped(browser, server, { token, connection: 'wiki', typed })
    expectStatus(await callProxy(server, token, id, '/pages'), 204)
    assert.equal(lastCall()?.authorization, `Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`)
    // The same name is the same account, whatever was chosen.
    const again = await connectTyped(browser, server, {
      token,
      connection: 'wiki',
      typed: { username: 'ada', secret: 'another password' },
    })
    assert.equal(again.id, id)
    expectStatus(await callProxy(server, token, id, '/pages'), 204)
    assert.equal(lastCall()?.authorization, `Basic ${Buffer.from('ada:another password').toString('base64')}`)
  })

  test(`${database}: an exchange gives it out only where the client's policy says so in so many words`, async () => {
    const ask = () => exchange(server, { client: 'agent-a', connection: 'crm', subjectToken: who.refreshToken })
    const policies = [
      null,
      { access: 'token' },
      { connections: [{ connection: 'crm' }] },
      { mode: 'observe', connections: [{ connection: 'crm', access: 'token' }] },
      { access: 'proxy', connections: [{ connection: 'crm', access: 'token' }] },
    ]
    for (const policy of policies) {
      await setPolicy(server, 'agent-a', policy)
      const refused = expectStatus(await ask(), 403)
      assert.deepEqual([refused.json.tenon.code, refused.json.tenon.reason], ['policy_denied', 'proxy_only'])
      assert.ok(!refused.text.includes(KEY))
    }
    await setPolicy(server, 'agent-a', { connections: [{ connection: 'crm', access: 'token' }] })
    assert.deepEqual((await capability('crm')).access, ['token', 'proxy'])
    // Whoever types one for this client is told so.
    const flow = await startConnect(server, { token, connection: 'crm' })
    await browser.open(flow.url)
    assert.match((await choose(browser, 'another')).text, /gives it to Agent A as well/)
    const { json } = expectStatus(await ask(), 200)
    const { access_token, token_type, scope, tenon } = json
    assert.deepEqual([access_token, token_type, scope], [KEY, 'N_A', 'contacts:read'])
    assert.deepEqual(tenon, { header: 'x-api-key', prefix: '' })
    const { json: plain } = expectStatus(
      await tokenRequest(server, 'agent-a', {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: who.refreshToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
        audience: 'crm',
      }),
      200,
    )
    assert.deepEqual([plain.access_token, plain.token_type], [KEY, 'N_A'])
    await setPolicy(server, 'agent-a', null)
  })

  test(`${database}: from the person's own page it is added, labelled, replaced in place, and disconnected`, async () => {
    await accountsPage()
    await browser.submit('link', { connection: 'crm', action: 'link' })
    assert.equal(browser.page.name, 'enter-credential')
    const suggested = browser.form('enter-credential').fields.find(([name]) => name === 'label')
    assert.equal(suggested?.[1], 'Customer desk 2')
    const added = await browser.submit('enter-credential', { fields: { label: 'Second', secret: 'second-key-0123' } })
    assert.match(added.text, /is connected/)
    const { accounts } = await capability('crm')
    const second = accounts.find(({ label }: { label: string }) => label === 'Second')

    await accountsPage()
    await press('replace', second.id)
    assert.equal(browser.page.name, 'enter-credential')
    assert.ok(!browser.page.body.includes('second-key'))
    await browser.submit('enter-credential', { fields: { secret: 'third-key-0123' } })
    assert.match(browser.page.text, /works again/)
    expectStatus(await callProxy(server, token, second.id, '/contacts'), 204)
    assert.equal(lastCall()?.['x-api-key'], 'third-key-0123')

    await accountsPage()
    const gone = await press('disconnect', second.id)
    assert.match(gone.text, /To end the key or password itself, delete it at the provider/)
    assert.equal((await callProxy(server, token, second.id, '/contacts')).status, 404)
    // Nobody is asked to end it, and no copy waits for that.
    const ended = (await eventsOf(server, 'vault.token_revoked')).filter(({ accountId }) => accountId === second.id)
    assert.deepEqual(ended, [])
  })

  test(`${database}: where the API says whose a key is, a wrong one is refused and another's is asked about`, async () => {
    api.owners.set('Bearer desk-key-of-work', { id: '17', login: 'work' })
    api.owners.set('Bearer desk-key-private', { id: '18', login: 'private' })
    const how = { token, connection: 'desk' } as const
    const flow = await startConnect(server, how)
    await browser.open(flow.url)
    const wrong = await browser.submit('enter-credential', { fields: { secret: 'desk-key-unknown' } })
    assert.deepEqual([wrong.status, wrong.name], [400, 'enter-credential'])
    assert.match(wrong.text, /was not accepted there/)
    assert.ok(!wrong.body.includes('desk-key-unknown'))

    const work = await connectTyped(browser, server, { ...how, typed: { secret: 'desk-key-of-work' } })
    const [{ label }] = (await capability('desk')).accounts
    assert.equal(label, 'work')
    const again = await startConnect(server, how)
    const which = await browser.open(again.url)
    assert.equal(which.name, 'which-account')
    assert.ok(which.text.includes(label))
    await choose(browser, work.id)
    const confirm = await browser.submit('enter-credential', { fields: { secret: 'desk-key-private' } })
    assert.equal(confirm.name, 'link-confirm')
    assert.match(confirm.text, /This is not work/)
    await browser.submit('link-confirm', { action: 'cancel' })
    expectStatus(await callProxy(server, token, work.id, '/tickets'), 204)
    assert.equal(lastCall()?.authorization, 'Bearer desk-key-of-work')
  })

  test(`${database}: a person who would rather not goes back to the client, and nothing is kept`, async () => {
    const before = (await capability('crm')).accounts.length
    const flow = await startConnect(server, { token, connection: 'crm' })
    await browser.open(flow.url)
    await choose(browser, 'another')
    const form = browser.page.forms.find(({ buttons }) => buttons.some(({ value }) => value === 'cancel'))
    assert.ok(form)
    const back = await browser.post(
      new URL(form.action, server.url).href,
      { ...Object.fromEntries(form.fields), action: 'cancel' },
      { from: browser.page.url },
    )
    assert.equal(back.params.get('error'), 'access_denied')
    assert.equal(back.params.get('state'), flow.state)
    assert.equal((await capability('crm')).accounts.length, before)
  })

  test(`${database}: a merge takes it along, sealed for who remains`, async () => {
    const other = await signIn(server, { client: 'agent-a', user: server.tenant.eve })
    const theirs = await meToken(server, other)
    const { id } = await connectTyped(other.browser, server, {
      token: theirs,
      connection: 'crm',
      typed: { secret: 'key-of-the-other-0123' },
    })
    const management = await mgmt(server)
    const sides = { primary_user_id: who.sub, secondary_user_id: other.sub }
    expectStatus(await management.post('/links', sides), 201)
    expectStatus(await callProxy(server, token, id, '/contacts'), 204)
    assert.equal(lastCall()?.['x-api-key'], 'key-of-the-other-0123')
    assert.notEqual((await callProxy(server, theirs, id, '/contacts')).status, 204)
  })
}
