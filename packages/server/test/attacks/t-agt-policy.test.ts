// What an agent's policy forbids stays forbidden however it is asked, and a person's yes is for what they were shown (attack
// catalogue, T-AGT-01, T-AGT-05 to T-AGT-07, T-XCH-06).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import { connect, exchange, expectStatus, meToken, signIn, startConnect } from '../support/actors.ts'
import { openQuestion } from '../support/approvals.ts'
import { Browser } from '../support/browser.ts'
import { DATABASES } from '../support/deployment.ts'
import { type Answer, request } from '../support/http.ts'
import { callProxy, setPolicy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { eventsOf, oneWinner } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const api = await startApi()

const stages = await Promise.all(
  DATABASES.map(async (database) => {
    const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {}, eve: {} } })
    const server = await startServer({
      database,
      nodes: 2,
      providers: { files },
      settings: { linking: { reauthentication_seconds: 86_400 } },
      tenant: (file) => withHosts(file, 'files', [api.host]),
    })
    const come = async (client: string, user: (typeof server.tenant)['ada'], upstream: string) => {
      const who = await signIn(server, { client, user })
      const token = await meToken(server, who)
      files.switchUser(upstream)
      const { id, scopes } = await connect(who.browser, server, { token, connection: 'files' })
      return { who, token, id, scopes }
    }
    const V = await come('agent-a', server.tenant.ada, 'ada')
    const A = await come('agent-a', server.tenant.eve, 'eve')
    const B = await signIn(server, { client: 'agent-b', user: server.tenant.ada })
    return { database, server, V, A, other: await meToken(server, B) }
  }),
)

for (const { database, server, V, A, other } of stages) {
  const ask = (fields = {}, url = server.url) =>
    exchange(server, { client: 'agent-a', connection: 'files', subjectToken: V.who.refreshToken, fields, url })
  const pay = (json: unknown, { path = '/pay', token = V.token, id = V.id, url = server.url } = {}) =>
    callProxy({ url }, token, id, path, { json })
  const question = (answer: Answer) => ({ ...answer, json: answer.json.tenon })
  const say = async (answer: Answer, action: 'allow' | 'deny') => {
    await openQuestion(server, V.who.browser, question(answer))
    return V.who.browser.submit('approve', { action })
  }
  const approvals = { approvals: [{ connection: 'files', methods: ['POST'], paths: ['/pay/**'] }] }
  const paid = () => api.calls.filter(({ url }) => url.toLowerCase().startsWith('/pay')).length

  test(`T-AGT-01 T-XCH-06 ${database}: past its policy an agent gets no token, no call and no wider connection`, async () => {
    await setPolicy(server, 'agent-a', {
      connections: [{ connection: 'files', methods: ['GET'], scopes: [...V.scopes] }],
    })
    const before = api.calls.length
    for (const url of server.nodes)
      for (const fields of [{}, { scope: 'files.admin' }, { login_hint: V.id }]) {
        const answer = await ask(fields, url)
        assert.equal(answer.status, 403, answer.text)
        assert.equal(answer.json.access_token, undefined)
      }
    const answer = await pay({})
    assert.equal(answer.json.tenon.reason, 'method_not_in_policy')
    const wide = await startConnect(server, { token: V.token, connection: 'files', scopes: ['files.admin'] })
    assert.equal(wide.answer.json.code, 'policy_denied')
    assert.equal(api.calls.length, before)
    const refused = (await eventsOf(server, 'vault.exchanged')).at(-1)
    assert.deepEqual([refused?.outcome, refused?.data?.reason, refused?.data?.rule], ['refused', 'proxy_only', 'P4'])
  })

  test(`T-AGT-05 ${database}: a yes serves the very request, once, whoever is faster`, async () => {
    await setPolicy(server, 'agent-a', approvals)
    await setPolicy(server, 'agent-b', approvals)
    const before = paid()
    const asked = await pay({ to: 'bob', amount: 1 })
    assert.equal(asked.json.code, 'approval_pending')
    assert.match((await say(asked, 'allow')).text, /You said yes/)
    const swaps = [
      () => pay({ to: 'mallory', amount: 1 }),
      () => pay({ to: 'bob', amount: 1 }, { path: '/pay?twice=1' }),
      () => pay({ to: 'bob', amount: 1 }, { token: other }),
      () => pay({ to: 'bob', amount: 1 }, { token: A.token, id: A.id }),
    ]
    for (const swap of swaps) {
      const { status, json } = await swap()
      assert.equal(status === 403 && json.code, 'approval_pending')
    }
    assert.equal(paid(), before)
    const nodes = [...server.nodes, ...server.nodes, ...server.nodes]
    oneWinner(await Promise.all(nodes.map((url) => pay({ to: 'bob', amount: 1 }, { url }))))
    assert.equal(paid(), before + 1)
  })

  test(`T-AGT-05 ${database}: a yes that nobody uses ends, and two tabs cannot both answer`, async () => {
    passTime(1000)
    const asked = await pay({ to: 'carol' })
    await openQuestion(server, V.who.browser, question(asked))
    const tab = V.who.browser.clone()
    await openQuestion(server, tab, question(asked))
    assert.match((await V.who.browser.submit('approve', { action: 'allow' })).text, /You said yes/)
    assert.ok((await tab.submit('approve', { action: 'deny' })).status >= 400)
    const before = paid()
    passTime(901)
    const late = await pay({ to: 'carol' })
    assert.equal(late.json.code, 'approval_pending')
    assert.notEqual(late.json.tenon.auth_req_id, asked.json.tenon.auth_req_id)
    assert.equal(paid(), before)
  })

  test(`T-AGT-05 ${database}: no spelling of a path escapes the rule that means it`, async () => {
    passTime(1000)
    await setPolicy(server, 'agent-a', {
      approvals: [{ methods: ['POST'], paths: ['/pay/**', '/accounts/*/close'], valid_seconds: 60 }],
    })
    const before = api.calls.length
    for (const path of [
      '/pay',
      '/PAY/now',
      '/%70ay/now',
      '/pay%2Fnow',
      '/accounts/7/close/',
      '/accounts%2F7%2fclose',
    ]) {
      const { json } = await pay({}, { path })
      assert.equal(json.code, 'approval_pending', path)
    }
    assert.equal(api.calls.length, before)
    expectStatus(await pay({}, { path: '/other' }), 200)
  })

  test(`T-AGT-06 ${database}: the agent cannot answer for the person, nor another person`, async () => {
    await setPolicy(server, 'agent-a', approvals)
    passTime(1000)
    const asked = await pay({ to: 'dave' })
    const id = encodeURIComponent(asked.json.tenon.auth_req_id)
    const bearer = { authorization: `Bearer ${V.token}` }
    const form = { state: asked.json.tenon.auth_req_id, action: 'allow', shown: 'x' }
    for (const headers of [bearer, {}])
      assert.ok((await request(`${server.url}/approve?auth_req_id=${id}`, { form, headers })).status >= 400)
    const poll = await request(`${server.url}/oauth/token`, {
      form: {
        client_id: 'agent-a',
        client_secret: server.tenant.secrets['agent-a'],
        grant_type: 'urn:openid:params:grant-type:ciba',
        auth_req_id: asked.json.tenon.auth_req_id,
      },
    })
    assert.ok(poll.status >= 400)
    const wrong = await A.who.browser.open(`${server.url}/approve?auth_req_id=${id}`)
    assert.equal(wrong.error, 'wrong_user')
    const stranger = await new Browser().open(`${server.url}/approve?auth_req_id=${id}`)
    assert.equal(stranger.name, 'login')
    assert.equal((await pay({ to: 'dave' })).json.code, 'approval_pending')
  })

  test(`T-AGT-07 ${database}: the page shows the request itself, and the agent's words as quoted`, async () => {
    passTime(1000)
    const headers = { 'tenon-purpose': 'harmless \u202eread\u202c' }
    const sent = { to: 'erin', note: '<script>x</script>\u202e' }
    const path = '/pay?max=100'
    const asked = await callProxy(server, V.token, V.id, path, {
      json: sent,
      headers: { 'tenon-purpose': Buffer.from(headers['tenon-purpose']).toString('latin1') },
    })
    const page = await openQuestion(server, V.who.browser, question(asked))
    for (const text of ['POST', `${api.host}/pay?max=100`, '"to":"erin"', 'harmless read'])
      assert.ok(page.text.includes(text), text)
    assert.ok(!page.text.includes('\u202e'))
    await setPolicy(server, 'agent-a', null)
  })
}
