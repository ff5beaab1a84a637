// What is fuzzed, and how one input goes.

export interface Target {
  /**
   * Makes input `number` and gives it to the parser.
   *
   * @returns what came of it, e.g. the code of the refusal.
   * @throws whatever is a finding: a crash, or a forgery that was taken.
   */
  run(number: number): Promise<string>
}

/** Longer than this for one input is a finding. */
export const MOST_MS = 1000

export interface Finding {
  readonly number: number
  readonly what: string
}

export interface Progress {
  readonly inputs: number
  /** How often each came. */
  readonly outcomes: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
}

/** Inputs from `first` on, until `isOver` says so. */
export async function fuzz(target: Target, first: number, isOver: (inputs: number) => boolean): Promise<Progress> {
  const outcomes = new Map<string, number>()
  const findings: Finding[] = []
  let inputs = 0
  for (; !isOver(inputs); inputs++) {
    const number = first + inputs
    const before = process.threadCpuUsage()
    const outcome = await target.run(number).catch((error: unknown) => {
      findings.push({ number, what: String(error instanceof Error ? error.stack : error) })
      return 'finding'
    })
    // Of the processor: on a busy machine the clock says nothing of an input.
    const { user, system } = process.threadCpuUsage(before)
    const tookMs = (user + system) / 1000
    if (tookMs > MOST_MS) findings.push({ number, what: `took ${Math.round(tookMs)} ms` })
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return { inputs, outcomes, findings }
}
