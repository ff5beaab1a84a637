import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from './world.ts'

test('an API names the limit of its caller, and refuses with Retry-After what goes beyond it', async (t) => {
  const w = await openWorld({ requestsPerMinute: 3 })
  t.after(() => w.close())
  const person = await w.person('ada')
  const [machine, user] = [w.machineToken(), await w.userToken(person.userId)]

  const remaining = []
  for (let turn = 0; turn < 3; turn++) {
    const answer = await w.management(machine, 'GET', '/clients')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('x-ratelimit-limit'), '3')
    remaining.push(answer.headers.get('x-ratelimit-remaining'))
  }
  assert.deepEqual(remaining, ['2', '1', '0'])

  const refused = await w.management(machine, 'GET', '/clients')
  assert.equal(refused.status, 429)
  assert.equal(refused.json.errorCode, 'too_many_requests')
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.equal(
    (await w.me(user, 'GET', '/connected-accounts/accounts')).status,
    200,
    'another caller has a limit of its own',
  )
})
