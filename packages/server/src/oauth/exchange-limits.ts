// How often one client may exchange for one user: the vault's exchange and the engine's count apart.
import { createMinuteLimit, type LimitVerdict } from '../lib/minute-limit.ts'

export interface ExchangeLimits {
  count(clientId: string, userId: string): Promise<LimitVerdict>
}

const EXCHANGES = 600

export function createExchangeLimits({ enabled }: { enabled: () => boolean }): ExchangeLimits {
  const limit = createMinuteLimit({ points: EXCHANGES, enabled })
  return { count: (clientId, userId) => limit.count(`${clientId} ${userId}`) }
}
