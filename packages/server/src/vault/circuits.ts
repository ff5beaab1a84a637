// Leaves a provider alone that does not answer: one circuit per connection, in this process.
import { randomInt } from 'node:crypto'
import type { Clock, EpochSeconds } from '../lib/time.ts'

/** Single failures happen; so many in a row are an outage. */
const FAILURES_TO_OPEN = 3
const MAX_PAUSE_SECONDS = 30
const MAX_ASKED_PAUSE_SECONDS = 3600
const PROBE_SECONDS = 5

interface Circuit {
  readonly failures: number
  readonly openUntil: EpochSeconds
}

export class Circuits {
  readonly #clock: Clock
  readonly #circuits = new Map<string, Circuit>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Seconds for which this provider is to be left alone; 0 when it may be called. Changes nothing. */
  pauseOf(connectionId: string): number {
    return Math.max(0, (this.#circuits.get(connectionId)?.openUntil ?? 0) - this.#clock())
  }

  /** Asks to call it: 0, or the seconds to wait. After a pause one caller goes ahead, and the others wait for what it finds. */
  enter(connectionId: string): number {
    const pause = this.pauseOf(connectionId)
    const circuit = this.#circuits.get(connectionId)
    if (pause === 0 && circuit && circuit.failures >= FAILURES_TO_OPEN)
      this.#circuits.set(connectionId, { ...circuit, openUntil: this.#clock() + PROBE_SECONDS })
    return pause
  }

  succeeded(connectionId: string): void {
    this.#circuits.delete(connectionId)
  }

  /**
   * @param retryAfterSeconds what the provider asked for; it counts from the first time on.
   * @returns seconds after which trying again makes sense.
   */
  failed(connectionId: string, retryAfterSeconds: number | undefined): number {
    const failures = (this.#circuits.get(connectionId)?.failures ?? 0) + 1
    const asked = Math.min(retryAfterSeconds ?? 0, MAX_ASKED_PAUSE_SECONDS)
    const pause = failures < FAILURES_TO_OPEN ? asked : Math.max(asked, pauseAfter(failures))
    this.#circuits.set(connectionId, { failures, openUntil: this.#clock() + pause })
    return Math.max(1, pause)
  }
}

/** 1, 2, 4, … seconds up to the most, each up to half more, so that nodes do not come back together. */
function pauseAfter(failures: number): number {
  const base = Math.min(2 ** (failures - FAILURES_TO_OPEN), MAX_PAUSE_SECONDS)
  return Math.min(MAX_PAUSE_SECONDS, base + randomInt(Math.floor(base / 2) + 1))
}
