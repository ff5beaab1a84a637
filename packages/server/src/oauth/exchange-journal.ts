// Writes what exchanges leave behind, durably, before they are answered. Exchanges that end in the same moment share one
// transaction, and so one wait for the disk.
import { setImmediate as nextTick } from 'node:timers/promises'
import type { NewEvent } from '../domain/event.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Artifact } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'

export interface ExchangeJournal {
  /** Records an exchange, and that the account was used. Resolves once it is on the disk. */
  record(event: NewEvent, use?: AccountUse): Promise<void>
  /** True for the one caller that left this mark first. */
  claim(mark: Artifact): Promise<boolean>
}

export interface AccountUse {
  readonly accountId: string
  readonly at: EpochSeconds
}

interface Entry {
  readonly event: NewEvent | undefined
  readonly use: AccountUse | undefined
  readonly mark: Artifact | undefined
  readonly resolve: (firstOfItsMark: boolean) => void
  readonly reject: (error: unknown) => void
}

const MAX_BATCH = 256

export function createExchangeJournal(storage: Storage): ExchangeJournal {
  const queue: Entry[] = []
  let draining = false

  const add = (entry: Partial<Omit<Entry, 'resolve' | 'reject'>>) =>
    new Promise<boolean>((resolve, reject) => {
      queue.push({ event: undefined, use: undefined, mark: undefined, ...entry, resolve, reject })
      if (draining) return
      draining = true
      void drain()
    })

  /** Never rejects: each entry hears of its own end. */
  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // Requests that arrived in the same turn of the event loop come along.
      await nextTick()
      await write(storage, queue.splice(0, MAX_BATCH))
    }
    draining = false
  }

  return {
    async record(event, use) {
      await add({ event, use })
    },
    claim: (mark) => add({ mark }),
  }
}

async function write(storage: Storage, batch: readonly Entry[]): Promise<void> {
  try {
    const firsts = await storage.transaction((tx) => writeAll(tx, batch))
    batch.forEach((entry, index) => {
      entry.resolve(firsts[index] ?? false)
    })
  } catch (error) {
    // What one of them cannot write must not take the others' records along.
    if (batch.length > 1) for (const entry of batch) await write(storage, [entry])
    else for (const entry of batch) entry.reject(error)
  }
}

async function writeAll(tx: Repositories, batch: readonly Entry[]): Promise<readonly boolean[]> {
  await tx.events.appendAll(batch.flatMap(({ event }) => event ?? []))
  // The same account many times is used once; in one order, so that two nodes do not wait for each other in a circle.
  const uses = new Map(batch.flatMap(({ use }) => (use ? [[use.accountId, use.at] as const] : [])))
  for (const [accountId, at] of [...uses].sort(([a], [b]) => (a < b ? -1 : 1))) await tx.accounts.setUse(accountId, at)
  const firsts: boolean[] = []
  for (const { mark } of batch) firsts.push(mark === undefined || (await tx.artifacts.insertOnce(mark)))
  return firsts
}
