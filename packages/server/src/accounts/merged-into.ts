// Where a user went who was merged away.
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
