// What a receiver is told of an event. docs/reference/webhooks.md is the promise.
import type { Event } from '../domain/event.ts'
import type { JsonObject } from '../lib/json.ts'
import { toIso } from '../lib/time.ts'

export interface WebhookMessage {
  readonly id: string
  /** JSON. Events hold ids, codes, scopes and rules, never a secret, address or name; so does this. */
  readonly body: string
}

export function webhookMessage(event: Event): WebhookMessage {
  const { seq, type, at, outcome, userId, clientId, actor, connectionId, accountId, data } = event
  const document: JsonObject = {
    type,
    timestamp: toIso(at),
    data: {
      seq,
      outcome,
      ...(userId !== undefined && { user_id: userId }),
      ...(clientId !== undefined && { client_id: clientId }),
      ...(actor !== undefined && { actor }),
      ...(connectionId !== undefined && { connection_id: connectionId }),
      ...(accountId !== undefined && { connected_account_id: accountId }),
      ...(data !== undefined && { details: data }),
    },
  }
  // With its time: a database that was restored gives numbers a second time.
  return { id: `evt_${seq}_${at}`, body: JSON.stringify(document) }
}
