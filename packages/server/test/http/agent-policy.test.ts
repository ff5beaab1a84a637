// What a client may do is data: set over the Management API, told in capabilities, held to at every use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import {
  authorize,
  connect,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  signIn,
  startConnect,
} from '../support/actors.ts'
import { openQuestion } from '../support/approvals.ts'
import { DATABASES } from '../support/deployment.ts'
import { eventually } from '../support/http.ts'
import { callProxy, setPolicy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const api = await startApi()

const stages = await Promise.all(
  DATABASES.map(async (database) => {
    const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {} } })
    const other = await startOAuth2Provider({ name: 'other', refresh: 'always', users: { ada: {} } })
    const server = await startServer({
      database,
      providers: { files, other },
      // The clock is moved on; that a yes asks for a recent sign-in is T-AGT-06.
      settings: { linking: { reauthentication_seconds: 86_400 } },
      tenant: (file) => withHosts(file, 'files', [api.host]),
    })
    const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
    const token = await meToken(server, who)
    const { id, scopes } = await connect(who.browser, server, { token, connection: 'files' })
    return { database, server, who, token, id, scopes }
  }),
)

for (const { database, server, who, token, id, scopes } of stages) {
  const policy = (document: Parameters<typeof setPolicy>[2]) => setPolicy(server, 'agent-a', document)
  const ask = (fields = {}) =>
    exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken, fields })
  const call = (path = '/user', options = {}) => callProxy(server, token, id, path, options)
  const capabilities = async () => expectStatus(await me(server, token).get('/capabilities'), 200).json
  const reasonOf = async (answer: ReturnType<typeof ask>) => {
    const { status, json } = await answer
    return status === 200 ? 'ok' : `${status} ${json.tenon?.code} ${json.tenon?.reason}`
  }

  test(`${database}: connections, and who may connect them`, async () => {
    await policy({ connections: [{ connection: 'other' }], connect: false })
    assert.equal(await reasonOf(ask()), '403 policy_denied connection_not_in_policy')
    assert.equal(await reasonOf(call()), '403 policy_denied connection_not_in_policy')
    const told = await capabilities()
    assert.deepEqual(
      told.connections.map(({ connection }: { connection: string }) => connection),
      ['other'],
    )
    assert.equal(told.connections[0].connect, undefined)
    assert.deepEqual(told.policy, { connect: false })
    const { answer } = await startConnect(server, { token, connection: 'other' })
    assert.equal(
      `${answer.status} ${answer.json.code} ${answer.json.reason}`,
      '403 policy_denied connect_not_in_policy',
    )
    const linked = await authorize(who.browser.clone(), server, {
      client: 'agent-a',
      scope: 'openid link_account',
      extra: { requested_connection: 'files', id_token_hint: who.idToken },
    })
    assert.equal(linked.params.get('error'), 'access_denied')
  })

  test(`${database}: scopes bound what is asked and what the token reaches, before anybody is asked to connect more`, async () => {
    await policy({ connections: [{ connection: 'files', scopes: [...scopes] }] })
    assert.equal(await reasonOf(ask()), 'ok')
    assert.equal(await reasonOf(ask({ scope: 'files.admin' })), '403 policy_denied scope_not_in_policy')
    const { answer } = await startConnect(server, { token, connection: 'files', scopes: ['files.admin'] })
    assert.equal(answer.json.reason, 'scope_not_in_policy')
    await policy({ connections: [{ connection: 'files', scopes: [] }] })
    assert.equal(await reasonOf(ask()), '403 policy_denied token_exceeds_policy')
    assert.equal(await reasonOf(call()), '403 policy_denied token_exceeds_policy')
  })

  test(`${database}: a client of the proxy alone sees no token, and calls by the methods that it has`, async () => {
    await policy({ connections: [{ connection: 'files', methods: ['GET'] }] })
    assert.equal(await reasonOf(ask()), '403 policy_denied proxy_only')
    assert.equal(await reasonOf(call()), 'ok')
    assert.equal(await reasonOf(call('/user', { json: {} })), '403 policy_denied method_not_in_policy')
    const [one] = (await capabilities()).connections
    assert.deepEqual([one.access, one.methods_allowed], [['proxy'], ['GET']])
    await policy({ access: 'proxy' })
    assert.equal(await reasonOf(ask()), '403 policy_denied proxy_only')
  })

  test(`${database}: hours and rate`, async () => {
    const today = new Date().getUTCDay()
    const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
    await policy({ hours: { days: [names[(today + 2) % 7] ?? ''] } })
    const closed = await ask()
    assert.equal(closed.json.tenon.reason, 'outside_hours')
    assert.ok(closed.json.tenon.retry_after > 86_400 - 7200)
    assert.equal((await capabilities()).policy.hours.time_zone, 'UTC')
    await policy({ hours: { days: [6, 7, 8].map((after) => names[(today + after) % 7] ?? '') } })
    assert.equal(await reasonOf(ask()), 'ok')
    await policy({ rate: { per_minute: 2 } })
    assert.deepEqual([await reasonOf(ask()), await reasonOf(call())], ['ok', 'ok'])
    const third = await ask()
    assert.equal(`${third.status} ${third.json.tenon.reason}`, '429 rate_in_policy')
    assert.ok(Number(third.headers['retry-after']) > 0)
  })

  test(`${database}: what a policy would refuse is recorded before it is turned on, and nothing is refused`, async () => {
    await policy({ mode: 'observe', connections: [] })
    assert.deepEqual([await reasonOf(ask()), await reasonOf(call())], ['ok', 'ok'])
    const [exchanged, proxied] = [await eventsOf(server, 'vault.exchanged'), await eventsOf(server, 'vault.proxied')]
    assert.equal(exchanged.at(-1)?.data?.observed, 'connection_not_in_policy')
    assert.equal(proxied.at(-1)?.data?.observed, 'connection_not_in_policy')
    assert.equal((await capabilities()).connections.length, 2)
  })

  test(`${database}: what makes no sense is not saved`, async () => {
    const management = await mgmt(server)
    for (const wrong of [
      { hours: { time_zone: 'Mars/North' } },
      { hours: { from: '25:00' } },
      { approvals: [{ paths: ['no-slash'] }] },
      { connections: [{ connection: 'a' }, { connection: 'a' }] },
      { rates: {} },
    ])
      assert.equal((await management.patch('/clients/agent-a', { policy: wrong })).status, 400, JSON.stringify(wrong))
  })

  test(`${database}: a token that needs a yes waits for it, and serves once`, async () => {
    await policy({ approvals: [{ connection: 'files', scopes: [...scopes] }] })
    const asked = await ask({ purpose: 'to tidy up' })
    assert.equal(`${asked.status} ${asked.json.error}`, '400 authorization_pending')
    assert.equal(asked.json.tenon.code, 'approval_pending')
    assert.equal(asked.json.interval, 5)
    assert.equal((await ask()).json.auth_req_id, asked.json.auth_req_id, 'the same question')
    const mail = await eventually('the mail', () =>
      server.mails().find(({ links }) => links.some((link) => link.includes(asked.json.auth_req_id))),
    )
    assert.equal(mail.to, server.tenant.ada.email)
    const agents = await who.browser.open(`${server.url}/account/agents`)
    assert.match(agents.text, /Waiting for your answer/)
    const page = await openQuestion(server, who.browser, asked)
    assert.match(page.text, /to tidy up/)
    await who.browser.submit('approve', { action: 'allow' })
    assert.equal(await reasonOf(ask()), 'ok')
    assert.equal((await ask()).json.tenon.code, 'approval_pending', 'another use is another question')
    await policy(null)
    assert.equal(await reasonOf(ask()), 'ok')
  })

  test(`${database}: a yes with a time serves what the rule means until it ends; a no is told once`, async () => {
    await policy({
      approvals: [{ connection: 'files', methods: ['DELETE'], paths: ['/things/*'], valid_seconds: 600 }],
    })
    const remove = (path: string) => call(path, { method: 'DELETE' })
    assert.equal(await reasonOf(call('/things/1')), 'ok')
    const asked = await remove('/things/1')
    assert.equal(`${asked.status} ${asked.json.code}`, '403 approval_pending')
    await openQuestion(server, who.browser, { ...asked, json: asked.json.tenon })
    await who.browser.submit('approve', { action: 'allow' })
    assert.deepEqual([await reasonOf(remove('/things/1')), await reasonOf(remove('/THINGS/2'))], ['ok', 'ok'])
    passTime(601)
    const again = await remove('/things/1')
    assert.equal(again.json.code, 'approval_pending')
    await openQuestion(server, who.browser, { ...again, json: again.json.tenon })
    await who.browser.submit('approve', { action: 'deny' })
    assert.equal(await reasonOf(remove('/things/1')), '403 policy_denied approval_denied')
    await policy(null)
  })
}
