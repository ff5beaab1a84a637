// Two servers in turn, so that what the machine does meanwhile meets both alike: the bare one and ours, or ours in two forms.
import type { RoundResult } from './load.ts'
import type { Load, Server } from './processes.ts'

export interface Measured {
  /** Of the one rate over the other: the median over the rounds. */
  readonly ratio: number
  readonly base: Figures
  readonly own: Figures
}

/** Medians over the rounds. */
export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the server for one answer, in microseconds. */
  readonly cpuMicros: number
}

/** A server, and what is sent to it. */
export interface Side {
  readonly load: Load
  readonly server: Server
  /** Bodies for a round; 0 is the one that warms up. */
  readonly bodies: (round: number) => readonly string[]
  /** A body may be sent once only. */
  readonly once?: boolean
  readonly connections: number
  /** How long a round lasts. */
  readonly seconds?: number
  /** For code that is little, or warm already. */
  readonly warmSeconds?: number
}

const PATH = '/oauth/token'
/** Code that ran a few thousand times is compiled for good. */
const WARM_SECONDS = 7
/** Many and short: what a machine does for some seconds meets few of them, and both sides. */
export const ROUNDS = 8
const SECONDS = 0.6

interface Round {
  /** Before the round of the other side, and after it. */
  readonly base: readonly [SideResult, SideResult]
  readonly own: SideResult
}

interface SideResult extends RoundResult {
  readonly cpuMicros: number
}

export async function measure(base: Side, own: Side): Promise<Measured> {
  for (const side of [base, own]) await run(side, { round: 0, seconds: side.warmSeconds ?? WARM_SECONDS })
  const rounds: Round[] = []
  for (let round = 1, before = await run(base, { round }); round <= ROUNDS; round++) {
    const between = await run(own, { round })
    const after = await run(base, { round })
    rounds.push({ base: [before, after], own: between })
    before = after
  }
  return {
    ratio: median(rounds.map((one) => (2 * one.own.perSecond) / (one.base[0].perSecond + one.base[1].perSecond))),
    base: figuresOf(rounds.map((one) => one.base[1])),
    own: figuresOf(rounds.map((one) => one.own)),
  }
}

async function run(side: Side, how: { readonly round: number; readonly seconds?: number }): Promise<SideResult> {
  const { load, server, bodies, once = false, connections } = side
  const idle = server.cpuSeconds()
  const seconds = how.seconds ?? side.seconds ?? SECONDS
  const result = await load.run({ url: server.url, path: PATH, connections, bodies: bodies(how.round), seconds, once })
  requireAllServed(result)
  return { ...result, cpuMicros: ((server.cpuSeconds() - idle) / result.answers) * 1e6 }
}

/** A server that refuses is fast and proves nothing. */
function requireAllServed({ failures, failure, answers }: RoundResult): void {
  if (failures > 0 || answers === 0) throw new Error(`${failures} of ${answers} answers were no success: ${failure}`)
}

const figuresOf = (results: readonly SideResult[]): Figures => ({
  perSecond: median(results.map((one) => one.perSecond)),
  p50Ms: median(results.map((one) => one.p50Ms)),
  p99Ms: median(results.map((one) => one.p99Ms)),
  cpuMicros: median(results.map((one) => one.cpuMicros)),
})

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1)
  return (low + high) / 2
}
