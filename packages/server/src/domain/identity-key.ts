// One text for an identity's key, as sessions and grants keep it.
import type { Identity } from './user.ts'

/** `connectionId|subject`: connection ids hold no pipe, subjects may. */
export const identityKeyOf = (identity: Pick<Identity, 'connectionId' | 'subject'>): string =>
  `${identity.connectionId}|${identity.subject}`

/** What the evidence of a connection's word is filed under. */
export const connectionSource = (connectionId: string): string => `connection:${connectionId}`
