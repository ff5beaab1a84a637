// Rounds of the bare server and rounds of ours in turn, so that what the machine does meanwhile meets both alike.
import type { RoundResult } from './load.ts'
import type { Load, Server } from './processes.ts'

export interface Measured {
  /** Medians over the rounds. */
  readonly perSecond: number
  readonly barePerSecond: number
  readonly ratio: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of each server for one answer, in microseconds. */
  readonly cpuMicros: number
  readonly bareCpuMicros: number
}

export interface Course {
  readonly load: Load
  readonly bare: Server
  readonly server: Server
  /** Bodies for a round; 0 is the one that warms up. */
  readonly bodies: (round: number) => readonly string[]
  /** A body may be sent once only. */
  readonly once?: boolean
  readonly connections?: number
  readonly rounds?: number
  readonly seconds?: number
}

const PATH = '/oauth/token'
/** Enough to saturate one process. */
export const CONNECTIONS = 32
const BARE_SECONDS = 0.8
/** Code that ran a few thousand times is compiled for good. */
const WARM_SECONDS = 8

export async function measure(course: Course): Promise<Measured> {
  const { load, bare, server, bodies, connections = CONNECTIONS, rounds = 5, seconds = 1.2, once = false } = course
  const base = { path: PATH, connections }
  await load.run({ ...base, url: bare.url, bodies: bodies(0), seconds: BARE_SECONDS })
  requireAllServed(await load.run({ ...base, url: server.url, bodies: bodies(0), seconds: WARM_SECONDS, once }))
  const all: { readonly bare: RoundResult; readonly own: RoundResult; readonly cpu: Record<'bare' | 'own', number> }[] =
    []
  for (let round = 1; round <= rounds; round++) {
    const idle = { bare: bare.cpuSeconds(), own: server.cpuSeconds() }
    const bareResult = await load.run({ ...base, url: bare.url, bodies: bodies(0), seconds: BARE_SECONDS })
    const own = requireAllServed(await load.run({ ...base, url: server.url, bodies: bodies(round), seconds, once }))
    const cpu = { bare: bare.cpuSeconds() - idle.bare, own: server.cpuSeconds() - idle.own }
    all.push({ bare: bareResult, own, cpu })
  }
  return {
    perSecond: median(all.map(({ own }) => own.perSecond)),
    barePerSecond: median(all.map((one) => one.bare.perSecond)),
    ratio: median(all.map((one) => one.own.perSecond / one.bare.perSecond)),
    p50Ms: median(all.map(({ own }) => own.p50Ms)),
    p99Ms: median(all.map(({ own }) => own.p99Ms)),
    cpuMicros: median(all.map(({ own, cpu }) => (cpu.own / own.answers) * 1e6)),
    bareCpuMicros: median(all.map((one) => (one.cpu.bare / one.bare.answers) * 1e6)),
  }
}

/** A server that refuses is fast and proves nothing. */
function requireAllServed(result: RoundResult): RoundResult {
  if (result.failures === 0 && result.answers > 0) return result
  throw new Error(`${result.failures} of ${result.answers} answers were no success: ${result.failure}`)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1)
  return (low + high) / 2
}
