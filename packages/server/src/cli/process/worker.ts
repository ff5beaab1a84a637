// One of several processes that share the port, led by the first process.
import type { App, CreateApp } from '../../config/app-contract.ts'
import type { ServerConfig } from '../../config/server-config.ts'
import type { Log } from '../../lib/log.ts'
import type { ExitStatus } from '../command.ts'
import { certificateOf } from './certificate.ts'
import { type Listener, listen } from './listener.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { stopServing } from './stop.ts'

interface Options {
  readonly config: ServerConfig
  readonly createApp: CreateApp
  readonly log: Log
  readonly process: NodeJS.Process
}

/** Serves until it is told to stop, by message or by SIGTERM. An error in starting ends the process with its status. */
export function runWorker({ config, createApp, log, process }: Options): Promise<ExitStatus> {
  const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>()
  let listener: Listener | undefined
  let app: App | undefined
  let stopping = false

  const tell = (message: FromWorker) => process.send?.(message)
  const bind = async (port: number) => {
    listener ??= await listen({ host: config.host, port, certificate: certificateOf(config.tls) })
    return listener
  }
  const stop = async () => {
    if (stopping) return
    stopping = true
    await stopServing({ listener, app, log })
    resolve(0)
  }
  const obey = async (message: ToWorker) => {
    switch (message.kind) {
      case 'bind':
        return tell({ kind: 'bound', port: (await bind(message.port)).port })
      case 'start': {
        app = await createApp({ config, issuer: message.issuer, log })
        // A process that takes another's place accepts connections only once it can answer them.
        const bound = await bind(message.port)
        bound.use(app.handler)
        return tell({ kind: 'ready' })
      }
      case 'metrics':
        return tell({ kind: 'metrics', id: message.id, metrics: (await app?.metrics.getMetricsAsJSON()) ?? [] })
      case 'stop':
        return stop()
    }
  }

  // The first process is the only one that has this channel.
  process.on('message', (message: ToWorker) => void obey(message).catch(reject))
  process.on('SIGTERM', () => void stop().catch(reject))
  // A terminal sends it to all processes at once; the first one decides.
  process.on('SIGINT', () => {})
  tell({ kind: 'booted' })
  return promise
}
