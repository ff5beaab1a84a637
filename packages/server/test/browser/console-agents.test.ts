// The console's rooms of agents and of accounts that end, and what the person sees of such an end: as they look.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCodeProvider, startVendorProvider } from '@tenon/sdk/testing'
import { connect, exchange, expectStatus, meToken, signIn } from '../support/actors.ts'
import { OPERATED } from '../support/console.ts'
import { callProxy, setPolicy } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'
import { onPage, openBrowser } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

const DAY = 86_400
const POLICY = {
  connections: [
    { connection: 'code', scopes: ['repo', 'read:user', 'user:email'] },
    { connection: 'atlassian', methods: ['GET'] },
  ],
  hours: {
    time_zone: 'Europe/Berlin',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '00:01',
    to: '23:59',
  },
  rate: { per_minute: 5 },
  connect: false,
  approvals: [{ connection: 'atlassian', methods: ['DELETE'], paths: ['/rest/**'] }],
}

test('agents, a trial of a policy, and accounts that end look well', async (t) => {
  const atlassian = await startVendorProvider('atlassian', { users: { ada: {} } })
  const code = await startCodeProvider({ name: 'code', users: { ada: {} } })
  const server = await startServer({ providers: { atlassian, code }, settings: { ...OPERATED } })
  const { ada } = server.tenant
  const visit = async () => {
    const who = await signIn(server, { client: 'agent-a', user: ada })
    return { who, token: await meToken(server, who) }
  }
  const { who, token } = await visit()
  await connect(who.browser, server, { token, connection: 'atlassian', scopes: ['read:me'], user: ada })
  const { id } = await connect(who.browser, server, { token, connection: 'code', user: ada })
  const ask = (connection: string) =>
    exchange(server, {
      client: 'agent-a',
      connection,
      subjectToken: who.refreshToken,
      fields: { purpose: 'to plan the week' },
    })
  expectStatus(await ask('code'), 200)
  await callProxy(server, token, id, '/user')
  await setPolicy(server, 'agent-a', { connections: [] })
  expectStatus(await ask('code'), 403)
  await setPolicy(server, 'agent-a', { mode: 'observe', ...POLICY })
  expectStatus(await ask('atlassian'), 200)
  passTime(84 * DAY)

  const { page } = await openBrowser(t)
  await page.goto(`${server.url}/console/agents`)
  await onPage(page, 'login')
  await page.locator('[name=username]').fill(ada.email)
  await page.locator('[name=password]').fill(ada.password)
  await page.locator('form[data-form=login] button').first().click()
  await onPage(page, 'console-agents')
  await looksWell(page, 'console-agents')
  await page.locator('a', { hasText: 'Agent A' }).click()
  await onPage(page, 'console-agent')
  await looksWell(page, 'console-agent')
  await page.locator('#policy').fill('{ "rates": 3 }')
  await page.locator('form[role=search] button').click()
  await onPage(page, 'console-agent')
  await looksWell(page, 'console-agent-wrong')
  await page.locator('#policy').fill(JSON.stringify(POLICY, undefined, 2))
  await page.locator('form[role=search] button').click()
  await onPage(page, 'console-agent')
  assert.equal(await page.locator('[role=status]:focus').count(), 1)
  await looksWell(page, 'console-agent-tried')
  await page.goto(`${server.url}/console/endings`)
  await onPage(page, 'console-endings')
  await looksWell(page, 'console-endings')
  await page.goto(`${server.url}/account/connections`)
  await onPage(page, 'account-connections')
  assert.match((await page.locator('main').textContent()) ?? '', /It ends on/)
  await looksWell(page, 'account-connections-ending')
})
