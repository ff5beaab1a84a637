// A fact, recorded with what made it true.
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'

export interface NewEvent {
  /** Dotted name of the fact: `user.created`, `vault.exchanged`, … (see docs/reference/events.md). */
  readonly type: string
  readonly at: EpochSeconds
  readonly outcome: 'ok' | 'refused'
  readonly userId?: string
  readonly clientId?: string
  readonly actor?: string
  readonly connectionId?: string
  readonly accountId?: string
  /** Ids, codes, scopes, grades, rules. Never a token, secret, address or name. */
  readonly data?: JsonObject
}

export interface Event extends NewEvent {
  /** Rises; gaps are possible. */
  readonly seq: number
}
