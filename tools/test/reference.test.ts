import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesOf, eventTypesOf, findReferenceProblems } from '../check-reference.ts'

const source = (path: string, text: string) => ({ path: `packages/server/src/${path}`, text })

test('codes are found in unions, in what is thrown and in what is answered', () => {
  const codes = codesOf([
    source(
      'flows/flow-error.ts',
      "export type FlowErrorCode =\n  /** why */\n  | 'gone'\n  | 'late'\n\nconst other = 'no_code'\n",
    ),
    source('upstream/errors.ts', "export type UnavailableReason = 'network' | 'junk'\n\nexport interface X {}\n"),
    source(
      'api/a.ts',
      "throw new ApiRefusal(\n  404, 'inexistent_thing', 'No.')\nthrow new Conflict('thing_conflict', 'No.')\n",
    ),
    source('oauth/b.ts', "throw new errors.InvalidTarget('x')\nsuper('invalid_thing', 'x')\n"),
    source('config/c.ts', "refuse(where, `found x`, 'a thing', 'missing_thing')\nprocess.once('ready')\n"),
    source('storage/d.ts', "  readonly code = 'thing_held'\n"),
  ])
  const found = ['gone', 'late', 'network', 'junk', 'inexistent_thing', 'thing_conflict', 'invalid_target']
  assert.deepEqual([...codes.keys()].sort(), [...found, 'invalid_thing', 'missing_thing', 'thing_held'].sort())
})

test('event types are found where an event is made', () => {
  const types = eventTypesOf([
    source(
      'a.ts',
      "append({ type: blocked ? 'user.blocked' : 'user.unblocked' })\nthis.#event(account, 'vault.healed', {})\n",
    ),
    source('b.ts', "const words = { 'mail.link': '{link}' }\n"),
  ])
  assert.deepEqual([...types.keys()], ['user.blocked', 'user.unblocked', 'vault.healed'])
})

test('a code without a row, and a row without a code, are both problems', () => {
  const known = new Map([
    ['gone', 'a.ts'],
    ['late', 'b.ts'],
  ])
  const document = '| code | means |\n| --- | --- |\n| `gone` | x |\n| `old` | x |\n| `theirs` | x |\n'
  assert.deepEqual(findReferenceProblems('errors.md', document, known, new Set(['theirs'])), [
    'errors.md does not explain late (b.ts)',
    'errors.md explains old, which no source file makes',
  ])
})
