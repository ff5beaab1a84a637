/** What arrived at a provider, in order. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Fields } from './http.ts'

/** `code` and `refresh` are token requests by their grant; a request to either is one to `token` too. */
export type Endpoint =
  | 'discovery'
  | 'jwks'
  | 'authorize'
  | 'consent'
  | 'token'
  | 'code'
  | 'refresh'
  | 'userinfo'
  | 'emails'
  | 'revoke'
  | 'metadata'
  | 'api'
  | 'other'

export interface LogEntry {
  /** Epoch milliseconds of arrival: tests measure back-off with it. */
  readonly atMs: number
  /** Every name that this request answers to in `fail`, `delay`, `hang`, `calls`. */
  readonly endpoints: readonly Endpoint[]
  readonly method: string
  readonly path: string
  readonly query: Fields
  readonly headers: IncomingHttpHeaders
  readonly body: Fields
  readonly rawBody: string
  /** The provider's user it was about, where there was one. */
  user?: string
  /** The wire error that a token request was refused with. */
  refused?: string
  /** Undefined while it is unanswered, and for good when the answer was lost. */
  status?: number
}

export interface CallFilter {
  readonly grant?: string
  /** Leaves out what arrived before the entry with this number, e.g. an earlier `log.length`. */
  readonly since?: number
}

export class Journal {
  readonly entries: LogEntry[] = []
  readonly #waiting: { readonly endpoint: Endpoint; readonly arrived: (entry: LogEntry) => void }[] = []

  add(entry: LogEntry): void {
    this.entries.push(entry)
    for (const one of [...this.#waiting]) {
      if (!entry.endpoints.includes(one.endpoint)) continue
      this.#waiting.splice(this.#waiting.indexOf(one), 1)
      one.arrived(entry)
    }
  }

  list(endpoint: Endpoint, { grant, since = 0 }: CallFilter = {}): readonly LogEntry[] {
    return this.entries
      .slice(since)
      .filter((entry) => entry.endpoints.includes(endpoint))
      .filter((entry) => grant === undefined || entry.body.grant_type === grant)
  }

  next(endpoint: Endpoint): Promise<LogEntry> {
    return new Promise((arrived) => this.#waiting.push({ endpoint, arrived }))
  }
}
