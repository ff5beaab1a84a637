// What `serve` asks of the application: the seam between the process (sockets, workers, signals) and `app.ts`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import type { Log } from '../lib/log.ts'
import type { ServerConfig } from './server-config.ts'

export interface AppInput {
  readonly config: ServerConfig
  /** Public URL with its trailing slash: the configured one, or that of the listening socket. */
  readonly issuer: string
  readonly log: Log
}

export interface App {
  /** Answers every request of the main port. Never throws. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  /** True when this process may serve: database reachable and migrated. */
  ready(): Promise<boolean>
  /** Metrics of this process; `serve` adds up those of all workers and serves them on `--metrics-port`. */
  readonly metrics: Registry
  /** Ends background work and closes the database. The last request has been answered by then. */
  close(): Promise<void>
}

/**
 * Brings the deployment into the state that its configuration asks for, once per `serve`, before any worker starts:
 * checks the vault key before any write, migrates, applies the tenant file. Keeps nothing open.
 *
 * @throws {ConfigError} the configuration cannot be served (exit status 2).
 */
export type PrepareDeployment = (input: AppInput) => Promise<void>

/** Builds the application of one process over a prepared deployment. */
export type CreateApp = (input: AppInput) => Promise<App>
