// The first process of several: starts workers on one port, replaces those that die, adds up their metrics.
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { AggregatorRegistry, type Registry } from 'prom-client'
import type { Log } from '../../lib/log.ts'
import type { FromWorker, Metrics, ToWorker } from './messages.ts'
import { DRAIN_MS } from './stop.ts'

interface Options {
  readonly workers: number
  readonly port: number
  readonly log: Log
}

export interface Pool {
  /** The port that all workers share, once they hold it. */
  readonly port: number
  /** Resolves when every worker serves. */
  start(issuer: string): Promise<void>
  metrics(): Promise<Registry>
  /** Every worker finishes its requests and ends. */
  stop(): Promise<void>
}

/** A worker ended before it served; its own log says why. */
export class WorkerFailed extends Error {
  readonly status: 1 | 2
  constructor(status: number | null) {
    super('a worker could not start')
    this.status = status === 2 ? 2 : 1
  }
}

const METRICS_TIMEOUT_MS = 2_000
const KILL_AFTER_MS = DRAIN_MS + 4_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/** @throws {WorkerFailed} */
export async function openPool({ workers: count, port: askedPort, log }: Options): Promise<Pool> {
  let issuer: string | undefined
  let stopping = false
  let port = askedPort
  let pauseMs = FIRST_PAUSE_MS
  let metricsId = 0

  const alive = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
  const begin = async (): Promise<{ worker: Worker; port: number }> => {
    const worker = cluster.fork()
    await heard(worker, 'booted')
    if (issuer === undefined) {
      tell(worker, { kind: 'bind', port })
      return { worker, port: (await heard(worker, 'bound')).port }
    }
    return { worker, port }
  }
  const serve = async (worker: Worker, ownIssuer: string) => {
    tell(worker, { kind: 'start', issuer: ownIssuer, port })
    await heard(worker, 'ready')
    const since = Date.now()
    worker.once('exit', (code, signal) => void replace(worker, { code, signal, since }))
  }
  const replace = async (worker: Worker, end: { code: number; signal: string; since: number }) => {
    if (stopping || issuer === undefined) return
    log.error({ event: 'worker_died', worker: worker.process.pid, code: end.code, signal: end.signal }, 'a worker died')
    // With the last worker the shared socket went too, and a socket on port 0 would get another port.
    if (alive().length === 0) port = boundPort
    pauseMs = Date.now() - end.since > LONGEST_PAUSE_MS ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    await sleep(pauseMs)
    if (stopping) return
    const since = Date.now()
    try {
      const next = await begin()
      await serve(next.worker, issuer)
      log.info({ event: 'worker_replaced', worker: next.worker.process.pid }, 'another worker took its place')
    } catch {
      await replace(worker, { ...end, since })
    }
  }

  const first = await Promise.all(Array.from({ length: count }, begin))
  const boundPort = first[0]?.port ?? port
  return {
    port: boundPort,
    async start(ownIssuer) {
      issuer = ownIssuer
      await Promise.all(first.map(({ worker }) => serve(worker, ownIssuer)))
    },
    async metrics() {
      const id = ++metricsId
      const answers = await Promise.all(alive().map((worker) => askMetrics(worker, id)))
      return AggregatorRegistry.aggregate(
        answers.filter((metrics) => metrics.length > 0).map((metrics) => [...metrics]),
      )
    },
    async stop() {
      stopping = true
      await Promise.all(alive().map(endWorker))
    },
  }
}

const tell = (worker: Worker, message: ToWorker) => worker.send(message)

type Heard<K extends FromWorker['kind']> = Extract<FromWorker, { kind: K }>

/** Waits for one kind of message. @throws {WorkerFailed} the worker ended instead. */
function heard<K extends FromWorker['kind']>(worker: Worker, kind: K): Promise<Heard<K>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromWorker) => {
      if (message.kind !== kind) return
      forget()
      // The comparison above narrows no generic.
      resolve(message as Heard<K>)
    }
    const onExit = (code: number | null) => {
      forget()
      reject(new WorkerFailed(code))
    }
    const forget = () => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
    }
    worker.on('message', onMessage)
    worker.on('exit', onExit)
  })
}

/** Metrics of one worker; none from one that is busy or about to end. */
function askMetrics(worker: Worker, id: number): Promise<Metrics> {
  return new Promise((resolve) => {
    const finish = (metrics: Metrics) => {
      clearTimeout(limit)
      worker.off('message', onMessage)
      resolve(metrics)
    }
    const onMessage = (message: FromWorker) => {
      if (message.kind === 'metrics' && message.id === id) finish(message.metrics)
    }
    const limit = setTimeout(() => finish([]), METRICS_TIMEOUT_MS)
    worker.on('message', onMessage)
    tell(worker, { kind: 'metrics', id })
  })
}

async function endWorker(worker: Worker): Promise<void> {
  if (worker.isDead()) return
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  const limit = setTimeout(() => worker.process.kill('SIGKILL'), KILL_AFTER_MS)
  if (worker.isConnected()) tell(worker, { kind: 'stop' })
  await ended
  clearTimeout(limit)
}
