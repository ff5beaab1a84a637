// How often somebody may guess (contract.md, `rate_limits`); more in attacks/t-api-limits.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizeUrl, signIn } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startServer } from '../support/server.ts'

test('a right password in between lets an account begin anew', async () => {
  const limited = await startServer({ providers: {}, settings: { rate_limits: { enabled: true } } })
  const { ada } = limited.tenant
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 9; at++) {
      const browser = new Browser()
      await browser.open(authorizeUrl(limited).url)
      const page = await browser.submit('login', { fields: { username: ada.email, password: 'wrong' } })
      assert.equal(page.status, 403)
    }
    assert.ok((await signIn(limited, { user: ada })).sub)
  }
})

test('a hundred wrong tries close an address of the network, an IPv6 one with the 2^64 beside it', async () => {
  const limited = await startServer({
    providers: {},
    settings: { rate_limits: { enabled: true } },
    trustProxy: ['127.0.0.1'],
  })
  const browser = new Browser()
  await browser.open(authorizeUrl(limited).url)
  const tryFrom = (ip: string, at: number) => {
    const copy = browser.clone()
    copy.page = browser.page
    const fields = { username: `nobody-${at}@example.test`, password: 'wrong' }
    return copy.submit('login', { fields, headers: { 'x-forwarded-for': ip } })
  }
  const tries = Array.from({ length: 104 }, (_, at) => tryFrom(`2001:db8:1:2::${at.toString(16)}`, at))
  const statuses = (await Promise.all(tries)).map(({ status }) => status)
  assert.deepEqual(
    [statuses.filter((one) => one === 403).length, statuses.filter((one) => one === 429).length],
    [100, 4],
  )
  assert.equal((await tryFrom('2001:db8:1:3::1', 200)).status, 403)
  assert.equal((await tryFrom('192.0.2.1', 201)).status, 403)
})
