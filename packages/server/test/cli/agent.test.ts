import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import { connect, exchange, expectStatus, meToken, signIn } from '../support/actors.ts'
import { setPolicy } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { runTenon } from './run.ts'

const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {} } })
const server = await startServer({ providers: { files } })
const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
await connect(who.browser, server, { token: await meToken(server, who), connection: 'files' })
expectStatus(await exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken }), 200)

const file = join(dirname(server.dataDir), 'policy.json')
const simulate = (...args: string[]) => runTenon(['agent', 'simulate', ...args, '--data-dir', server.dataDir])

test('agent simulate says what a policy would have done with what a client did, while the server runs', async () => {
  writeFileSync(file, JSON.stringify({ connections: [{ connection: 'files' }], access: 'proxy' }))
  const { code, stdout, stderr } = await simulate('agent-a', file, '--json')
  assert.equal(code, 0, stderr)
  const [changed, summary, ...rest] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    [changed.event, changed.user_id, changed.was, changed.decision, changed.rule, changed.reason],
    ['vault.exchanged', who.sub, 'ok', 'refuse', 'P4', 'proxy_only'],
  )
  assert.deepEqual(summary, {
    client_id: 'agent-a',
    examined: 2,
    outcomes: [
      { decision: 'allow', rule: 'P9', count: 1 },
      { decision: 'refuse', rule: 'P4', reason: 'proxy_only', count: 1 },
    ],
  })
  assert.deepEqual(rest, [])
})

test('without a file the policy of the client is tried; without either, or with a wrong one, it says what is missing', async () => {
  assert.match((await simulate('agent-a')).stderr, /the client has none/)
  await setPolicy(server, 'agent-a', { mode: 'observe', connect: false })
  const { stdout } = await simulate('agent-a')
  assert.match(stdout, /Looked at 2 uses by agent-a\.\n {7}1 allow \(P9\)|refuse \(P3, connect_not_in_policy\)/)
  writeFileSync(file, '{"rates": 1}')
  for (const [args, why] of [
    [['agent-a', file], /\/rates/],
    [['agent-a', '/nowhere.json'], /no such file/],
    [['nobody'], /the id of a client/],
    [[], /the id of a client/],
  ] as const) {
    const ended = await simulate(...args)
    assert.equal(ended.code, 2, ended.stderr)
    assert.match(ended.stderr, why)
  }
})
