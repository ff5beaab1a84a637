// A provider's token for ours, by a profile of the operator's (auth0-wire.md §1.3, §6.4).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Provider, type SigningKey, signJwt } from '@tenon/sdk/testing'
import { claimsOf, expectStatus, mgmt, refresh, signIn, tokenRequest, userPath } from '../support/actors.ts'
import { TOKEN_EXCHANGE } from '../support/delegation.ts'
import { DATABASES } from '../support/deployment.ts'
import type { Answer } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const TYPE = 'https://acme.test/calendar-id-token'
const told = ({ status, json }: Answer) => `${status} ${json.error ?? json.errorCode}`

function keyOf({ keys }: Provider): SigningKey {
  if (keys === undefined) throw new Error('a provider without keys')
  return keys.current
}

// Both stand before the first test begins: a file whose tests have ended is over.
const servers = await Promise.all(
  DATABASES.map(async (database) => ({
    database,
    server: await startServer({
      database,
      tenant: (file) => {
        for (const client of file.clients)
          if (['web', 'theirs', 'spa'].includes(String(client.client_id)))
            client.grant_types = [...(client.grant_types as string[]), TOKEN_EXCHANGE]
        const spa = file.clients.find(({ client_id: id }) => id === 'spa')
        const openly = { token_exchange: { allow_any_profile_of_type: ['custom_authentication'] } }
        file.clients.push({ ...spa, client_id: 'open-spa', ...openly })
        for (const connection of file.connections)
          connection.enabled_clients = [...(connection.enabled_clients as string[]), 'open-spa']
      },
    }),
  })),
)

for (const { database, server } of servers) {
  const { calendar } = server.providers
  let management: ReturnType<typeof mgmt> | undefined
  const theApi = () => (management ??= mgmt(server))
  const connectionId = async (name: string) =>
    expectStatus(await (await theApi()).get(`/connections?name=${name}`), 200).json[0].id
  const create = async (fields: object = {}) =>
    (await theApi()).post('/token-exchange-profiles', {
      name: 'Calendar',
      subject_token_type: TYPE,
      type: 'custom_authentication',
      action_id: await connectionId('calendar'),
      ...fields,
    })
  const idToken = (sub: string | undefined, claims: object = {}, header: Record<string, string> = {}) => {
    const now = Math.floor(Date.now() / 1000)
    const said = { iss: calendar.issuer, aud: calendar.clientId, sub: sub ?? '', iat: now, exp: now + 3600, ...claims }
    return signJwt(said, keyOf(calendar), header)
  }
  const bring = (token: string, { client = 'web', ...fields }: Record<string, string> = {}) =>
    tokenRequest(server, client, {
      grant_type: TOKEN_EXCHANGE,
      subject_token: token,
      subject_token_type: TYPE,
      scope: 'openid profile offline_access read:things',
      audience: API,
      ...fields,
    })

  test(`${database}: profiles are made, read, renamed and deleted over the Management API`, async () => {
    const api = await theApi()
    const made = expectStatus(await create({ name: 'First', subject_token_type: 'urn:acme:first' }), 201).json
    assert.match(made.id, /^tep_/)
    assert.deepEqual([made.type, made.subject_token_type], ['custom_authentication', 'urn:acme:first'])
    assert.equal(told(await create({ name: 'First', subject_token_type: 'urn:acme:other' })), '409 Conflict')
    assert.equal(told(await create({ name: 'Second', subject_token_type: 'urn:acme:first' })), '409 Conflict')
    const wrong: readonly object[] = [
      { action_id: await connectionId('files') },
      { action_id: 'con_nowhere' },
      { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      { subject_token_type: 'http://auth0.com/oauth/token-type/x' },
      { subject_token_type: 'not a uri' },
      { type: 'other' },
      { unknown: true },
    ]
    for (const fields of wrong) assert.equal((await create(fields)).status, 400, JSON.stringify(fields))
    const path = `/token-exchange-profiles/${made.id}`
    expectStatus(await api.patch(path, { name: 'Renamed' }), 204)
    assert.equal(expectStatus(await api.get(path), 200).json.name, 'Renamed')
    const listed = expectStatus(await api.get('/token-exchange-profiles?take=10'), 200).json
    assert.deepEqual(
      listed.token_exchange_profiles.map(({ name }: { name: string }) => name),
      ['Renamed'],
    )
    expectStatus(await api.delete(path), 204)
    assert.equal((await api.get(path)).status, 404)
    const reader = await mgmt(server, { scope: 'read:users' })
    assert.equal((await reader.get('/token-exchange-profiles')).status, 403)
  })

  test(`${database}: a token of the provider's gets ours, for the user whose identity it names`, async () => {
    const api = await theApi()
    const profile = expectStatus(await create(), 201).json
    const person = server.person('bringer', ['calendar'])
    const { sub } = await signIn(server, { client: 'web', connection: 'calendar' })
    const subject = person.subjects.calendar
    const got = expectStatus(await bring(idToken(subject)), 200).json
    assert.deepEqual(
      [got.token_type, got.issued_token_type, got.scope],
      ['Bearer', 'urn:ietf:params:oauth:token-type:access_token', 'openid profile offline_access read:things'],
    )
    assert.deepEqual([claimsOf(got.access_token).sub, claimsOf(got.id_token).sub], [sub, sub])
    assert.equal(claimsOf(got.access_token).act, undefined)
    expectStatus(await refresh(server, 'web', got.refresh_token), 200)
    const { json: logs } = expectStatus(await api.get(`${userPath(sub)}/logs?per_page=50`), 200)
    assert.ok(logs.some(({ type }: { type: string }) => type === 'secte'))

    const now = Math.floor(Date.now() / 1000)
    const refused: readonly string[] = [
      idToken('nobody'),
      idToken(subject, { aud: 'another-app' }),
      idToken(subject, { aud: [calendar.clientId, 'another-app'] }),
      idToken(subject, { iss: 'https://other.test/' }),
      idToken(subject, { exp: now - 100 }),
      idToken(subject, { iat: now - 700 }),
      idToken(subject, { iat: now + 600 }),
      idToken(subject, { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
      idToken(subject, {}, { typ: 'at+jwt' }),
      signJwt(
        { iss: calendar.issuer, aud: calendar.clientId, sub: subject ?? '', iat: now, exp: now + 60 },
        keyOf(server.providers.work),
      ),
      'no token',
    ]
    for (const [at, token] of refused.entries()) assert.equal(told(await bring(token)), '403 invalid_grant', String(at))
    assert.equal(told(await bring(idToken(subject), { client: 'theirs' })), '403 unauthorized_client')
    assert.equal(told(await bring(idToken(subject), { client: 'agent-a' })), '403 unauthorized_client')
    assert.equal(told(await bring(idToken(subject), { audience: 'https://nowhere.test/' })), '403 access_denied')
    assert.equal(told(await bring(idToken(subject), { client_secret: 'wrong' })), '401 invalid_client')
    const again = idToken(subject)
    passTime(700)
    assert.equal(told(await bring(again)), '403 invalid_grant')
    expectStatus(await api.patch(userPath(sub), { blocked: true }), 200)
    assert.equal(told(await bring(idToken(subject))), '403 invalid_grant')
    expectStatus(await api.patch(userPath(sub), { blocked: false }), 200)
    expectStatus(await api.delete(`/token-exchange-profiles/${profile.id}`), 204)
    assert.equal(told(await bring(idToken(subject))), '400 invalid_request')
  })

  test(`${database}: a client without a secret brings a token once, where its operator said that it may`, async () => {
    const person = server.person('page', ['calendar'])
    const { sub, accessToken } = await signIn(server, { client: 'web', connection: 'calendar', audience: API })
    const profile = expectStatus(await create(), 201).json
    const page = (token: string, more: Record<string, string> = {}) =>
      tokenRequest(server, 'open-spa', {
        grant_type: TOKEN_EXCHANGE,
        subject_token: token,
        subject_token_type: TYPE,
        scope: 'openid profile',
        ...more,
      })
    const token = idToken(person.subjects.calendar)
    assert.equal(told(await bring(token, { client: 'spa' })), '403 unauthorized_client')
    assert.equal(claimsOf(expectStatus(await page(token), 200).json.id_token).sub, sub)
    assert.equal(told(await page(token)), '403 invalid_grant')
    // One with a secret may bring what its user brings it again.
    expectStatus(await bring(token), 200)
    // It acts for nobody.
    const handedOn = { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: API }
    assert.equal(told(await page(accessToken, handedOn)), '403 unauthorized_client')
    expectStatus(await (await theApi()).delete(`/token-exchange-profiles/${profile.id}`), 204)
  })

  test(`${database}: tokens made for the operator's other apps count when the profile names them`, async () => {
    const person = server.person('other-app', ['calendar'])
    await signIn(server, { client: 'web', connection: 'calendar' })
    expectStatus(await create({ name: 'Phone', subject_token_audiences: ['phone-app'] }), 201)
    const token = idToken(person.subjects.calendar, { aud: 'phone-app' })
    expectStatus(await bring(token), 200)
  })
}
