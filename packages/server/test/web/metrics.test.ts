// What operators count: how much of what came to which end, and never whose it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { openStorage } from '../../src/storage/open.ts'
import type { Connector } from '../../src/upstream/connector.ts'
import { UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { createMetrics } from '../../src/web/metrics.ts'

test('metrics: exchanges and refreshes count by outcome, queues by what waits, and no label names anybody', async (t) => {
  const storage = await openStorage({ url: 'sqlite::memory:' })
  t.after(() => storage.close())
  const registry = new Registry()
  const metrics = createMetrics(registry, storage)
  const answers = [
    { status: 200, body: { access_token: 'hidden' } },
    { status: 401, body: { error: 'x', tenon: { code: 'not_connected' } } },
    { status: 401, body: { error: 'invalid_client' } },
  ]
  const exchange = metrics.countingExchanges({
    handle: async () => ({ headers: {}, ...(answers.shift() ?? { status: 500, body: {} }) }),
  })
  const request = { body: {}, authorization: undefined, requestId: 'req' }
  assert.equal((await exchange.handle(request)).status, 200)
  await exchange.handle(request)
  await exchange.handle(request)

  // A provider, as far as it is asked here.
  const provider = {
    scopes: 'as before',
    refresh: async ({ refreshToken }: { refreshToken: string }) => {
      if (refreshToken === 'down') throw new UpstreamUnavailable('network')
      return { kind: 'invalid_grant', reason: 'invalid_grant' } as const
    },
  } as unknown as Connector
  const counted = metrics.countingRefreshes(provider)
  await counted.refresh({ refreshToken: 'dead', subject: 'ada' })
  await assert.rejects(counted.refresh({ refreshToken: 'down', subject: 'ada' }))
  assert.equal(counted.scopes, 'as before')

  await storage.transaction(async (tx) => {
    await tx.mails.add({ id: 'm1', envelope: Uint8Array.of(1), attempts: 0, dueAt: 0 })
    for (const id of ['one', 'two'])
      await tx.webhooks.put({ id, url: `https://${id}.test/`, envelope: Uint8Array.of(1), patterns: ['*'] })
    await tx.events.append({ type: 'kind.one', at: 1, outcome: 'ok', userId: 'ada' })
  })
  metrics.count('/oauth/token', 200, 0.01)
  const text = await registry.metrics()
  for (const line of [
    /^tenon_exchanges_total\{outcome="ok"\} 1$/m,
    /^tenon_exchanges_total\{outcome="not_connected"\} 1$/m,
    /^tenon_exchanges_total\{outcome="client_refused"\} 1$/m,
    /^tenon_provider_refreshes_total\{outcome="refused"\} 1$/m,
    /^tenon_provider_refreshes_total\{outcome="unavailable"\} 1$/m,
    /^tenon_queue_waiting\{queue="mail"\} 1$/m,
    /^tenon_queue_waiting\{queue="webhook"\} 2$/m,
    /^tenon_queue_waiting\{queue="revocation"\} 0$/m,
  ])
    assert.match(text, line)
  assert.doesNotMatch(text, /ada|hidden|one\.test/)
})
