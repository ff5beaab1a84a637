// The event of a call through the proxy: who called what for whom, and what came of it. No query, no name, no token.
import { newId } from '../../crypto/hashing.ts'
import type { NewEvent } from '../../domain/event.ts'
import type { JsonObject, JsonValue } from '../../lib/json.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import type { RefusalDetails } from '../../oauth/exchange-refusal.ts'
import type { OpenCall } from '../../storage/records.ts'

/** What becomes known on the way. */
export interface CallTrail {
  readonly requestId: string
  readonly clientId: string
  readonly userId: string
  readonly accountId: string
  readonly method: string
  readonly path: string
  actor?: string
  connectionId?: string
  host?: string
  purpose?: string
  observed?: string
  /** Of the record that the call went out. */
  begun?: string
}

export interface CallResult {
  /** Of the provider's answer. */
  readonly status?: number
  /** Why there was none. */
  readonly code?: string
  readonly details?: RefusalDetails
}

/** That a call goes out now: what stays of it when this process does not come back to say more. */
export function begunCall(trail: CallTrail, at: EpochSeconds): OpenCall {
  const id = newId('call_', 24)
  trail.begun = id
  return { id, beganAt: at, event: callEvent(trail, at, { details: { reason: 'answer_unknown' } }) }
}

export function callEvent(trail: CallTrail, at: EpochSeconds, { status, code, details = {} }: CallResult): NewEvent {
  const { clientId, userId, actor, accountId, connectionId } = trail
  return {
    type: 'vault.proxied',
    at,
    outcome: code === undefined ? 'ok' : 'refused',
    clientId,
    userId,
    ...(actor === undefined ? {} : { actor }),
    ...(connectionId === undefined ? {} : { connectionId }),
    accountId,
    data: withoutAbsent({
      request_id: trail.requestId,
      method: trail.method,
      host: trail.host,
      path: pathTemplate(trail.path),
      status,
      purpose: trail.purpose,
      code,
      reason: details.reason,
      rule: details.rule,
      observed: trail.observed,
    }),
  }
}

function withoutAbsent(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const present = Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined)
  return Object.fromEntries(present)
}

const MAX_PARTS = 12
const VERSION = /^v\d{1,3}(?:\.\d{1,3})?$/
const WORD = /^[a-z]{1,24}(?:[_-][a-z]{1,24}){0,3}$/

/**
 * `/repos/{}/{}/pulls/{}`: what kind of thing was called, and not which. Kept are the first word, versions, and plurals that
 * do not follow one; everything else may be a name or an id.
 */
export function pathTemplate(path: string): string {
  const parts = path.split('/').filter((one) => one !== '')
  const shown = parts.slice(0, MAX_PARTS).map((part, at) => (isKind(part, parts[at - 1]) ? part : '{}'))
  return `/${shown.join('/')}${parts.length > MAX_PARTS ? '/…' : ''}`
}

function isKind(part: string, before: string | undefined): boolean {
  if (VERSION.test(part)) return true
  return WORD.test(part) && (before === undefined || (part.endsWith('s') && !before.endsWith('s')))
}
