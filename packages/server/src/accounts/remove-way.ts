// Taking one of their ways to sign in off a person, at their own wish (linking.md §6): gone, not split off.
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { provenAddresses } from './link.ts'
import type { LinkNotify } from './link-deps.ts'
import { displayNameOf } from './link-notices.ts'
import { removeIdentity } from './unlink.ts'

export interface WayRemoval {
  readonly userId: string
  readonly connectionId: string
  readonly subject: string
  readonly at: EpochSeconds
  /** The app that it is done by; undefined: our pages. */
  readonly clientId?: string | undefined
}

/**
 * Removes the identity, and tells every address that was proven before.
 *
 * @returns false when the user has no such identity.
 * @throws {Invalid} `operation_not_supported` for the first identity and for the last usable way in; nothing was written.
 */
export async function removeWay(
  { vault, notify }: { readonly vault: AccountVault; readonly notify: LinkNotify },
  tx: Repositories,
  removal: WayRemoval,
): Promise<boolean> {
  const { userId, connectionId, at } = removal
  const addresses = provenAddresses({ evidence: await tx.evidence.listOfUser(userId) })
  const connection = await displayNameOf(tx, connectionId)
  if ((await removeIdentity(tx, vault, { ...removal, actor: userId })) === undefined) return false
  await notify(tx, { kind: 'identity_unlinked', linkId: undefined, userId, connection, at, addresses })
  return true
}
