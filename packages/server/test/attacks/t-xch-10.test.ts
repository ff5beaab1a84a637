// T-XCH-10: a flood of exchanges, at the door itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refused } from '../oauth/exchange-refused.ts'
import { DATABASES, openWorld } from '../oauth/exchange-world.ts'

for (const database of DATABASES) {
  test(`T-XCH-10 a thousand exchanges of a stale token, on two nodes, ask the provider once (${database})`, async () => {
    const w = await openWorld(database, { settings: { rate_limits: { enabled: false } } })
    const { refreshToken } = await w.connectedPerson({ accessTokenSeconds: 20 })
    const other = await w.node()
    w.provider.delay('refresh', 100)
    const body = w.bodyOf(refreshToken)
    const requests = Array.from({ length: 1000 }, (_, index) => {
      const { exchange } = index % 2 === 0 ? w : other
      return exchange.handle({ body, authorization: undefined, requestId: `req-${index}` })
    })
    const answers = await Promise.all(requests)
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(new Set(answers.map((answer) => answer.body.access_token)).size, 1)
    assert.equal(w.refreshes(), 1)
  })

  test(`T-XCH-10 a client that floods for one user is told when to come back (${database})`, async () => {
    const w = await openWorld(database)
    const { userId, refreshToken } = await w.connectedPerson()
    const answers = await Promise.all(Array.from({ length: 700 }, () => w.ask(refreshToken)))
    const limited = answers.filter(({ status }) => status === 429)
    assert.equal(limited.length, 100)
    for (const answer of limited) {
      refused(answer, 429, 'too_many_requests', 'rate_limited')
      assert.ok(Number(answer.headers['retry-after']) >= 1)
    }
    const bystander = await w.connectedPerson()
    assert.equal((await w.ask(bystander.refreshToken)).status, 200)
    assert.equal((await w.events(userId)).filter(({ outcome }) => outcome === 'refused').length, 1)
  })
}
