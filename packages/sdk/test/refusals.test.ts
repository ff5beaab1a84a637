// Each way in which a server says no, met as the error that the SDK has for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, meToken, signIn } from '../../server/test/support/actors.ts'
import { setPolicy } from '../../server/test/support/proxy.ts'
import { startServer } from '../../server/test/support/server.ts'
import {
  AccountAmbiguous,
  ApprovalPending,
  createAgent,
  type ExchangeRequest,
  PolicyDenied,
  RateLimited,
  withAccount,
} from '../src/index.ts'
import { startOAuth2Provider } from '../src/testing/index.ts'

const files = await startOAuth2Provider({ name: 'files', refresh: 'always', users: { ada: {} } })
const server = await startServer({ providers: { files } })
const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
const token = await meToken(server, who)
const { scopes } = await connect(who.browser, server, { token, connection: 'files' })

const agent = createAgent({
  issuer: server.issuer,
  clientId: 'agent-a',
  credential: { secret: server.tenant.secrets['agent-a'] ?? '' },
})
const subject = { refreshToken: who.refreshToken }
const ask = (more: Partial<ExchangeRequest> = {}) => agent.exchange({ subject, connection: 'files', ...more })
const policy = (document: Parameters<typeof setPolicy>[2]) => setPolicy(server, 'agent-a', document)

test('PolicyDenied: what the operator does not allow, by its reason', async () => {
  await policy({ connections: [] })
  await assert.rejects(ask(), (error) => {
    assert.ok(error instanceof PolicyDenied)
    assert.deepEqual(
      [error.code, error.status, error.details.reason, error.details.connection],
      ['policy_denied', 403, 'connection_not_in_policy', 'files'],
    )
    return true
  })
  await policy({ connections: [{ connection: 'files', scopes: [...scopes] }] })
  await assert.rejects(ask({ scopes: ['files.admin'] }), (error) => {
    assert.ok(error instanceof PolicyDenied)
    assert.deepEqual([error.details.reason, error.details.missing_scopes], ['scope_not_in_policy', ['files.admin']])
    return true
  })
  await policy(null)
})

test('RateLimited: when to come again', async () => {
  await policy({ rate: { per_minute: 1 } })
  await ask()
  await assert.rejects(ask(), (error) => {
    assert.ok(error instanceof RateLimited)
    assert.deepEqual([error.status, error.details.reason], [429, 'rate_in_policy'])
    return error.retryAfterSeconds > 0 && error.retryAfterSeconds <= 60
  })
  await policy(null)
})

test('ApprovalPending: the person is asked, also by a tool, and after their yes the same request goes through', async () => {
  await policy({ approvals: [{ connection: 'files' }] })
  const tool = withAccount({ agent, connection: 'files', purpose: 'to tidy up' }, ({ accessToken }) => accessToken)
  const pending = await tool(subject, undefined).catch((error: unknown) => error)
  assert.ok(pending instanceof ApprovalPending)
  assert.deepEqual([pending.status, pending.intervalSeconds], [400, 5])
  const { requestId = '' } = pending
  await who.browser.open(`${server.url}/approve?auth_req_id=${encodeURIComponent(requestId)}`)
  assert.match(who.browser.page.text, /to tidy up/)
  await who.browser.submit('approve', { action: 'allow' })
  const result = await tool(subject, undefined)
  assert.ok(result.kind === 'done' && files.isLive(result.value))

  const again = await ask().catch((error: unknown) => error)
  assert.ok(again instanceof ApprovalPending && again.requestId !== undefined)
  await who.browser.open(`${server.url}/approve?auth_req_id=${encodeURIComponent(again.requestId)}`)
  await who.browser.submit('approve', { action: 'deny' })
  await assert.rejects(ask(), (error) => {
    assert.ok(error instanceof PolicyDenied)
    return error.details.reason === 'approval_denied'
  })
  await policy(null)
})

test('AccountAmbiguous: the accounts that a hint fits, by what they are called', async () => {
  files.addUser('ada-again', {})
  files.switchUser('ada-again')
  const second = await connect(who.browser, server, { token, connection: 'files' })
  await who.browser.open(`${server.url}/account/connections`)
  const forms = who.browser.page.forms.filter(({ name }) => name === 'label')
  for (const { fields } of forms) {
    const form = { ...Object.fromEntries(fields), label: 'Work', action: 'continue' }
    await who.browser.post(`${server.url}/account/connections/label`, form, {
      from: `${server.url}/account/connections`,
    })
  }
  await assert.rejects(ask({ loginHint: 'Work' }), (error) => {
    assert.ok(error instanceof AccountAmbiguous)
    assert.equal(error.status, 400)
    assert.deepEqual(error.labels, ['Work', 'Work'])
    return true
  })
  assert.ok(files.isLive((await ask({ loginHint: second.id })).accessToken))
})
