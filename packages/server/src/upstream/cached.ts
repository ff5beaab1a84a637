// Something fetched now and then: one fetch at a time, and an old answer rather than none.
import type { Clock, EpochSeconds } from '../lib/time.ts'

/**
 * @param load called when nothing is held or it is older than `ttlSeconds`. When it fails and something older is held,
 *   that is returned.
 */
export function createCached<T>({
  load,
  ttlSeconds,
  clock,
}: {
  readonly load: () => Promise<T>
  readonly ttlSeconds: number
  readonly clock: Clock
}): () => Promise<T> {
  let held: { readonly value: T; readonly at: EpochSeconds } | undefined
  let running: Promise<T> | undefined
  const reload = async (): Promise<T> => {
    const value = await load()
    held = { value, at: clock() }
    return value
  }
  return async () => {
    if (held !== undefined && clock() - held.at < ttlSeconds) return held.value
    running ??= reload().finally(() => {
      running = undefined
    })
    try {
      return await running
    } catch (cause) {
      if (held === undefined) throw cause
      return held.value
    }
  }
}
