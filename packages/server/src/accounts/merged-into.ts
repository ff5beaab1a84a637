// Where a user went who was merged away, and who came to a user that way.
import type { Repositories } from '../storage/storage.ts'

/** More merges in a row than anybody makes. */
const MAX_STEPS = 100

/** The user who stands at the end of the aliases; undefined when this one was never merged away. */
export async function findMergedInto(repositories: Repositories, userId: string): Promise<string | undefined> {
  let at = await repositories.users.findAlias(userId)
  for (let step = 0; at !== undefined && step < MAX_STEPS; step++) {
    const next = await repositories.users.findAlias(at)
    if (next === undefined) return at
    at = next
  }
  return at
}

/** Ids that lead to this user, because theirs were merged into it, or into one of these. */
export async function listRetiredIds(repositories: Repositories, userId: string): Promise<readonly string[]> {
  const retired: string[] = []
  const waiting = [userId]
  for (let at = waiting.shift(); at !== undefined && retired.length < MAX_STEPS; at = waiting.shift()) {
    const { items } = await repositories.links.listOfUser(at, { offset: 0, limit: MAX_STEPS })
    for (const { primaryUserId, secondaryUserId, undoneAt } of items) {
      if (primaryUserId !== at || secondaryUserId === undefined || undoneAt !== undefined) continue
      // The id lives again when the identity that it came from was unlinked.
      if ((await repositories.users.findAlias(secondaryUserId)) !== at || retired.includes(secondaryUserId)) continue
      retired.push(secondaryUserId)
      waiting.push(secondaryUserId)
    }
  }
  return retired
}
