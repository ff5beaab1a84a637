// The facts of exchanges on PostgreSQL: what was read of a user is read again only when the database says that it has changed
// (migration 15). Every exchange asks; the answer is a name instead of ten tables' rows.
import type { ExchangeFacts, ExchangeQuery } from './records.ts'
import { keyOf, MAX_REMEMBERED } from './remembered-facts.ts'
import type { Exchanges } from './vault-repositories.ts'

export interface VersionedExchanges {
  /** The version is that of the moment at which the facts were read; undefined when they are of no user. */
  find(query: ExchangeQuery): Promise<{ readonly facts: ExchangeFacts; readonly version: string | undefined }>
  /** Another after every commit, of any process, that may have changed facts of the user; undefined without the user. */
  versionOf(userId: string): Promise<string | undefined>
}

interface Remembered {
  readonly facts: ExchangeFacts
  readonly version: string
  readonly userId: string
}

export function rememberFactsOfUsers(exchanges: VersionedExchanges): Exchanges {
  const remembered = new Map<string, Remembered>()
  return {
    async find(query) {
      const key = keyOf(query)
      const known = remembered.get(key)
      if (known && (await exchanges.versionOf(known.userId)) === known.version) return known.facts
      const { facts, version } = await exchanges.find(query)
      if (remembered.size >= MAX_REMEMBERED) remembered.clear()
      if (facts.subject && version !== undefined) remembered.set(key, { facts, version, userId: facts.subject.userId })
      else remembered.delete(key)
      return facts
    },
  }
}
