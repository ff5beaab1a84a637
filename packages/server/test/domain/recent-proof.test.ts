import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeTokenProof, type TokenProof } from '../../src/domain/recent-proof.ts'
import type { HeldFactors } from '../../src/domain/second-factor.ts'

const NONE: HeldFactors = { enrolled: [], passkeys: 1 }
const APP: HeldFactors = { enrolled: ['totp'], passkeys: 0 }
const judge = (proof: Partial<TokenProof>, held = NONE) =>
  judgeTokenProof({ authenticatedAt: undefined, amr: [], ...proof }, { held, now: 1600, maxAgeSeconds: 600 })

const ENOUGH = { kind: 'enough' }
const OLD = { kind: 'insufficient', secondStep: false }
const HALF = { kind: 'insufficient', secondStep: true }

test('a sign-in is proof for as long as was set, and a token that does not say when is none', () => {
  assert.deepEqual(judge({ authenticatedAt: 1001 }), ENOUGH)
  assert.deepEqual(judge({ authenticatedAt: 1000 }), OLD)
  assert.deepEqual(judge({ amr: ['pwd', 'mfa'] }), OLD)
})

test('one step of two is no proof however recent, and two are one only while they are', () => {
  assert.deepEqual(judge({ authenticatedAt: 1600, amr: ['pwd'] }, APP), HALF)
  assert.deepEqual(judge({ authenticatedAt: 1000, amr: ['pwd'] }, APP), HALF)
  assert.deepEqual(judge({ authenticatedAt: 1001, amr: ['pwd', 'otp', 'mfa'] }, APP), ENOUGH)
  assert.deepEqual(judge({ authenticatedAt: 1000, amr: ['pwd', 'otp', 'mfa'] }, APP), OLD)
  // Whoever took the last passkey away is asked for none.
  assert.deepEqual(judge({ authenticatedAt: 1001 }, { enrolled: ['passkey'], passkeys: 0 }), ENOUGH)
})
