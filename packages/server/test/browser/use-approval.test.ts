// An agent is about to do something that its rules want a yes for: the person sees the request itself, and the rules.
import { test } from 'node:test'
import { startOAuth2Provider } from '@tenon/sdk/testing'
import { connect, exchange, expectStatus, meToken, signIn } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { callProxy, setPolicy, startApi, withHosts } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { signInByPassword } from './support/world.ts'

const api = await startApi()
const code = await startOAuth2Provider({ name: 'code', refresh: 'always', users: { ada: {} } })
const server = await startServer({
  providers: { code },
  tenant: (file) => {
    withHosts(file, 'code', [api.host])
    for (const connection of file.connections) if (connection.name === 'code') connection.display_name = 'Code'
  },
})
const { ada } = server.tenant

test('a person reads what an agent would send, says yes, and finds its rules on the page of the agents', async (t) => {
  const who = await signIn(server, { client: 'agent-a', user: ada })
  const token = await meToken(server, who)
  const { id } = await connect(who.browser, server, { token, connection: 'code' })
  await setPolicy(server, 'agent-a', {
    connections: [{ connection: 'code', methods: ['GET', 'POST'] }],
    hours: { time_zone: 'Europe/Berlin' },
    rate: { per_minute: 30 },
    connect: false,
    approvals: [
      { connection: 'code', methods: ['POST'], paths: ['/repos/*/*/pulls'] },
      { connection: 'code', methods: ['POST'], paths: ['/repos/*/*/issues'], valid_seconds: 900 },
    ],
  })
  const open = () =>
    callProxy(server, token, id, '/repos/acme/tenon/pulls', {
      json: { title: 'Mend the roof', head: 'roof', base: 'main' },
      headers: { 'tenon-purpose': 'to propose the change that you asked for' },
    })
  expectStatus(await open(), 403)
  const { page } = await openBrowser(t)
  const mail = await eventually('the mail', () => server.mails().findLast(({ to }) => to === ada.email))
  await page.goto(mail.links.find((link) => link.includes('/approve')) ?? '')
  await onPage(page, 'login')
  await signInByPassword(page, ada.password, ada.email)
  await onPage(page, 'approve')
  await page.getByText('/repos/acme/tenon/pulls').waitFor()
  await page.getByText('Mend the roof').waitFor()
  await looksWell(page, 'approve-use')
  await press(page, 'allow')
  await page.getByText('You said yes').waitFor()
  expectStatus(await open(), 200)

  const asked = await callProxy(server, token, id, '/repos/acme/tenon/issues', { json: {} })
  await page.goto(`${server.url}/approve?auth_req_id=${asked.json.tenon.auth_req_id}`)
  await page.getByText('for 15 minutes after your yes').waitFor()
  await looksWell(page, 'approve-use-for-a-time')
  await page.goto(`${server.url}/account/agents`)
  await page.getByText('Rules that Acme gave it').click()
  await page.getByText('at most 30 times a minute').waitFor()
  await looksWell(page, 'account-agents-rules')

  await setPolicy(server, 'agent-a', { approvals: [{ connection: 'code' }] })
  const subjectToken = who.refreshToken
  const waits = await exchange(server, { client: 'agent-a', connection: 'code', subjectToken })
  await page.goto(`${server.url}/approve?auth_req_id=${waits.json.auth_req_id}`)
  await page.getByText('It gets a key to this account').waitFor()
  await looksWell(page, 'approve-use-token')
})
