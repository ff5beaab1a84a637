// `tenon serve`: configuration, folders and locks first, then one process or several, until somebody asks for the end.
import cluster from 'node:cluster'
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CreateApp, PrepareDeployment } from '../config/app-contract.ts'
import { urlOf } from '../config/listening-url.ts'
import { readConfig } from '../config/read-config.ts'
import type { ServerConfig } from '../config/server-config.ts'
import type { Log } from '../lib/log.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { DatabaseInUse, openServerLock, type ServerLock } from '../storage/server-lock.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { certificateOf } from './process/certificate.ts'
import { listen } from './process/listener.ts'
import { serveMetrics } from './process/metrics-server.ts'
import { openPool, WorkerFailed } from './process/pool.ts'
import { stopServing } from './process/stop.ts'
import { listenForStop, type StopSignals } from './process/stop-signals.ts'
import { runWorker } from './process/worker.ts'

export interface Deployment {
  readonly prepareDeployment: PrepareDeployment
  readonly createApp: CreateApp
}

export const serve = (input: CommandInput): Promise<ExitStatus> => serveWith(input, () => import('../app.ts'))

/** `serve` of any application that keeps the contract. */
export async function serveWith(input: CommandInput, load: () => Promise<Deployment>): Promise<ExitStatus> {
  const { commandLine, environment, folder, log, print } = input
  const config = readConfig({ commandLine, environment, folder, readTenant: cluster.isPrimary })
  if (cluster.isWorker) {
    const { createApp } = await load()
    return runWorker({ config, createApp, log, process })
  }
  const signals = listenForStop(process, ['SIGTERM', 'SIGINT'])
  prepareFolder(config.dataDir, log)
  const lock = lockDatabase(config)
  try {
    await prepareTls(config)
    announceDangers(config, log)
    const run = { config, load, log, print, signals }
    const { promise: listening, resolve: sayReady } = Promise.withResolvers<void>()
    const serving = config.workers > 1 ? serveByWorkers(run, sayReady) : serveAlone(run, sayReady)
    // A start that hangs, for a database that does not answer, ends at the first signal.
    return await Promise.race([serving, stoppedBefore(listening, signals)])
  } finally {
    lock?.release()
  }
}

interface Run {
  readonly config: ServerConfig
  readonly load: () => Promise<Deployment>
  readonly log: Log
  readonly print: (line: string) => void
  readonly signals: StopSignals
}

async function serveAlone({ config, load, log, print, signals }: Run, sayReady: () => void): Promise<ExitStatus> {
  const listener = await listen({ host: config.host, port: config.port, certificate: certificateOf(config.tls) })
  const url = urlOf({ host: config.host, port: listener.port, tls: config.tls })
  const issuer = config.issuer ?? url
  const { prepareDeployment, createApp } = await load()
  await prepareDeployment({ config, issuer, log })
  const app = await createApp({ config, issuer, log })
  const metrics = await openMetrics(config, log, async () => app.metrics)
  listener.use(app.handler)
  sayListening({ url, issuer, print })
  sayReady()
  log.info({ event: 'stopping', signal: await signals.asked }, 'finishing the requests in flight')
  await stopServing({ listener, app, log })
  metrics?.close()
  return 0
}

async function serveByWorkers({ config, load, log, print, signals }: Run, sayReady: () => void): Promise<ExitStatus> {
  try {
    const [pool, { prepareDeployment }] = await Promise.all([
      openPool({ workers: config.workers, port: config.port, log }),
      load(),
    ])
    const url = urlOf({ host: config.host, port: pool.port, tls: config.tls })
    const issuer = config.issuer ?? url
    await prepareDeployment({ config, issuer, log })
    await pool.start(issuer)
    const metrics = await openMetrics(config, log, pool.metrics)
    sayListening({ url, issuer, print })
    sayReady()
    log.info({ event: 'stopping', signal: await signals.asked }, 'finishing the requests in flight')
    await pool.stop()
    metrics?.close()
    return 0
  } catch (error) {
    if (error instanceof WorkerFailed) return error.status
    throw error
  }
}

/** Resolves when a signal comes before `listening`, and otherwise never. */
async function stoppedBefore(listening: Promise<void>, { asked }: StopSignals): Promise<ExitStatus> {
  const first = await Promise.race([listening.then(() => 'listening' as const), asked])
  return first === 'listening' ? new Promise(() => {}) : 0
}

const sayListening = ({ url, issuer, print }: { url: string; issuer: string; print: (line: string) => void }) =>
  print(JSON.stringify({ event: 'listening', url: url.replace(/\/$/, ''), issuer }))

async function openMetrics(config: ServerConfig, log: Log, registry: Parameters<typeof serveMetrics>[0]['registry']) {
  if (config.metricsPort === undefined) return undefined
  const server = await serveMetrics({ host: config.host, port: config.metricsPort, registry })
  log.info({ event: 'metrics', port: config.metricsPort }, 'serving /metrics')
  return server
}

/** One serving process, with its workers, per SQLite file; nodes on PostgreSQL are many. */
function lockDatabase({ database }: ServerConfig): ServerLock | undefined {
  if (database.kind !== 'sqlite') return undefined
  mkdirSync(dirname(database.path), { recursive: true, mode: 0o700 })
  try {
    return openServerLock(database.path)
  } catch (error) {
    throw error instanceof DatabaseInUse ? new Error(`${error.message}; stop it first`, { cause: error }) : error
  }
}

const OTHERS = 0o077

/** A folder that stands already keeps its mode: it may be shared for a reason, or not be ours to change. */
function prepareFolder(folder: string, log: Log): void {
  try {
    makeFolder(folder)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    const found = `${JSON.stringify(folder)}, which cannot be made (${code})`
    throw new ConfigError({ code: 'unusable_folder', pointer: '--data-dir', found, expected: 'a folder of its own' })
  }
  if ((statSync(folder).mode & OTHERS) !== 0) {
    log.warn({ event: 'open_folder', folder }, 'the data folder can be entered by others; its mode should be 0700')
  }
}

/** Node's own recursion goes round in circles where a parent is there and takes no folder, as /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent)
  mkdirSync(folder, { mode: 0o700 })
}

async function prepareTls(config: ServerConfig): Promise<void> {
  if (config.tls.kind !== 'self-signed') return
  // Loaded by those who use it: it costs a tenth of a second.
  const { ensureSelfSigned } = await import('../config/self-signed.ts')
  await ensureSelfSigned({ folder: config.tls.folder, hosts: hostsOf(config) })
}

function hostsOf({ issuer, host }: ServerConfig): readonly string[] {
  return [...(issuer === undefined ? [] : [new URL(issuer).hostname]), host]
}

/** A switch that weakens security is said at every start. */
function announceDangers({ dangerouslyAllowUpstreamNetwork: networks }: ServerConfig, log: Log): void {
  if (networks.length === 0) return
  log.warn(
    { event: 'dangerous', option: 'dangerously-allow-upstream-network', networks },
    'private networks are in reach of provider calls',
  )
}
