// The ways in which a user can sign in, and which of them would open the account tomorrow.
import { isAddressProven } from '../domain/addresses-of-user.ts'
import { PASSKEY_STRATEGY } from '../domain/connection.ts'
import { isActive } from '../domain/connection-use.ts'
import type { Identity } from '../domain/user.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { PasswordRecord, Repositories } from '../storage/storage.ts'
import { withConnections } from './find-identity.ts'

export interface WayIn {
  readonly identity: Identity
  readonly connection: ConnectionRecord
  /** For an identity that signs in by password. */
  readonly password: PasswordRecord | undefined
  /**
   * Its connection signs people in (linking.md §6); a password does so by an address, which must be proven, a passkey by a
   * key that is here.
   */
  readonly usable: boolean
}

/** In the order of the user's identities; one whose connection has gone is left out. */
export async function waysIn(tx: Repositories, userId: string): Promise<readonly WayIn[]> {
  const known = await withConnections(tx, await tx.identities.listOfUser(userId))
  const evidence = await tx.evidence.listOfUser(userId)
  return Promise.all(
    known.map(async ({ identity, connection }) => {
      const password = await tx.passwords.find(identity.connectionId, identity.subject)
      const provable =
        connection.strategy === PASSKEY_STRATEGY
          ? // An import brings what a passkey is called, and not its key.
            (await tx.passkeys.find(identity.connectionId, identity.subject)) !== undefined
          : password === undefined || isAddressProven(evidence, password.address)
      return {
        identity,
        connection,
        password,
        usable: provable && isActive(connection.document, 'authentication', true),
      }
    }),
  )
}
