// The event of an exchange: who asked, for whom, as whom, for what, and what came of it. Ids, codes and scopes only.
import type { NewEvent } from '../domain/event.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ExchangeGrant, ExchangeRefusal } from './exchange-refusal.ts'

/** What becomes known on the way. */
export interface Trail {
  readonly grant: ExchangeGrant
  readonly requestId: string
  readonly clientId: string
  scopes?: readonly string[]
  purpose?: string | undefined
  subjectKind?: string
  userId?: string
  /** The client that the subject token was issued to. */
  issuedTo?: string
  actor?: string | undefined
  connectionId?: string
  accountId?: string
  /** What a policy that is only observed would have said. */
  observed?: string
}

export function exchangeEvent(trail: Trail, at: EpochSeconds, refusal?: ExchangeRefusal): NewEvent {
  const { clientId, userId, actor, connectionId, accountId } = trail
  return {
    type: 'vault.exchanged',
    at,
    outcome: refusal === undefined ? 'ok' : 'refused',
    clientId,
    ...(userId === undefined ? {} : { userId }),
    ...(actor === undefined ? {} : { actor }),
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(accountId === undefined ? {} : { accountId }),
    data: dataOf(trail, refusal),
  }
}

function dataOf(trail: Trail, refusal: ExchangeRefusal | undefined): JsonObject {
  const data: Record<string, JsonValue> = { request_id: trail.requestId }
  const set = (name: string, value: JsonValue | undefined) => {
    if (value !== undefined) data[name] = value
  }
  set('subject', trail.subjectKind)
  set('scopes', trail.scopes)
  set('purpose', trail.purpose)
  if (trail.issuedTo !== trail.clientId) set('issued_to', trail.issuedTo)
  set('code', refusal?.code)
  set('reason', refusal?.details.reason)
  set('missing_scopes', refusal?.details.missingScopes)
  set('rule', refusal?.details.rule)
  set('observed', trail.observed)
  return data
}
