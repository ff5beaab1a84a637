// What is known of a user's addresses, when who said it speaks of this user no more.
import { canonicalAddress } from '../domain/address.ts'
import { electAddress, isAddressProven } from '../domain/addresses-of-user.ts'
import { connectionSource } from '../domain/identity-key.ts'
import type { Identity } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'

/** Takes back what these sources said of an address. */
export async function forgetEvidence(
  tx: Repositories,
  userId: string,
  address: string,
  ofSource: (source: string) => boolean,
): Promise<void> {
  const evidence = await tx.evidence.listOfUser(userId)
  const sources = new Set(
    evidence
      .filter((one) => one.address === address)
      .map((one) => one.source)
      .filter(ofSource),
  )
  for (const source of sources) {
    await tx.evidence.deleteBySource(userId, source)
    for (const other of evidence) if (other.source === source && other.address !== address) await tx.evidence.put(other)
  }
}

/**
 * What the connection said goes with the identity, unless another identity of that connection says it too; the user goes by
 * an address that somebody still vouches for.
 */
export async function restateEvidence(
  tx: Repositories,
  { userId, connectionId }: Identity,
  at: EpochSeconds,
): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) return
  const source = connectionSource(connectionId)
  const remaining = (await tx.identities.listOfUser(userId)).filter((one) => one.connectionId === connectionId)
  const stillSaid = new Set(remaining.map(addressOf))
  const said = (await tx.evidence.listOfUser(userId)).filter((one) => one.source === source)
  await tx.evidence.deleteBySource(userId, source)
  for (const one of said) if (stillSaid.has(one.address)) await tx.evidence.put(one)
  const left = await tx.evidence.listOfUser(userId)
  const hasWord = user.email !== undefined && left.some((one) => one.address === user.email)
  const email = hasWord ? user.email : electAddress(left)
  await tx.users.replace({ ...user, email, emailVerified: isAddressProven(left, email), updatedAt: at })
}

/** The address that an identity's provider gave it, canonical. */
export function addressOf({ profileData }: Identity): string | undefined {
  const { email } = profileData
  return isString(email) ? canonicalAddress(email) : undefined
}
