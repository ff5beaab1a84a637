// Mailed links by which somebody who was told of a change takes it back ("this was not me"). What such a link does when it is
// used is in `flows/not-me.ts`.
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'

/** How long a change without a link's own time can be denied: mailboxes get other owners. */
const DENIAL_SECONDS = 7 * 86_400

/** What a ticket is bound to when it is neither a link nor a second factor. */
export const DENIED_ADDRESS = 'address'

interface Deniable {
  readonly userId: string
  /** Whoever reads it may deny the change. */
  readonly address: string
  readonly at: EpochSeconds
}

/** For who reads this address, which the account went by: takes back that it goes by another. @returns a path. */
export const issueAddressDenial = (tx: Repositories, denied: Deniable): Promise<string> =>
  issueDenial(tx, denied, { boundTo: DENIED_ADDRESS, expiresAt: denied.at + DENIAL_SECONDS })

/** For who reads this address: takes back that a second factor was added. @returns a path. */
export const issueFactorDenial = (
  tx: Repositories,
  { factorId, ...denied }: Deniable & { readonly factorId: string },
): Promise<string> => issueDenial(tx, denied, { boundTo: factorId, expiresAt: denied.at + DENIAL_SECONDS })

/** For who reads this address: undoes a link for as long as it can be undone. @returns a path. */
export async function issueDenial(
  tx: Repositories,
  { userId, address, at }: Deniable,
  { boundTo, expiresAt }: { readonly boundTo: string; readonly expiresAt: EpochSeconds },
): Promise<string> {
  const ticket = randomToken()
  const idHash = sha256Hex(ticket)
  await tx.proofs.insert({ idHash, kind: 'not_me', userId, address, boundTo, attempts: 0, createdAt: at, expiresAt })
  return `account/not-me?ticket=${ticket}`
}
