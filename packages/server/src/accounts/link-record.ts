// The record that an identity which nobody had was added to a user: seen in their history, and undone from there.
import { newId } from '../crypto/hashing.ts'
import { parseSettings } from '../domain/settings.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { SETTINGS_KEY } from './apply-tenant.ts'

export interface LinkedIdentity {
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

/** @returns the id of the link. */
export async function recordIdentityLink(tx: Repositories, given: LinkedIdentity): Promise<string> {
  const { userId, connectionId, subject, rule, proof, at, clientId } = given
  const byPolicy = rule === POLICY_RULE
  const id = newLinkId()
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
    undoUntil: at + (await undoDays(tx)) * DAY_SECONDS,
    undoneAt: undefined,
    undoneBy: undefined,
  })
  return id
}

export const newLinkId = (): string => newId('lnk_', 24)

async function undoDays(tx: Repositories): Promise<number> {
  const document: unknown = JSON.parse((await tx.meta.find(SETTINGS_KEY)) ?? '{}')
  return parseSettings(isJsonObject(document) ? document : {}).linking.undoDays
}
