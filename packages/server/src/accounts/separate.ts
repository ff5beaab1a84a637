// "Keep them separate" and "this is not me": remembered for the pair of an identity and a user, so that nobody is asked
// twice. User ids are never given again, so a row outlives what it is about without harm.
import { sha256Hex } from '../crypto/hashing.ts'
import { identityKeyOf } from '../domain/identity-key.ts'
import type { Identity } from '../domain/user.ts'
import type { Repositories } from '../storage/storage.ts'

export type SeparateChoice = 'keep_separate' | 'not_me'

type Key = Pick<Identity, 'connectionId' | 'subject'>

export async function rememberSeparate(
  tx: Repositories,
  identity: Key,
  userId: string,
  choice: SeparateChoice,
): Promise<void> {
  await tx.meta.put(keyOf(identity, userId), choice)
}

/** What was chosen for this pair; undefined when nobody was asked, or the answer was another. */
export async function findSeparate(
  repositories: Repositories,
  identity: Key,
  userId: string,
): Promise<SeparateChoice | undefined> {
  const choice = await repositories.meta.find(keyOf(identity, userId))
  return choice === 'keep_separate' || choice === 'not_me' ? choice : undefined
}

/** A subject may be of any length and may hold the sign that parts the key. */
const keyOf = (identity: Key, userId: string): string => `separate:${sha256Hex(identityKeyOf(identity))}:${userId}`
