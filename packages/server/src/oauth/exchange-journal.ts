// Writes what exchanges leave behind, durably, before they are answered. Exchanges that end in the same moment share one
// transaction, and so one wait for the disk.
import { setImmediate as nextTick } from 'node:timers/promises'
import type { NewEvent } from '../domain/event.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { OpenCall, ReplayMark } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { MarkStood } from '../storage/transaction-errors.ts'

export interface ExchangeJournal {
  /**
   * Writes what one exchange leaves. Resolves once it is on the disk: to the first of its marks that stood there already,
   * and then nothing of it was written but its other marks.
   */
  record(entry: JournalEntry): Promise<ReplayMark | undefined>
}

export interface JournalEntry {
  readonly event?: NewEvent | undefined
  /** The account that was used. */
  readonly use?: AccountUse | undefined
  /** Of what served once and may not serve again. */
  readonly marks?: readonly ReplayMark[]
  /** A call that goes out once this is on the disk. */
  readonly begins?: OpenCall
  /** Id of a call that is over; its event is this entry's. */
  readonly ends?: string | undefined
}

export interface AccountUse {
  readonly accountId: string
  readonly at: EpochSeconds
}

interface Waiting {
  readonly entry: JournalEntry
  readonly resolve: (repeated: ReplayMark | undefined) => void
  readonly reject: (error: unknown) => void
}

const MAX_BATCH = 256

export function createExchangeJournal(storage: Storage): ExchangeJournal {
  const uses = new RecentUses()
  const queue: Waiting[] = []
  let draining = false

  /** Never rejects: each entry hears of its own end. */
  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // Requests that arrived in the same turn of the event loop come along.
      await nextTick()
      await write({ storage, uses }, queue.splice(0, MAX_BATCH))
    }
    draining = false
  }

  return {
    record: (entry) =>
      new Promise((resolve, reject) => {
        queue.push({ entry, resolve, reject })
        if (draining) return
        draining = true
        void drain()
      }),
  }
}

interface Parts {
  readonly storage: Storage
  readonly uses: RecentUses
}

async function write(parts: Parts, batch: readonly Waiting[]): Promise<void> {
  const entries = batch.map(({ entry }) => entry)
  try {
    const repeated = await writeAll(parts, entries)
    parts.uses.keep(entries.flatMap(({ use }) => use ?? []))
    batch.forEach(({ resolve }, index) => {
      resolve(repeated[index])
    })
  } catch (error) {
    // What one of them cannot write must not take the others' records along.
    if (batch.length > 1) for (const one of batch) await write(parts, [one])
    else for (const { reject } of batch) reject(error)
  }
}

/** Nearly every mark is new: what counts only then goes out with them, and on PostgreSQL with the commit. */
async function writeAll(
  { storage, uses }: Parts,
  entries: readonly JournalEntry[],
): Promise<readonly (ReplayMark | undefined)[]> {
  try {
    return await storage.transactionAtOnce(async (tx) => {
      const marks = marksOf(entries)
      await Promise.all([marks.length > 0 && tx.replays.insertAllNew(marks), insertRecords(tx, entries, uses)])
      return entries.map(() => undefined)
    })
  } catch (error) {
    if (!(error instanceof MarkStood)) throw error
    return storage.transaction((tx) => writeInOrder(tx, entries, uses))
  }
}

async function writeInOrder(
  tx: Repositories,
  entries: readonly JournalEntry[],
  uses: RecentUses,
): Promise<readonly (ReplayMark | undefined)[]> {
  const isNew = await tx.replays.insertAllOnce(marksOf(entries))
  const served = new Set(marksOf(entries).filter((_, index) => isNew[index] !== true))
  const repeated = entries.map((entry) => entry.marks?.find((mark) => served.has(mark)))
  const counting = entries.filter((_, index) => repeated[index] === undefined)
  await insertRecords(tx, counting, uses)
  return repeated
}

const marksOf = (entries: readonly JournalEntry[]): readonly ReplayMark[] => entries.flatMap(({ marks }) => marks ?? [])

/** Asks for everything before it awaits an answer. */
async function insertRecords(tx: Repositories, entries: readonly JournalEntry[], recent: RecentUses): Promise<void> {
  // The same account many times is used once; in one order, so that two nodes do not wait for each other in a circle.
  const uses = new Map(
    entries.flatMap(({ use }) => (use !== undefined && recent.isNews(use) ? [[use.accountId, use.at] as const] : [])),
  )
  const inOrder = [...uses].sort(([a], [b]) => (a < b ? -1 : 1))
  await Promise.all([
    tx.events.appendAll(entries.flatMap(({ event }) => event ?? [])),
    ...entries.flatMap(({ begins }) => (begins === undefined ? [] : [tx.openCalls.insert(begins)])),
    ...entries.flatMap(({ ends }) => (ends === undefined ? [] : [tx.openCalls.close(ends)])),
    ...inOrder.map(([accountId, at]) => tx.accounts.setUse(accountId, at)),
  ])
}

/** Minutes are fine enough for "last used", and spare the busiest accounts a write each time. */
export const USE_RESOLUTION_SECONDS = 60
const MAX_RECENT = 100_000

/** What this process wrote of late. */
class RecentUses {
  readonly #writtenAt = new Map<string, EpochSeconds>()

  isNews({ accountId, at }: AccountUse): boolean {
    return at - (this.#writtenAt.get(accountId) ?? 0) >= USE_RESOLUTION_SECONDS
  }

  keep(uses: readonly AccountUse[]): void {
    if (this.#writtenAt.size >= MAX_RECENT) this.#writtenAt.clear()
    for (const use of uses) if (this.isNews(use)) this.#writtenAt.set(use.accountId, use.at)
  }
}
