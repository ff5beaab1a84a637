// The facts of exchanges on SQLite: read once, and again only when something that they say has changed. Not a cache of
// what was true a moment ago: the database keeps count of every such change (migration 4), whoever makes it.
import { setImmediate as nextTick } from 'node:timers/promises'
import type { ExchangeFacts, ExchangeQuery } from './records.ts'
import type { Exchanges } from './vault-repositories.ts'

/** Facts, in a process. */
export const MAX_REMEMBERED = 10_000

/** @param version another number after every commit, of any process, that may have changed an exchange's facts. */
export function rememberFacts(exchanges: Exchanges, version: () => number | Promise<number>): Exchanges {
  const remembered = new Map<string, ExchangeFacts>()
  let asOf: number | undefined
  const forgetWhatChanged = async () => {
    const now = await version()
    if (now === asOf && remembered.size < MAX_REMEMBERED) return now
    remembered.clear()
    asOf = now
    return now
  }
  let looking: Promise<number> | undefined
  /** One look for all who ask until it is taken: whatever was committed before they asked, it sees. */
  const lookOnce = () => {
    looking ??= nextTick().then(() => {
      looking = undefined
      return forgetWhatChanged()
    })
    return looking
  }
  return {
    async find(query) {
      const before = await lookOnce()
      const key = keyOf(query)
      const known = remembered.get(key)
      if (known !== undefined) return known
      const facts = await exchanges.find(query)
      // Somebody may have committed between the two looks; then these facts are true, but of which version is not known.
      if ((await forgetWhatChanged()) === before) remembered.set(key, facts)
      return facts
    },
  }
}

/** Two queries of one key ask the same. */
export const keyOf = ({ clientId, connection, subject }: ExchangeQuery): string =>
  JSON.stringify([clientId ?? null, connection, ...Object.values(subject)])
