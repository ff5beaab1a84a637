import type { Connection } from '../../src/domain/connection.ts'
import { isJsonObject } from '../../src/lib/json.ts'

/**
 * Where it stops: before the provider is called; while the provider has the request, without effect or with it; with the
 * answer in hand; when all is written. At the provider's the test itself holds the answer back.
 */
export const STEPS = ['intended', 'asked', 'effective', 'answered', 'written'] as const
export type Step = (typeof STEPS)[number]

export interface Orders {
  readonly url: string
  readonly keyFile: string
  readonly connection: Connection
  readonly accountId: string
  readonly step: Step
}

export function readOrders(text: string | undefined): Orders {
  const value: unknown = JSON.parse(text ?? '')
  if (!isJsonObject(value)) throw new Error('no orders')
  // Written by the test beside it, from this very type.
  return value as unknown as Orders
}
