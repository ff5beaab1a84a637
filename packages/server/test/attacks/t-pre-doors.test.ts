// Pre-hijacking (T-PRE-02, T-PRE-03): an end is heard at every node, and an unproven account is linked at no door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorizeUrl,
  currentUserSignIn,
  expectStatus,
  me,
  meToken,
  mgmt,
  refresh,
  signIn,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, sleep } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { databases } from './databases.ts'

const server = await startServer()

for (const database of databases)
  test(`T-PRE-02 a reset at one node is heard at the other within a second (${database})`, async () => {
    const nodes = await startServer({ database, nodes: 2 })
    const [, other = ''] = nodes.nodes
    const { eve } = nodes.tenant
    const sitter = await signIn(nodes, { user: eve })
    const [token, agent] = [await meToken(nodes, sitter), await signIn(nodes, { user: eve, client: 'agent-a' })]
    // The other node has seen them, too, and may remember what it saw.
    assert.equal((await me({ url: other }, token).get('/connected-accounts/accounts')).status, 200)
    const browser = new Browser()
    await browser.open(authorizeUrl(nodes, { extra: { screen_hint: 'reset-password' } }).url)
    await browser.submit('reset', { fields: { email: eve.email } })
    const link = await eventually('a reset link', () =>
      nodes
        .mails()
        .flatMap(({ to, links }) => (to === eve.email ? links : []))
        .find((one) => one.includes('/reset-password?ticket=')),
    )
    await browser.open(link)
    assert.equal((await browser.submit('reset', { fields: { password: 'a new password of the owner' } })).status, 200)
    await sleep(1000)
    for (const url of nodes.nodes) {
      assert.deepEqual(await openDoors(nodes, sitter, { meToken: token, connection: 'calendar', url }), [])
      assert.notEqual((await refresh(nodes, 'agent-a', agent.refreshToken, {}, url)).status, 200)
    }
  })

test('T-PRE-03 nobody links to an account whose address nobody proved: by no API, no page and no client', async () => {
  const unproven = { email: 'sitter@example.test', password: 'the password of a sitter' }
  const api = await mgmt(server)
  expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: false, ...unproven }), 201)
  const sitter = await currentUserSignIn(server, { user: unproven })
  server.person('own-account', ['code'])
  const own = await currentUserSignIn(server, { connection: 'code' })
  const theirs = await mgmt(server, { token: sitter.accessToken })
  const [provider, id] = own.sub.split('|')
  const pair = { primary_user_id: sitter.sub, secondary_user_id: own.sub }
  await changesNothing(server, async () => {
    const answers = [
      await theirs.post(`${userPath(sitter.sub)}/identities`, { link_with: own.idToken }),
      await api.post(`${userPath(sitter.sub)}/identities`, { provider, user_id: id }),
      await api.post('/links/preview', pair),
      await api.post('/links', pair),
    ]
    for (const answer of answers)
      assert.deepEqual([answer.status, answer.json.errorCode ?? answer.json.code], [403, 'address_unproven'])
    const page = await sitter.browser.open(`${server.url}/account/connections`)
    assert.equal(
      page.forms.some(({ name }) => name === 'link'),
      false,
    )
    // A form of an earlier page, or a made-up one.
    const csrf = page.forms.flatMap(({ fields }) => fields).find(([name]) => name === 'csrf')?.[1] ?? ''
    const posted = await sitter.browser.post(
      `${server.url}/account/link`,
      { csrf, connection: 'code' },
      { from: page.url },
    )
    assert.equal(posted.stopped, false)
    // A client that asks for the link (J6) gets no further than the question for the mailbox.
    const asked = authorizeUrl(server, {
      scope: 'openid link_account',
      extra: { requested_connection: 'code', id_token_hint: sitter.idToken, prompt: undefined },
      client: 'spa',
    })
    assert.equal((await sitter.browser.open(asked.url)).name, 'verify-email')
  })
})
