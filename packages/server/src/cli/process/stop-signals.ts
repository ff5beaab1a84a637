// SIGTERM and SIGINT: the first asks for an orderly end, the second gets an end at once.

export interface StopSignals {
  /** Resolves at the first signal. */
  readonly asked: Promise<NodeJS.Signals>
}

export function listenForStop(process: NodeJS.Process, signals: readonly NodeJS.Signals[]): StopSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let seen = 0
  for (const signal of signals) {
    process.on(signal, () => {
      seen += 1
      if (seen > 1) process.exit(1)
      resolve(signal)
    })
  }
  return { asked: promise }
}
