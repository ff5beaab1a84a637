// What an operator counts: requests by kind and status, and the process itself.
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client'

export interface Metrics {
  count(path: string, status: number, seconds: number): void
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

export function createMetrics(registry: Registry): Metrics {
  collectDefaultMetrics({ register: registry })
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
  }
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
