import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONSOLE_LINK, isOperator, isPrivileged } from '../../src/domain/operators.ts'
import type { AddressEvidence, Grade } from '../../src/domain/user.ts'

const USER = 'auth0|one'
const says = (address: string, grade: Grade): AddressEvidence => ({
  userId: USER,
  address,
  source: 'mail',
  grade,
  saidAt: 0,
})

test('an operator is named by user id, exactly, whatever is known of their addresses', () => {
  assert.equal(isOperator([USER], USER, []), true)
  assert.equal(isOperator(['auth0|ONE'], USER, []), false)
  assert.equal(isOperator([], USER, [says('ada@x.test', 3)]), false)
})

test('an address in any spelling opens the console at G2 and G3, and guards its user from G1 on', () => {
  for (const grade of [0, 1, 2, 3] as const) {
    const evidence = [says('other@x.test', 3), says('ada@x.test', grade)]
    assert.equal(isOperator(['ADA@X.test'], USER, evidence), grade >= 2, `G${grade}`)
    assert.equal(isPrivileged(['ADA@X.test'], USER, evidence), grade >= 1, `G${grade}`)
  }
})

test('a name that is neither an address nor an id names nobody, not even somebody without an address', () => {
  // No row is like that; should one ever be, it must not match what has no canonical form.
  const odd = { ...says('x', 3), address: undefined as unknown as string }
  for (const name of ['', '@', 'ada', 'ada@@x.test']) assert.equal(isOperator([name], USER, [odd]), false, name)
})

test('whoever entered by a link is called what no user can be called', () => {
  assert.ok(!CONSOLE_LINK.includes('|'))
})
