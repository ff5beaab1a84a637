// How events are named in Auth0's log (auth0-wire.md §6.4).
import type { Event } from '../../domain/event.ts'

const ID = /^90(\d{18})$/

/** The number of an event in a log id; undefined for what is none. */
export function seqOf(id: string): number | undefined {
  const [, digits] = ID.exec(id) ?? []
  const seq = Number(digits)
  return digits !== undefined && Number.isSafeInteger(seq) ? seq : undefined
}

/** Auth0's codes: for what succeeded, and for what was refused. */
const LOG_TYPES: Readonly<Record<string, readonly [ok: string, refused: string]>> = {
  'user.signed_in': ['s', 'f'],
  'password.refused': ['s', 'fp'],
  'user.created': ['ss', 'fs'],
  'user.deleted': ['sdu', 'fdu'],
  'session.ended': ['slo', 'flo'],
  'sign_in.decided': ['sapi', 'f'],
  'upstream.refused': ['sapi', 'f'],
  'backchannel_logout.sent': ['oidc_backchannel_logout_succeeded', 'oidc_backchannel_logout_failed'],
  'vault.exchanged': ['seta', 'feta'],
  'approval.requested': ['ciba_start_succeeded', 'ciba_start_failed'],
  'ciba.exchanged': ['ciba_exchange_succeeded', 'ciba_exchange_failed'],
  'device.exchanged': ['sede', 'fede'],
  'token.exchanged': ['secte', 'fecte'],
  'connected_account.connected': ['connected_accounts_connection_succeeded', 'connected_accounts_connection_failed'],
  'connected_account.refused': ['connected_accounts_connection_failed', 'connected_accounts_connection_failed'],
  'connected_account.disconnected': ['connected_accounts_delete_succeeded', 'connected_accounts_delete_failed'],
}

export const logTypeOf = ({ type, outcome }: Event): string =>
  (Object.hasOwn(LOG_TYPES, type) ? LOG_TYPES[type] : undefined)?.[outcome === 'ok' ? 0 : 1] ??
  (outcome === 'ok' ? 'sapi' : 'fapi')

/** Events that a code stands for; `sapi` and `fapi` are all that have none of their own. */
export function eventsOfLogType(
  code: string,
): readonly { readonly types: readonly string[]; readonly outcome: Event['outcome'] }[] {
  return (['ok', 'refused'] as const).map((outcome, at) => ({
    outcome,
    types: Object.entries(LOG_TYPES).flatMap(([type, codes]) => (codes[at] === code ? [type] : [])),
  }))
}

export const isOtherLogType = (code: string): boolean => code === 'sapi' || code === 'fapi'

export const NAMED_EVENTS: readonly string[] = Object.keys(LOG_TYPES)
