// What operators count: how much of what came to which end, and never whose it was.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import { freePort } from '../../../../tools/lib/free-port.ts'
import { connect, exchange, expectStatus, me, meToken, signIn } from '../support/actors.ts'
import { startDeployment } from '../support/deployment.ts'
import { eventually, request } from '../support/http.ts'
import { PASSWORDS } from '../support/tenant.ts'

const calendar = await startOidcProvider({
  name: 'calendar',
  refresh: 'always',
  users: { ada: {}, leaver: {}, 'dead-end': {} },
})
const [metricsPort, closedPort] = [await freePort(), await freePort()]
const nowhere = `127.0.0.1:${closedPort}`
const server = await startDeployment({
  providers: [calendar],
  flags: ['--metrics-port', String(metricsPort), '--mail', `smtp://${nowhere}`],
  tenant: ({ settings }) => {
    const secret = 'a secret of many words'
    settings.webhooks = ['one', 'two'].map((name) => ({ url: `https://${nowhere}/${name}`, secret }))
  },
})
after(async () => {
  await server.close()
  await calendar.stop()
})

test('metrics: exchanges and refreshes count by outcome, queues by what waits, and no label names anybody', async () => {
  const { ada } = server.tenant
  const who = await signIn(server, { user: ada })
  const token = await meToken(server, who)
  const ask = (how: { client?: string; fields?: Record<string, string>; loginHint?: string } = {}) =>
    exchange(server, { connection: 'calendar', subjectToken: who.refreshToken, ...how })
  const fresh = { min_ttl: '86400' }
  const connectAs = async (user: string) => {
    calendar.switchUser(user)
    return (await connect(who.browser, server, { token, connection: 'calendar' })).id
  }
  assert.equal((await ask()).json.tenon.code, 'not_connected')
  assert.equal((await ask({ fields: { client_secret: 'of somebody else' } })).status, 401)
  const leaver = await connectAs('leaver')
  const kept = await connectAs('ada')
  const { access_token: secret } = expectStatus(await ask({ loginHint: kept }), 200).json
  expectStatus(await ask({ loginHint: kept, fields: fresh }), 200)
  calendar.fail('refresh', { status: 500, body: 'broken' })
  expectStatus(await ask({ loginHint: kept, fields: fresh }), 200)
  calendar.revokeUser('leaver')
  calendar.reset()
  // The circuit that the failure opened does not hide what the provider says of the other.
  const refused = await eventually('the provider to be asked again', async () => {
    const answer = await ask({ loginHint: leaver, fields: fresh })
    return answer.json.tenon?.code === 'reconnect_required' ? answer : undefined
  })
  assert.equal(refused.status, 401)

  calendar.fail('revoke', { status: 500, body: 'broken', times: 1000 })
  expectStatus(await me(server, token).delete(`/connected-accounts/accounts/${kept}`), 204)
  const reset = { client_id: 'web', email: ada.email, connection: PASSWORDS }
  expectStatus(await request(`${server.url}/dbconnections/change_password`, { json: reset }), 200)
  calendar.switchUser('dead-end')
  await signIn(server, { connection: 'calendar' })

  const { text } = await request(`http://127.0.0.1:${metricsPort}/metrics`)
  for (const line of [
    /^tenon_exchanges_total\{outcome="ok"\} [3-9]$/m,
    /^tenon_exchanges_total\{outcome="not_connected"\} 1$/m,
    /^tenon_exchanges_total\{outcome="client_refused"\} 1$/m,
    /^tenon_exchanges_total\{outcome="reconnect_required"\} 1$/m,
    /^tenon_provider_refreshes_total\{outcome="refreshed"\} 1$/m,
    /^tenon_provider_refreshes_total\{outcome="refused"\} 1$/m,
    /^tenon_provider_refreshes_total\{outcome="unavailable"\} 1$/m,
    /^tenon_queue_waiting\{queue="mail"\} [1-9]$/m,
    /^tenon_queue_waiting\{queue="webhook"\} [1-9]\d*$/m,
    /^tenon_queue_waiting\{queue="revocation"\} [1-9]$/m,
    /^tenon_http_request_seconds_count\{area="[^"]+",status="2xx"\} [1-9]/m,
  ])
    assert.match(text, line)
  for (const name of [who.sub, ada.email, secret, kept, 'calendar', 'agent', nowhere]) assert.ok(!text.includes(name))
})
