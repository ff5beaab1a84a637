// A server that dies while a provider has a call of the proxy's: whatever the provider did, that it was called is recorded.
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import { systemClock } from '../../src/lib/time.ts'
import { recordForgottenCalls } from '../../src/oauth/forgotten-calls.ts'
import { openStorage } from '../../src/storage/open.ts'
import { connect, expectStatus, meToken, signIn } from '../support/actors.ts'
import { DATABASES, startDeployment } from '../support/deployment.ts'
import { eventually } from '../support/http.ts'
import { callProxy, startApi, withHosts } from '../support/proxy.ts'

const api = await startApi()

for (const database of DATABASES)
  test(`${database}: a call that a killed server had sent is recorded once, also when nobody knows what came of it`, async (t) => {
    const files = await startOAuth2Provider({
      name: 'files',
      refresh: 'always',
      rotation: 'rotating',
      users: { ada: {} },
    })
    t.after(() => files.stop())
    const tenant = (file: Parameters<typeof withHosts>[0]) => withHosts(file, 'files', [api.host])
    const server = await startDeployment({ database, providers: [files], tenant })
    t.after(() => server.close())
    const who = await signIn(server, { client: 'agent-a', user: server.tenant.ada })
    const token = await meToken(server, who)
    const { id } = await connect(who.browser, server, { token, connection: 'files' })
    const seen = api.calls.length
    expectStatus(await callProxy(server, token, id, '/answered'), 200)
    // The provider's answer does not come before the server's end.
    const headers = { authorization: `Bearer ${token}`, 'tenon-purpose': 'to see what stays' }
    const open = get(`${server.url}/me/v1/proxy/${id}/silent/things`, { headers }).on('error', () => {
      // Cut off by the kill.
    })
    await eventually('the call at the provider', () => api.calls.length > seen + 1)
    await server.kill()
    open.destroy()

    const storage = await openStorage({ url: server.databaseUrl })
    t.after(() => storage.close())
    const calls = async () =>
      (await storage.events.list({ types: ['vault.proxied'], limit: 9 })).map(({ data }) => data?.path)
    assert.deepEqual(await calls(), ['/answered'])
    await recordForgottenCalls(storage, systemClock())
    assert.deepEqual(await calls(), ['/answered'], 'it may still be under way elsewhere')
    const later = systemClock() + 700
    await Promise.all([recordForgottenCalls(storage, later), recordForgottenCalls(storage, later)])
    await recordForgottenCalls(storage, later)
    assert.deepEqual(await calls(), ['/answered', '/silent/things'])
    const [, event] = await storage.events.list({ types: ['vault.proxied'], limit: 9 })
    const { request_id, ...data } = event?.data ?? {}
    assert.deepEqual(data, {
      method: 'GET',
      host: api.host,
      path: '/silent/things',
      purpose: 'to see what stays',
      reason: 'answer_unknown',
    })
    assert.ok(request_id)
    assert.deepEqual([event?.outcome, event?.clientId, event?.userId, event?.accountId], ['ok', 'agent-a', who.sub, id])
  })
