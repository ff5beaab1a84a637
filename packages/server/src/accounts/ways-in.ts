// The ways in which a user can sign in, and which of them would open the account tomorrow.
import { gradeOfAddress } from '../domain/addresses-of-user.ts'
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
  /** Its connection signs people in; a password does so by an address, which must be proven (linking.md §6). */
  readonly usable: boolean
}

/** In the order of the user's identities; one whose connection has gone is left out. */
export async function waysIn(tx: Repositories, userId: string): Promise<readonly WayIn[]> {
  const known = await withConnections(tx, await tx.identities.listOfUser(userId))
  const evidence = await tx.evidence.listOfUser(userId)
  return Promise.all(
    known.map(async ({ identity, connection }) => {
      const password = await tx.passwords.find(identity.connectionId, identity.subject)
      const provable = password === undefined || (gradeOfAddress(evidence, password.address) ?? 0) >= 1
      return {
        identity,
        connection,
        password,
        usable: provable && isActive(connection.document, 'authentication', true),
      }
    }),
  )
}
