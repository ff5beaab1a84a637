// The record that an identity which nobody had was added to a user: seen in their history, and undone from there.
import { newId } from '../crypto/hashing.ts'
import { parseSettings } from '../domain/settings.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { SETTINGS_KEY } from './apply-tenant.ts'

export interface LinkedIdentity {
  readonly id: string
  /** `linking.undo_days` of the tenant. */
  readonly undoDays: number
  readonly userId: string
  readonly connectionId: string
  readonly subject: string
  readonly rule: string
  readonly proof: JsonObject
  readonly at: EpochSeconds
  readonly clientId?: string | undefined
}

/** What nobody asked for: the tenant's policy did it. */
const POLICY_RULE = 'S7'
const DAY_SECONDS = 86_400

export async function recordIdentityLink(tx: Repositories, given: LinkedIdentity): Promise<void> {
  const { id, userId, connectionId, subject, rule, proof, at, clientId, undoDays } = given
  const byPolicy = rule === POLICY_RULE
  await tx.links.insert({
    id,
    primaryUserId: userId,
    secondaryUserId: undefined,
    identity: { connectionId, subject },
    clientId: byPolicy ? undefined : clientId,
    actor: byPolicy ? undefined : userId,
    rule,
    proof,
    plan: { identities: [{ connection_id: connectionId, subject, outcome: 'added' }] },
    planHash: '',
    createdAt: at,
    undoUntil: at + undoDays * DAY_SECONDS,
    undoneAt: undefined,
    undoneBy: undefined,
  })
}

export const newLinkId = (): string => newId('lnk_', 24)

/** For how long the tenant lets a link be undone. */
export async function readUndoDays(tx: Repositories): Promise<number> {
  const document: unknown = JSON.parse((await tx.meta.find(SETTINGS_KEY)) ?? '{}')
  return parseSettings(isJsonObject(document) ? document : {}).linking.undoDays
}
