// How often one client may exchange for one user: 600 a minute, counted in this process.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export type LimitVerdict =
  | { readonly kind: 'within' }
  /** `first`: of this minute, so that a flood is recorded and does not fill the record. */
  | { readonly kind: 'exceeded'; readonly retryAfterSeconds: number; readonly first: boolean }

export interface ExchangeLimits {
  count(clientId: string, userId: string): Promise<LimitVerdict>
}

const EXCHANGES = 600
const WINDOW_SECONDS = 60

export function createExchangeLimits({ enabled }: { enabled: () => boolean }): ExchangeLimits {
  const limiter = new RateLimiterMemory({ points: EXCHANGES, duration: WINDOW_SECONDS })
  return {
    async count(clientId, userId) {
      if (!enabled()) return { kind: 'within' }
      try {
        await limiter.consume(`${clientId} ${userId}`)
        return { kind: 'within' }
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
        return { kind: 'exceeded', retryAfterSeconds, first: error.consumedPoints === EXCHANGES + 1 }
      }
    },
  }
}
