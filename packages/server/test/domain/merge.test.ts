import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeMergePlan, type MergeSide, planMerge } from '../../src/domain/merge.ts'
import type { VaultAccount } from '../../src/domain/tokenset.ts'
import type { AddressEvidence, Grade, Identity } from '../../src/domain/user.ts'
import type { JsonObject } from '../../src/lib/json.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd')
const at = fc.integer({ min: 1, max: 5 })
const metadata = fc.dictionary(name, fc.oneof(fc.integer(), fc.dictionary(name, fc.integer())))

const side = (userId: string): fc.Arbitrary<MergeSide> =>
  fc
    .record({
      identities: fc.uniqueArray(fc.record({ connection: name, subject: fc.nat(50) }), {
        minLength: 1,
        maxLength: 4,
        selector: ({ connection, subject }) => `${connection} ${subject}`,
      }),
      accounts: fc.uniqueArray(
        fc.record({
          connection: name,
          subject: name,
          purpose: fc.constantFrom('agents' as const, 'sign_in' as const),
          connectedAt: at,
          isDefault: fc.boolean(),
        }),
        { maxLength: 6, selector: ({ connection, subject, purpose }) => `${connection} ${subject} ${purpose}` },
      ),
      evidence: fc.uniqueArray(
        fc.record({ address: name, source: name, grade: fc.constantFrom<Grade>(0, 1, 2, 3), saidAt: at }),
        { maxLength: 6, selector: ({ address, source }) => `${address} ${source}` },
      ),
      userMetadata: metadata,
      appMetadata: metadata,
    })
    .map(({ identities, accounts, evidence, userMetadata, appMetadata }) => ({
      user: {
        userId,
        email: `${userId}@example.test`,
        emailVerified: true,
        profile: {},
        userMetadata: userMetadata as JsonObject,
        appMetadata: appMetadata as JsonObject,
        blocked: false,
        createdAt: 1,
        updatedAt: 1,
        lastLogin: undefined,
        lastIp: undefined,
        loginsCount: 1,
      },
      // Subjects of the two sides differ, as the database sees to.
      identities: identities.map(
        ({ connection, subject }, position): Identity => ({
          connectionId: connection,
          subject: `${userId}-${subject}`,
          userId,
          position,
          profileData: {},
          createdAt: 1,
          lastLogin: undefined,
        }),
      ),
      accounts: accounts.map(({ connection, ...account }, index) => accountOf(userId, connection, index, account)),
      evidence: evidence.map((one): AddressEvidence => ({ userId, ...one })),
      stops: [],
      issued: { sessions: 1, grants: 2, refreshTokens: 3, clientIds: ['web'] },
    }))

const accountOf = (
  userId: string,
  connectionId: string,
  index: number,
  account: Pick<VaultAccount, 'subject' | 'purpose' | 'connectedAt' | 'isDefault'>,
): VaultAccount => ({
  id: `cac_${userId}${index}`,
  userId,
  connectionId,
  label: '',
  clientId: undefined,
  scopesAsked: [],
  scopesGranted: [],
  health: 'ok',
  healthReason: undefined,
  extras: {},
  createdAt: 1,
  lastUsedAt: undefined,
  accessExpiresAt: undefined,
  refreshExpiresAt: undefined,
  hasRefreshToken: true,
  generation: 1,
  intentGeneration: undefined,
  intentStartedAt: undefined,
  ...account,
})

const sides = fc.tuple(side('primary'), side('secondary'))
const KEEP = { metadata: 'keep_primary' } as const
const DEEP = { metadata: 'deep_merge' } as const
const holds = (check: (primary: MergeSide, secondary: MergeSide) => void) =>
  fc.assert(fc.property(sides, ([primary, secondary]) => check(primary, secondary)))

test('a merge keeps every identity exactly once, the primary ones first and in their order', () => {
  holds((primary, secondary) => {
    const { identities } = planMerge(primary, secondary, KEEP)
    const keys = (list: readonly { connectionId: string; subject: string }[]) =>
      list.map(({ connectionId, subject }) => `${connectionId} ${subject}`)
    assert.deepEqual(keys(identities), [...keys(primary.identities), ...keys(secondary.identities)])
    assert.deepEqual(
      identities.map(({ position }) => position),
      identities.map((_, index) => index),
    )
  })
})

test('every connected account is accounted for, and of equal upstream accounts exactly the newest stays', () => {
  holds((primary, secondary) => {
    const { accounts } = planMerge(primary, secondary, KEEP)
    assert.equal(accounts.length, primary.accounts.length + secondary.accounts.length)
    const staying = accounts.filter(({ outcome }) => outcome !== 'dropped')
    const keyOf = (one: { connectionId: string; subject: string; purpose: string }) =>
      `${one.connectionId} ${one.subject} ${one.purpose}`
    assert.equal(new Set(staying.map(keyOf)).size, staying.length)
    assert.deepEqual(new Set(staying.map(keyOf)), new Set(accounts.map(keyOf)))
    const all = [...primary.accounts, ...secondary.accounts]
    for (const { id, ...key } of staying) {
      const newest = Math.max(...all.filter((one) => keyOf(one) === keyOf(key)).map((one) => one.connectedAt))
      assert.equal(all.find((one) => one.id === id)?.connectedAt, newest)
    }
  })
})

test('no word about an address is lost, and the better one of two stays', () => {
  holds((primary, secondary) => {
    const { addresses } = planMerge(primary, secondary, KEEP)
    const keyOf = (one: { address: string; source: string }) => `${one.address} ${one.source}`
    const staying = addresses.filter(({ outcome }) => outcome !== 'dropped')
    assert.equal(new Set(staying.map(keyOf)).size, staying.length)
    const all = [...primary.evidence, ...secondary.evidence]
    assert.deepEqual(new Set(staying.map(keyOf)), new Set(all.map(keyOf)))
    for (const one of staying)
      assert.equal(one.grade, Math.max(...all.filter((other) => keyOf(other) === keyOf(one)).map(({ grade }) => grade)))
  })
})

test("metadata: keep_primary changes nothing, deep_merge adds the secondary's keys and changes none of the primary's", () => {
  const isWithin = (part: unknown, whole: unknown): boolean =>
    typeof part === 'object' && part !== null && typeof whole === 'object' && whole !== null
      ? Object.entries(part).every(([key, value]) => isWithin(value, Reflect.get(whole, key)))
      : part === whole
  holds((primary, secondary) => {
    assert.deepEqual(planMerge(primary, secondary, KEEP).userMetadata, primary.user.userMetadata)
    const { userMetadata, appMetadata } = planMerge(primary, secondary, DEEP)
    assert.ok(isWithin(primary.user.userMetadata, userMetadata))
    assert.ok(isWithin(primary.user.appMetadata, appMetadata))
    const keys = [...Object.keys(primary.user.userMetadata), ...Object.keys(secondary.user.userMetadata)]
    assert.deepEqual(new Set(Object.keys(userMetadata)), new Set(keys))
  })
})

test('the recorded plan names no address and no metadata value', () => {
  holds((primary, secondary) => {
    const told = JSON.stringify(describeMergePlan(planMerge(primary, secondary, DEEP)))
    assert.ok(!told.includes('example.test') && !told.includes('userMetadata') && !told.includes('"address"'))
  })
})

test('a default of the primary stays the default', () => {
  holds((primary, secondary) => {
    const { accounts } = planMerge(primary, secondary, KEEP)
    for (const connection of ['a', 'b', 'c', 'd']) {
      const before = primary.accounts.filter((one) => one.connectionId === connection && one.isDefault)
      if (before.length === 0) continue
      const after = accounts.filter((one) => one.connectionId === connection && one.isDefault)
      const keyOf = ({ subject, purpose }: { subject: string; purpose: string }) => `${subject} ${purpose}`
      assert.deepEqual(new Set(after.map(keyOf)), new Set(before.map(keyOf)))
    }
  })
})
