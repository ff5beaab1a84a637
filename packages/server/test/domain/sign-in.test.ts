import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AddressHolder, decideSignIn, describeDecision, type SignInFacts } from '../../src/domain/sign-in.ts'
import type { Grade } from '../../src/domain/user.ts'

const holder = (more: Partial<AddressHolder> = {}): AddressHolder => ({
  userId: 'older',
  grade: 2,
  closed: false,
  privileged: false,
  separate: false,
  ...more,
})

const newcomer = (more: Partial<SignInFacts> = {}): SignInFacts => ({
  owner: undefined,
  sessionUserId: undefined,
  tombstoned: false,
  grade: 2,
  holders: [],
  policy: 'suggest',
  ...more,
})

const shortly = (facts: SignInFacts) => {
  const { kind, rule, reason } = decideSignIn(facts)
  return `${kind} ${rule} ${reason}`
}

const AUTO = { policy: 'auto_when_authoritative' } as const
const known = { owner: { userId: 'owner', blocked: false } }

for (const [name, facts, expected] of [
  ['S1 a known identity signs its user in', newcomer(known), 'sign_in S1 identity_known'],
  ['S1 into their own session as well', newcomer({ ...known, sessionUserId: 'owner' }), 'sign_in S1 identity_known'],
  [
    'S2 never into the session of another',
    newcomer({ ...known, sessionUserId: 'x' }),
    'conflict S2 session_of_another',
  ],
  ['S3 a blocked user is refused', newcomer({ owner: { userId: 'o', blocked: true } }), 'refuse S3 user_blocked'],
  [
    'S3 in the session of another, too',
    newcomer({ owner: { userId: 'o', blocked: true }, sessionUserId: 'x' }),
    'refuse S3 user_blocked',
  ],
  ['S5 an unknown identity in a session asks', newcomer({ sessionUserId: 'x' }), 'ask S5 identity_unknown_in_session'],
  ['S6 an address that nobody has makes a user', newcomer(), 'create S6 address_new'],
  ['S7 both sides authoritative, and wanted', newcomer({ ...AUTO, holders: [holder()] }), 'join S7 both_authoritative'],
  [
    'S7 a mailbox that we proved counts as well',
    newcomer({ ...AUTO, holders: [holder({ grade: 3 })] }),
    'join S7 both_authoritative',
  ],
  [
    'S8 never joined by a connection that is merely trusted',
    newcomer({ ...AUTO, grade: 1, holders: [holder()] }),
    'suggest S8 address_proven_by_another',
  ],
  [
    'S8 never joined to who runs the deployment',
    newcomer({ ...AUTO, holders: [holder({ privileged: true })] }),
    'suggest S8 address_proven_by_another',
  ],
  [
    'S4 never joined again by itself after it was unlinked',
    newcomer({ ...AUTO, tombstoned: true, holders: [holder()] }),
    'suggest S8 unlinked_before',
  ],
  ['S8 suggested by default', newcomer({ holders: [holder()] }), 'suggest S8 address_proven_by_another'],
  ['S8 not where the operator has it off', newcomer({ policy: 'off', holders: [holder()] }), 'create S8 policy_off'],
  ['S8 not again', newcomer({ ...AUTO, holders: [holder({ separate: true })] }), 'create S8 kept_separate'],
  ['S8 not to who may get nothing', newcomer({ holders: [holder({ closed: true })] }), 'create S8 holder_closed'],
  [
    'S9 who merely claimed the address loses it',
    newcomer({ holders: [holder({ grade: 0 })] }),
    'create S9 address_unproven_elsewhere',
  ],
  [
    'S10 an address that nobody vouches for',
    newcomer({ grade: 0, holders: [holder()] }),
    'create S10 address_unproven',
  ],
  [
    'S11 several who proved it',
    newcomer({ ...AUTO, holders: [holder(), holder({ userId: 'b' })] }),
    'create S11 several_holders',
  ],
] as const) {
  test(`sign-in: ${name}`, () => assert.equal(shortly(facts), expected))
}

test('sign-in: S9 sweeps those who only claimed the address, and never who had it from a trusted connection', () => {
  const decision = decideSignIn(
    newcomer({ holders: [holder({ userId: 'a', grade: 0 }), holder({ userId: 'b', grade: 1 })] }),
  )
  assert.ok(decision.kind === 'create')
  assert.deepEqual(decision.sweep, ['a'])
  assert.equal(decision.duplicate, true)
})

test('sign-in: a suggestion says what would have joined the two', () => {
  const decision = decideSignIn(newcomer({ grade: 1, holders: [holder({ privileged: true })] }))
  assert.deepEqual(decision.changes, ['policy_auto', 'authoritative_connection', 'holder_not_privileged'])
})

const grades = fc.constantFrom<Grade>(0, 1, 2, 3)
const holders = fc.uniqueArray(
  fc.record({
    userId: fc.constantFrom('a', 'b', 'c'),
    grade: grades,
    closed: fc.boolean(),
    privileged: fc.boolean(),
    separate: fc.boolean(),
  }),
  { selector: ({ userId }) => userId },
)
const anyFacts: fc.Arbitrary<SignInFacts> = fc.record({
  owner: fc.option(fc.record({ userId: fc.constantFrom('a', 'b', 'o'), blocked: fc.boolean() }), { nil: undefined }),
  sessionUserId: fc.option(fc.constantFrom('a', 'b', 'o'), { nil: undefined }),
  tombstoned: fc.boolean(),
  grade: grades,
  holders,
  policy: fc.constantFrom('off', 'suggest', 'auto_when_authoritative'),
})

test('sign-in: nobody is signed in, joined or asked about because of an address below its grade', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const decision = decideSignIn(facts)
      if (decision.kind === 'sign_in') assert.equal(decision.userId, facts.owner?.userId)
      if (decision.kind !== 'join' && decision.kind !== 'suggest') return
      const chosen = facts.holders.find(({ userId }) => userId === decision.userId)
      assert.ok(chosen !== undefined && chosen.grade >= 2 && !chosen.closed && !chosen.separate)
      assert.ok(facts.grade >= 1 && facts.policy !== 'off' && facts.owner === undefined)
      assert.equal(facts.sessionUserId, undefined)
      if (decision.kind === 'join')
        assert.ok(facts.grade >= 2 && !chosen.privileged && !facts.tombstoned && facts.policy !== 'suggest')
    }),
  )
})

test('sign-in: for a known identity nothing that is said of an address counts', () => {
  fc.assert(
    fc.property(anyFacts, anyFacts, (facts, other) => {
      if (facts.owner === undefined) return
      const { grade, holders, tombstoned, policy } = other
      const told = decideSignIn({ ...facts, grade, holders, tombstoned, policy })
      assert.deepEqual(told, decideSignIn(facts))
    }),
  )
})

test('sign-in: an address alone signs nobody in, whoever holds it', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { kind } = decideSignIn({ ...facts, owner: undefined })
      assert.notEqual(kind, 'sign_in')
      // Joined to somebody who exists: only where both sides are authoritative (G2), or we proved the mailbox (G3).
      if (kind === 'join') assert.ok(facts.grade >= 2 && facts.holders.some((one) => one.grade >= 2))
    }),
  )
})

test('sign-in: a sweep touches nobody who proved anything', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const decision = decideSignIn(facts)
      if (decision.kind !== 'create') return
      for (const userId of decision.sweep) assert.equal(facts.holders.find((one) => one.userId === userId)?.grade, 0)
      if (facts.grade === 0) assert.deepEqual(decision.sweep, [])
    }),
  )
})

test('sign-in: without a holder the address changes nothing, and the order of holders never does', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const turned = decideSignIn({ ...facts, holders: [...facts.holders].reverse() })
      const decision = decideSignIn(facts)
      assert.equal(turned.kind, decision.kind)
      assert.equal(turned.reason, decision.reason)
      assert.deepEqual('userId' in turned && turned.userId, 'userId' in decision && decision.userId)
    }),
  )
})

test('sign-in: the record of a decision names ids, grades and rules', () => {
  const facts = newcomer({ holders: [holder()] })
  assert.deepEqual(describeDecision(facts, decideSignIn(facts)), {
    rule: 'S8',
    decision: 'suggest',
    reason: 'address_proven_by_another',
    grade: 2,
    policy: 'suggest',
    holders: [{ user_id: 'older', grade: 2 }],
  })
})
