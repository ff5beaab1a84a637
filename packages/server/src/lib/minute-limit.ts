// How often something may happen in a minute, counted in this process.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export type LimitVerdict =
  | { readonly kind: 'within'; readonly remaining: number; readonly resetSeconds: number }
  /** `first`: of this minute, so that a flood is recorded and does not fill the record. */
  | { readonly kind: 'exceeded'; readonly retryAfterSeconds: number; readonly first: boolean }

export interface MinuteLimit {
  readonly points: number
  count(key: string): Promise<LimitVerdict>
}

const WINDOW_SECONDS = 60

export function createMinuteLimit({ points, enabled }: { points: number; enabled: () => boolean }): MinuteLimit {
  const limiter = new RateLimiterMemory({ points, duration: WINDOW_SECONDS })
  return {
    points,
    async count(key) {
      if (!enabled()) return { kind: 'within', remaining: points, resetSeconds: WINDOW_SECONDS }
      try {
        const counted = await limiter.consume(key)
        return { kind: 'within', remaining: counted.remainingPoints, resetSeconds: secondsOf(counted) }
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        return { kind: 'exceeded', retryAfterSeconds: secondsOf(error), first: error.consumedPoints === points + 1 }
      }
    },
  }
}

const secondsOf = ({ msBeforeNext }: RateLimiterRes): number => Math.max(1, Math.ceil(msBeforeNext / 1000))
