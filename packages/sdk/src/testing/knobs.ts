/** What can be turned while a provider runs, so that it is slow, silent, throttled or broken. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Fields, jsonAnswer } from './http.ts'
import type { Endpoint } from './journal.ts'

/** Answers by itself, for what no status and body can say (see `bombs.ts`). */
export type Responder = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export interface FailOptions {
  /** Default 500. */
  readonly status?: number
  /** A string is sent as HTML, bytes as they are, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Fields
  /** How many requests fail; default 1. */
  readonly times?: number
  /** Instead of status, body and headers. */
  readonly respond?: Responder
}

export interface HangOptions {
  /** `before` (default) the request has any effect, or `after` it had all of them and only the answer is missing. */
  readonly when?: 'before' | 'after'
}

export type Failure =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'respond'; readonly respond: Responder }

interface CountedFailure {
  readonly endpoint: Endpoint
  readonly failure: Failure
  left: number
}

interface Throttle {
  readonly requests: number
  readonly seconds: number
  arrivals: number[]
}

export class Knobs {
  readonly #failures: CountedFailure[] = []
  readonly #losses = new Map<Endpoint, number>()
  readonly #throttles = new Map<Endpoint, Throttle>()
  readonly #delaysMs = new Map<Endpoint, number>()
  readonly #hanging = new Map<Endpoint, 'before' | 'after'>()
  #waiting: { readonly endpoint: Endpoint; readonly go: () => void }[] = []
  #watching: { readonly endpoint: Endpoint; readonly hangs: () => void }[] = []
  #denials = 0

  fail(endpoint: Endpoint, { times = 1, ...options }: FailOptions): void {
    this.#failures.push({ endpoint, failure: toFailure(options), left: times })
  }

  loseAnswer(endpoint: Endpoint, times: number): void {
    this.#losses.set(endpoint, times)
  }

  throttle(endpoint: Endpoint, { requests, seconds }: { readonly requests: number; readonly seconds: number }): void {
    this.#throttles.set(endpoint, { requests, seconds, arrivals: [] })
  }

  delay(endpoint: Endpoint, ms: number): void {
    this.#delaysMs.set(endpoint, ms)
  }

  hang(endpoint: Endpoint, { when = 'before' }: HangOptions): void {
    this.#hanging.set(endpoint, when)
  }

  release(endpoint?: Endpoint): void {
    if (endpoint === undefined) this.#hanging.clear()
    else this.#hanging.delete(endpoint)
    const freed = this.#waiting.filter((one) => endpoint === undefined || one.endpoint === endpoint)
    this.#waiting = this.#waiting.filter((one) => !freed.includes(one))
    for (const one of freed) one.go()
  }

  hangingCount(endpoint: Endpoint): number {
    return this.#waiting.filter((one) => one.endpoint === endpoint).length
  }

  async untilHanging(endpoint: Endpoint): Promise<void> {
    if (this.hangingCount(endpoint) > 0) return
    await new Promise<void>((hangs) => this.#watching.push({ endpoint, hangs }))
  }

  denyNext(): void {
    this.#denials++
  }

  takeDenial(): boolean {
    if (this.#denials === 0) return false
    this.#denials--
    return true
  }

  reset(): void {
    this.#failures.length = 0
    this.#losses.clear()
    this.#throttles.clear()
    this.#delaysMs.clear()
    this.#denials = 0
    this.release()
  }

  /** Waits as long as the knobs say, then tells whether the request is to fail instead of being served. */
  async before(names: readonly Endpoint[], nowMs: () => number): Promise<Failure | undefined> {
    for (const name of names) await this.#sleep(name)
    await this.#hang(names, 'before')
    const counted = this.#failures.find((one) => one.left > 0 && names.includes(one.endpoint))
    if (counted === undefined) return this.#takeThrottle(names, nowMs())
    counted.left--
    return counted.failure
  }

  /** Waits as long as the knobs say, then tells whether the finished answer may go out. */
  async after(names: readonly Endpoint[]): Promise<'send' | 'lose'> {
    await this.#hang(names, 'after')
    const name = names.find((one) => (this.#losses.get(one) ?? 0) > 0)
    if (name === undefined) return 'send'
    this.#losses.set(name, (this.#losses.get(name) ?? 0) - 1)
    return 'lose'
  }

  async #sleep(name: Endpoint): Promise<void> {
    const ms = this.#delaysMs.get(name)
    if (ms) await sleep(ms)
  }

  async #hang(names: readonly Endpoint[], when: 'before' | 'after'): Promise<void> {
    const endpoint = names.find((one) => this.#hanging.get(one) === when)
    if (endpoint === undefined) return
    const released = new Promise<void>((go) => this.#waiting.push({ endpoint, go }))
    for (const one of this.#watching) if (one.endpoint === endpoint) one.hangs()
    this.#watching = this.#watching.filter((one) => one.endpoint !== endpoint)
    await released
  }

  #takeThrottle(names: readonly Endpoint[], now: number): Failure | undefined {
    for (const name of names) {
      const throttle = this.#throttles.get(name)
      if (throttle === undefined) continue
      throttle.arrivals = throttle.arrivals.filter((at) => at > now - throttle.seconds * 1000)
      const oldest = throttle.arrivals[0]
      if (oldest !== undefined && throttle.arrivals.length >= throttle.requests) {
        return tooMany(Math.max(1, Math.ceil((oldest + throttle.seconds * 1000 - now) / 1000)))
      }
      throttle.arrivals.push(now)
    }
    return undefined
  }
}

function toFailure({ status = 500, body = '', headers = {}, respond }: FailOptions): Failure {
  if (respond !== undefined) return { kind: 'respond', respond }
  if (body instanceof Uint8Array) return { kind: 'answer', answer: { status, headers, body } }
  if (typeof body !== 'string') return { kind: 'answer', answer: jsonAnswer(status, body, headers) }
  return {
    kind: 'answer',
    answer: { status, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body },
  }
}

function tooMany(retryAfterSeconds: number): Failure {
  const answer = jsonAnswer(429, { error: 'rate_limited' }, { 'retry-after': String(retryAfterSeconds) })
  return { kind: 'answer', answer }
}
