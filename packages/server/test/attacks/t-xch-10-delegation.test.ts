// T-XCH-10: a flood of exchanges that the engine serves: on behalf of a person, and a provider's token for ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signJwt } from '@tenon/sdk/testing'
import { expectStatus, mgmt, signIn, tokenRequest, userPath } from '../support/actors.ts'
import { handOn, ORDERS, STOCK, TOKEN_EXCHANGE, withApis, withSecrets } from '../support/delegation.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'

const MINUTE = 600
const AT_ONCE = 50
const TYPE = 'urn:acme:calendar-id-token'

const server = await startServer({ tenant: withApis, settings: { rate_limits: { enabled: true } } })
withSecrets(server)

test('T-XCH-10 a client that floods for one person, on their behalf or with their tokens, is told when to come back', async () => {
  const { calendar } = server.providers
  const person = server.person('flooded', ['calendar'])
  const visit = await signIn(server, {
    client: 'web',
    connection: 'calendar',
    audience: API,
    scope: 'openid read:things',
  })
  const api = await mgmt(server)
  const [{ id }] = expectStatus(await api.get('/connections?name=calendar'), 200).json
  const profile = { name: 'Calendar', subject_token_type: TYPE, type: 'custom_authentication', action_id: id }
  expectStatus(await api.post('/token-exchange-profiles', profile), 201)

  // An API that it may not reach: refused, and counted all the same.
  const ask = () => handOn(server, 'api', visit.accessToken, STOCK)
  for (let asked = 0; asked < MINUTE; asked += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, ask))
    assert.ok(answers.every(({ status }) => status === 403))
  }
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: calendar.issuer,
    aud: calendar.clientId,
    sub: person.subjects.calendar ?? '',
    iat: now,
    exp: now + 60,
  }
  if (calendar.keys === undefined) throw new Error('a provider without keys')
  const bring = {
    grant_type: TOKEN_EXCHANGE,
    subject_token: signJwt(claims, calendar.keys.current),
    subject_token_type: TYPE,
  }
  for (const answer of [
    await ask(),
    await handOn(server, 'api', visit.accessToken, ORDERS),
    await tokenRequest(server, 'api', bring),
  ]) {
    assert.equal(answer.status, 429, answer.text)
    assert.equal(answer.json.error, 'too_many_requests')
    assert.ok(Number(answer.headers['retry-after']) >= 1)
    assert.equal(answer.headers['www-authenticate'], undefined)
  }
  // The flood is recorded once.
  const { json: logs } = expectStatus(await api.get(`${userPath(visit.sub)}/logs?per_page=10`), 200)
  const said = logs.filter(({ details }: { details?: { code?: string } }) =>
    JSON.stringify(details).includes('too_many_requests'),
  )
  assert.equal(said.length, 1)
  // Nobody else waits for it.
  const other = await signIn(server, {
    client: 'web',
    user: server.tenant.ada,
    audience: API,
    scope: 'openid read:things',
  })
  expectStatus(await handOn(server, 'api', other.accessToken, ORDERS), 200)
})
