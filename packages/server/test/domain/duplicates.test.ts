// Users who may be one person, without those who are known not to be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Duplicate, pairOf, withoutApart } from '../../src/domain/duplicates.ts'

const ids = ['a', 'b', 'c', 'd', 'e']
const duplicate = (users: readonly string[]): Duplicate => ({
  match: 'proven',
  reasons: ['same_address_proven'],
  users: users.map((userId) => ({ userId, address: 'x@example.test', grade: 3 })),
})
const someUsers = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 2 })
const somePairs = fc.array(
  fc.tuple(fc.constantFrom(...ids), fc.constantFrom(...ids)).filter(([one, other]) => one !== other),
)

test('whoever may still be one person with another is listed beside them, and nobody else', () => {
  fc.assert(
    fc.property(someUsers, somePairs, (users, pairs) => {
      const apart = pairs.map(([one, other]) => pairOf(one, other))
      const isApart = (one: string, other: string) => pairs.some((pair) => pair.includes(one) && pair.includes(other))
      const [left] = withoutApart([duplicate(users)], apart)
      const expected = users.filter((one) => users.some((other) => other !== one && !isApart(one, other)))
      assert.deepEqual(left?.users.map(({ userId }) => userId) ?? [], expected)
    }),
  )
})
