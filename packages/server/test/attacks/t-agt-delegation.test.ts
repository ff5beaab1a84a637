// APIs that call each other for a person, and what they might make of it (attack catalogue, T-XCH-07, T-AGT-08).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, exchange, expectStatus, mgmt, signIn } from '../support/actors.ts'
import { callApi, handOn, ORDERS, STOCK, withApis, withSecrets } from '../support/delegation.ts'
import { DATABASES } from '../support/deployment.ts'
import { type Answer, request } from '../support/http.ts'
import { bareJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { API, VAULT_GRANT } from '../support/tenant.ts'

const told = ({ status, json }: Answer) => `${status} ${json.error}`

// Both stand before the first test begins: a file whose tests have ended is over.
const servers = await Promise.all(
  DATABASES.map(async (database) => ({
    database,
    server: await startServer({
      database,
      tenant: (file) => {
        withApis(file)
        const orders = file.clients.find(({ client_id: id }) => id === 'orders')
        if (orders !== undefined) orders.grant_types = [...(orders.grant_types as string[]), VAULT_GRANT]
        for (const connection of file.connections)
          connection.enabled_clients = [...(connection.enabled_clients as string[]), 'orders']
      },
    }),
  })),
)

for (const { database, server } of servers) {
  withSecrets(server)
  const { ada, eve } = server.tenant

  test(`T-XCH-07 ${database}: who acts is who authenticated, and those before them as they were signed`, async () => {
    const visit = await callApi(server, ada)
    const forged = bareJwt({ sub: 'boss' })
    for (const actor_token of [forged, visit.accessToken, visit.idToken, 'boss'])
      assert.equal(told(await handOn(server, 'api', visit.accessToken, ORDERS, { actor_token })), '400 invalid_request')
    for (const token of [forged, visit.idToken, visit.refreshToken, `${visit.accessToken.slice(0, -4)}AAAA`])
      assert.equal(told(await handOn(server, 'api', token, ORDERS)), '403 invalid_grant')
    const said = { act: '{"sub":"boss"}', may_act: '{"sub":"boss"}', sub: 'boss' }
    const first = expectStatus(await handOn(server, 'api', visit.accessToken, ORDERS, said), 200)
    const one = claimsOf(first.json.access_token)
    assert.deepEqual([one.sub, one.azp, one.aud, one.act], [visit.sub, 'api', ORDERS, { sub: 'api' }])
    const second = expectStatus(await handOn(server, 'orders', first.json.access_token, STOCK), 200)
    assert.deepEqual(claimsOf(second.json.access_token).act, { sub: 'orders', act: { sub: 'api' } })
    // Eight hands, and no more.
    let token: string = second.json.access_token
    for (let hands = 2; hands < 8; hands++) {
      const [client, audience] = hands % 2 === 0 ? (['stock', ORDERS] as const) : (['orders', STOCK] as const)
      token = expectStatus(await handOn(server, client, token, audience), 200).json.access_token
    }
    assert.equal(told(await handOn(server, 'stock', token, ORDERS)), '400 invalid_request')
  })

  test(`T-AGT-08 ${database}: each hand reaches no further than the one before`, async () => {
    const visit = await callApi(server, ada)
    for (const scope of ['write:things', 'read:things write:things', 'erase:things', 'openid', 'offline_access'])
      assert.equal(told(await handOn(server, 'api', visit.accessToken, ORDERS, { scope })), '403 invalid_scope', scope)
    const { json } = expectStatus(await handOn(server, 'api', visit.accessToken, ORDERS), 200)
    assert.deepEqual(Object.keys(json).sort(), [
      'access_token',
      'expires_in',
      'issued_token_type',
      'scope',
      'token_type',
    ])
    assert.equal(json.scope, 'read:things')
    const [before, after] = [claimsOf(visit.accessToken), claimsOf(json.access_token)]
    assert.ok(Number(after.exp) <= Number(before.exp))
    // Not the API that was called; an API that the operator did not let it reach; one that there is not.
    assert.equal(told(await handOn(server, 'orders', visit.accessToken, STOCK)), '403 invalid_grant')
    assert.equal(told(await handOn(server, 'api', visit.accessToken, STOCK)), '403 access_denied')
    assert.equal(told(await handOn(server, 'api', visit.accessToken, `${server.issuer}api/v2/`)), '403 access_denied')
    const { accessToken } = await signIn(server, { client: 'web', user: ada })
    assert.equal(told(await handOn(server, 'api', accessToken, ORDERS)), '403 invalid_grant')
  })

  test(`T-AGT-08 ${database}: whoever of the row is stopped, ended or gone, takes everything after with them`, async () => {
    const visit = await callApi(server, eve)
    const { browser, sub } = visit
    const first = expectStatus(await handOn(server, 'api', visit.accessToken, ORDERS), 200).json.access_token
    const second = expectStatus(await handOn(server, 'orders', first, STOCK), 200).json.access_token
    const atVault = (token: string) =>
      exchange(server, { client: 'orders', connection: 'files', subjectToken: token, type: 'access' })
    /** All hold, or none. */
    const lives = async () => {
      const answers = await Promise.all([
        handOn(server, 'stock', second, ORDERS),
        handOn(server, 'orders', first, STOCK),
      ])
      const vault = await atVault(first)
      assert.ok(answers.every(({ status }) => status === 200 || status === 403))
      return [answers.every(({ status }) => status === 200), vault.json.tenon?.code !== 'subject_token_invalid']
    }
    assert.deepEqual(await lives(), [true, true])
    const stop = async (client: string, name: 'stop-agent' | 'resume-agent') => {
      await browser.open(`${server.url}/account/agents`)
      const form = browser.page.forms.find((one) => one.name === name && one.attributes.get('data-client') === client)
      const csrf = browser.page.forms.flatMap(({ fields }) => fields).find(([field]) => field === 'csrf')?.[1] ?? ''
      const path = form?.action ?? `/account/agents/${name === 'stop-agent' ? 'stop' : 'resume'}`
      await browser.post(new URL(path, server.url).href, { csrf, client }, { from: server.url })
    }
    for (const client of ['web']) {
      await stop(client, 'stop-agent')
      assert.deepEqual(await lives(), [false, false], client)
      assert.equal(
        (await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${second}` } })).status,
        401,
      )
      await stop(client, 'resume-agent')
      assert.deepEqual(await lives(), [true, true], client)
    }
    const api = await mgmt(server)
    expectStatus(await api.post(`/users/${encodeURIComponent(sub)}/revoke-access`, {}), 204)
    assert.deepEqual(await lives(), [false, false])
    // A hand that is no client any more.
    const again = await callApi(server, eve)
    const token = expectStatus(await handOn(server, 'api', again.accessToken, ORDERS), 200).json.access_token
    expectStatus(await api.delete('/clients/api'), 204)
    assert.equal(told(await handOn(server, 'orders', token, STOCK)), '403 invalid_grant')
    assert.equal((await atVault(token)).json.tenon.code, 'subject_token_invalid')
    void API
  })
}
