// Who acts for a person, as a token says (RFC 8693 §4.1): the newest outside, those who handed it on inside.
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'

/** A token is handed on so often and no more (T-XCH-07). */
export const MAX_ACTORS = 8

/** Client ids, the newest first; undefined for what is no chain. Nobody acting is an empty one. */
export function actorsOf(claims: JsonObject): readonly string[] | undefined {
  const actors: string[] = []
  for (let act: JsonValue | undefined = claims.act; act !== undefined; act = act.act) {
    if (!isJsonObject(act) || !isString(act.sub) || actors.length === MAX_ACTORS) return undefined
    actors.push(act.sub)
  }
  return actors
}

/** The claim with one more actor; what was verified stays as it is inside. */
export const actedBy = (clientId: string, claims: JsonObject): JsonObject => ({
  sub: clientId,
  ...(isJsonObject(claims.act) ? { act: claims.act } : {}),
})

/**
 * The client that a token was first issued to, whose grant it is under: while it and every actor after it is still there,
 * and the person has stopped none of them (T-AGT-08). Undefined otherwise.
 */
export async function firstHolder(
  repositories: Repositories,
  { userId, grantId, actors }: { userId: string; grantId: string; actors: readonly string[] },
): Promise<string | undefined> {
  const holder = (await repositories.artifacts.find('Grant', grantId))?.clientId
  if (holder === undefined) return undefined
  const standing = await Promise.all(
    [...new Set([holder, ...actors])].map(async (clientId) => {
      const [client, stopped] = await Promise.all([
        repositories.clients.find(clientId),
        repositories.agentStops.find(userId, clientId),
      ])
      return client !== undefined && stopped === undefined
    }),
  )
  return standing.every(Boolean) ? holder : undefined
}
