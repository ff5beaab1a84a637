// An operator sees what agents do, what they were refused, what a policy would do, and which accounts will end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOAuth2Provider, startVendorProvider } from '@tenon/sdk/testing'
import { connect, exchange, expectStatus, meToken, signIn } from '../support/actors.ts'
import { OPERATED, operator } from '../support/console.ts'
import { callProxy, setPolicy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const api = await startApi()
const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {} } })
const atlassian = await startVendorProvider('atlassian', { users: { ada: {} } })
const server = await startServer({
  providers: { files, atlassian },
  settings: { ...OPERATED },
  tenant: (file) => withHosts(file, 'files', [api.host]),
})
const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
const token = await meToken(server, who)
const { id } = await connect(who.browser, server, { token, connection: 'files' })
const ask = () => exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken })
const browser = await operator(server, '/console/agents')
const agent = (query = '') => browser.open(`${server.url}/console/agents/agent-a${query}`)
const simulate = (policy: object | string) =>
  agent(`?${new URLSearchParams({ policy: typeof policy === 'string' ? policy : JSON.stringify(policy) })}`)

test('agents are listed with their policy, people, uses and refusals', async () => {
  expectStatus(await ask(), 200)
  expectStatus(await callProxy(server, token, id, '/things'), 200)
  await setPolicy(server, 'agent-a', { connections: [] })
  expectStatus(await ask(), 403)
  await setPolicy(server, 'agent-a', { mode: 'observe', access: 'proxy' })
  expectStatus(await ask(), 200)
  const page = await browser.open(`${server.url}/console/agents`)
  assert.equal(page.name, 'console-agents')
  // Connected, twice given out, once called.
  assert.match(page.text, /agent-a\s*Observed only\s*1\s*4\s*1\s*1 more would have been/)
  assert.ok(page.links.includes('/console/agents/agent-a'))
})

test('an agent is shown with its rules in sentences, what it was refused and what it would have been', async () => {
  const { text, name } = await agent()
  assert.equal(name, 'console-agent')
  for (const words of [
    'Connections that are enabled for it: atlassian and files.',
    'Its policy is observed only',
    'It uses accounts only through us',
    'The policy does not name the connection.',
    'policy_denied connection_not_in_policy P1',
    '1 of 4 uses would not have been simply allowed.',
    'The policy lets it use accounts only through us.',
  ])
    assert.ok(text.includes(words), words)
  assert.equal((await browser.open(`${server.url}/console/agents/nobody`)).status, 404)
})

test('a policy is tried on what was done, connected and called, and changes nothing', async () => {
  const page = await changesNothing(server, () =>
    simulate({ connections: [{ connection: 'files', methods: ['POST'] }] }),
  )
  // Three exchanges, of which one had been refused by a policy, a call, and the connecting.
  assert.match(page.text, /5 uses were looked at\. 3 would have ended otherwise/)
  assert.match(page.text, /refused\s*3\s*P4/)
  assert.match(page.text, /refused\s*1\s*P6\s*The policy does not let it make requests of this kind/)
  assert.match(page.text, /GET \/things/)
  assert.match((await simulate({ connect: false })).text, /refused\s*1\s*P3/)
  assert.match((await simulate({ rate: { per_minute: 2 } })).text, /refused\s*\d\s*P7/)
  const asked = await simulate({ approvals: [{ connection: 'files' }] })
  assert.match(asked.text, /the person is asked\s*4\s*P8/)
  const free = await simulate({})
  assert.match(free.text, /1 would have ended otherwise/)
  const simulated = await eventsOf(server, 'console.policy_simulated')
  assert.deepEqual([simulated.length, simulated[0]?.data], [5, { client_id: 'agent-a', examined: 5 }])
  assert.match(simulated[0]?.actor ?? '', /^auth0\|/)
})

test('what is no policy says why, and is not tried', async () => {
  for (const [text, why] of [
    ['{', /This is not a policy/],
    ['{"rates": {}}', /\/rates: the key "rates"/],
    ['{"hours": {"from": "25:00"}}', /\/hours\/from/],
    ['[]', /This is not a policy/],
    ['"</textarea><script>"', /This is not a policy/],
    [`{"mode": "${'x'.repeat(7000)}"}`, /This is not a policy/],
  ] as const) {
    const page = await simulate(text)
    assert.equal(page.status, 200)
    assert.match(page.text, why)
    assert.doesNotMatch(page.body, /<script>/)
    assert.doesNotMatch(page.text, /looked at/)
  }
})

test('accounts that end within a month are listed with counts, whose they are and why', async () => {
  const before = await browser.open(`${server.url}/console/endings`)
  assert.match(before.text, /No account ends in the next 30 days/)
  atlassian.switchUser('ada')
  const visit = await signIn(server, { user: server.tenant.ada })
  await connect(visit.browser, server, {
    token: await meToken(server, visit),
    connection: 'atlassian',
    scopes: ['read:me'],
    user: server.tenant.ada,
  })
  passTime(80 * 86_400)
  const again = await operator(server)
  const page = await again.open(`${server.url}/console/endings`)
  assert.equal(page.name, 'console-endings')
  assert.match(page.text, /1 account ends within 30 days/)
  assert.match(page.text, /atlassian\s*1/)
  assert.match(page.text, /its key ends, unless it is used before/)
  assert.ok(page.links.includes(`/console/users/${encodeURIComponent(visit.sub)}`))
})
