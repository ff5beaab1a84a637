// Work that comes round by itself.

export interface Periodic {
  /** Resolves when a turn under way has ended; none starts any more. */
  stop(): Promise<void>
}

/**
 * Runs `work` now and then again `everyMs` after each end, with up to a fifth more so that nodes do not march in step.
 * Turns never overlap. A failure goes to `onError` and does not end it. Does not keep the process alive.
 */
export function startPeriodic(options: {
  readonly everyMs: number
  readonly work: () => Promise<void>
  readonly onError: (error: unknown) => void
}): Periodic {
  const { everyMs, work, onError } = options
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()
  const run = () => {
    turn = work()
      .catch(onError)
      .then(() => {
        if (stopped) return
        timer = setTimeout(run, everyMs * (1 + Math.random() / 5))
        timer.unref()
      })
  }
  run()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await turn
    },
  }
}
