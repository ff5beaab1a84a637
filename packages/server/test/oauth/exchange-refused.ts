import assert from 'node:assert/strict'
import { isJsonObject, type JsonObject } from '../../src/lib/json.ts'
import type { ExchangeAnswer } from '../../src/oauth/exchange-refusal.ts'

/** Checks a refusal's status, error and `tenon.code`, and that SDKs can read it. @returns the `tenon` member. */
export function refused(answer: ExchangeAnswer, status: number, error: string, code: string | undefined): JsonObject {
  const { tenon } = answer.body
  const said = [answer.status, answer.body.error, isJsonObject(tenon) ? tenon.code : undefined]
  assert.deepEqual(said, [status, error, code], JSON.stringify(answer.body))
  assert.equal(Object.keys(answer.headers).includes('www-authenticate'), false)
  assert.equal(answer.headers['cache-control'], 'no-store')
  return isJsonObject(tenon) ? tenon : {}
}
