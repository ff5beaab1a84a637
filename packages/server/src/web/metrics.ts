// What an operator counts: requests by kind and status, and the process itself.
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'
import { isJsonObject, isString } from '../lib/json.ts'
import type { Exchange } from '../oauth/exchange.ts'
import type { Repositories } from '../storage/storage.ts'
import type { Connector } from '../upstream/connector.ts'

export interface Metrics {
  count(path: string, status: number, seconds: number): void
  /** The same exchange, counted by what came of it. */
  countingExchanges(exchange: Exchange): Exchange
  /** The same connector, its refreshes counted by what came of them. */
  countingRefreshes(connector: Connector): Connector
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** No label names a user, a client or a connection: whoever reads metrics learns how much, and not who. */
export function createMetrics(registry: Registry, storage: Waiting): Metrics {
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const exchanges = new Counter({
    name: 'tenon_exchanges_total',
    help: 'Exchanges for tokens of providers, by outcome: ok, or the code of the refusal',
    labelNames: ['outcome'],
    registers,
  })
  const refreshes = new Counter({
    name: 'tenon_provider_refreshes_total',
    help: 'Refreshes at providers, by outcome: refreshed, refused (to be connected again) or unavailable',
    labelNames: ['outcome'],
    registers,
  })
  watchQueues(registry, storage)
  const requests = new Histogram({
    name: 'tenon_http_request_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['area', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  })
  // Finding the child of some labels costs more than counting.
  const children = new Map<string, Histogram.Internal<'area' | 'status'>>()
  return {
    count(path, status, seconds) {
      const labels = { area: areaOf(path), status: `${Math.floor(status / 100)}xx` }
      const key = `${labels.area} ${labels.status}`
      const child = children.get(key) ?? requests.labels(labels)
      children.set(key, child)
      child.observe(seconds)
    },
    countingExchanges: (exchange) => ({
      async handle(request) {
        const answer = await exchange.handle(request)
        const { tenon } = answer.body
        const code = isJsonObject(tenon) && isString(tenon.code) ? tenon.code : 'client_refused'
        exchanges.inc({ outcome: answer.status === 200 ? 'ok' : code })
        return answer
      },
    }),
    // Its methods come from the prototype of the one that is wrapped.
    countingRefreshes: (connector) =>
      Object.assign(Object.create(connector) as Connector, {
        async refresh(request: Parameters<Connector['refresh']>[0]) {
          try {
            const answer = await connector.refresh(request)
            refreshes.inc({ outcome: answer.kind === 'refreshed' ? 'refreshed' : 'refused' })
            return answer
          } catch (error) {
            refreshes.inc({ outcome: 'unavailable' })
            throw error
          }
        },
      }),
  }
}

type Waiting = Pick<Repositories, 'mails' | 'revocations' | 'webhooks'>

/** Read from the database when somebody asks: every process sees the same queues, so that they are not added up. */
function watchQueues(registry: Registry, storage: Waiting): void {
  new Gauge({
    name: 'tenon_queue_waiting',
    help: 'What waits in the database to be sent: mail, webhook or revocation',
    labelNames: ['queue'],
    registers: [registry],
    aggregator: 'max',
    async collect() {
      const [mail, revocation, webhooks] = await Promise.all([
        storage.mails.count(),
        storage.revocations.count(),
        storage.webhooks.states(),
      ])
      this.set({ queue: 'mail' }, mail)
      this.set({ queue: 'revocation' }, revocation)
      this.set(
        { queue: 'webhook' },
        webhooks.reduce((sum, { waiting }) => sum + waiting, 0),
      )
    },
  })
}

/** Few values: a path holds ids. */
function areaOf(path: string): string {
  const [, first = '', second = ''] = path.split('/')
  if (first === 'oauth') return ['token', 'revoke', 'par'].includes(second) ? `oauth_${second}` : 'other'
  if (first === 'api' || first === 'me') return `${first}_${second === 'v1' || second === 'v2' ? second : 'other'}`
  return ['authorize', 'login', 'u', 'connected-accounts', 'account', 'assets', 'userinfo', '.well-known'].includes(
    first,
  )
    ? first.replace('.', '')
    : 'other'
}
