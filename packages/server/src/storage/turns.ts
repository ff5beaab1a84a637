// Whoever wants one of a few places waits for a turn, first come, first served, in a crowd that has an end.
import { Overloaded } from '../domain/errors.ts'

export interface TurnsOptions {
  /** How many work at once. */
  readonly places: number
  /** How many may wait. Past that, those who are served have given up by then. */
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

export class Turns {
  readonly #options: TurnsOptions
  /** Each is called when its turn has come; a set keeps them in order, and lets one leave from the middle. */
  readonly #waiting = new Set<() => void>()
  #working = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /**
   * Runs `work` when a place is free; work must not ask for a turn of the same kind.
   *
   * @throws {Overloaded} too many wait already, or it waited for too long. `work` was not begun.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working < this.#options.places) this.#working++
    else await this.#wait()
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  #wait(): Promise<void> {
    const { maxWaiting, maxWaitMs } = this.#options
    if (this.#waiting.size >= maxWaiting) return Promise.reject(new Overloaded())
    return new Promise((resolve, reject) => {
      const turn = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(turn)
        reject(new Overloaded())
      }, maxWaitMs)
      this.#waiting.add(turn)
    })
  }

  /** The place goes to the next in line, and is free only when there is none. */
  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#working--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
