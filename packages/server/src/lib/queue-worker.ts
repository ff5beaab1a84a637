// Work that waits in a queue which several processes share: each takes some of it for a while, and does that side by side.
import { type Periodic, startPeriodic } from './periodic.ts'

export interface QueueWorker<Result> {
  /** Looks for work from now on. Idempotent. */
  start(): void
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>
  /** Does all that is due now; resolves to what came of it. */
  runNow(): Promise<readonly Result[]>
}

export interface QueueWorkerOptions<Job, Result> {
  readonly everyMs: number
  /** How many jobs are under way at a time. Default: all that are due. */
  readonly limit?: number
  /** Takes due jobs, at most so many, which nobody else gets until their lease ends. */
  readonly claim: (limit: number) => Promise<readonly Job[]>
  /** `stopping` is aborted when the worker is to end: a long job then leaves the rest to others. */
  readonly handle: (job: Job, stopping: AbortSignal) => Promise<Result>
  /** A claim or a job that threw; its lease ends by itself, and the job comes again. */
  readonly onError: (error: unknown) => void
}

/** A job that takes long holds up no other, until `limit` of them are under way. */
export function createQueueWorker<Job, Result>(options: QueueWorkerOptions<Job, Result>): QueueWorker<Result> {
  const { everyMs, limit = Number.POSITIVE_INFINITY, claim, handle, onError } = options
  const stopping = new AbortController()
  const underWay = new Set<Promise<Result | undefined>>()
  let periodic: Periodic | undefined

  const begin = (job: Job): Promise<Result | undefined> => {
    const work = handle(job, stopping.signal)
      .catch((error: unknown) => {
        onError(error)
        return undefined
      })
      .finally(() => underWay.delete(work))
    underWay.add(work)
    return work
  }
  const beginDue = async (): Promise<readonly Promise<Result | undefined>[]> => {
    const begun: Promise<Result | undefined>[] = []
    while (!stopping.signal.aborted) {
      const room = limit - underWay.size
      const jobs = room > 0 ? await claim(room) : []
      begun.push(...jobs.map(begin))
      if (jobs.length < room) break
      await Promise.all(underWay)
    }
    return begun
  }
  return {
    start() {
      periodic ??= startPeriodic({ everyMs, work: async () => void (await beginDue()), onError })
    },
    async stop() {
      stopping.abort()
      await periodic?.stop()
      await Promise.all(underWay)
    },
    async runNow() {
      const results = await Promise.all(await beginDue())
      return results.filter((result) => result !== undefined)
    },
  }
}

/**
 * How long to wait after a failure: twice as long each time.
 *
 * @param failures how often it failed in a row, this one not counted.
 */
export const backOffSeconds = (failures: number, { first, longest }: { first: number; longest: number }): number =>
  Math.min(longest, first * 2 ** Math.min(failures, 30))
