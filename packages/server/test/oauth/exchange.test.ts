import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TOKEN_EXCHANGE_GRANT } from '../../src/protocol/grant-types.ts'
import { refused } from './exchange-refused.ts'
import { ACCESS, API, DATABASES, FEDERATED, ISSUER, openWorld, SCOPES } from './exchange-world.ts'

const NOT_FOUND = 'federated_connection_refresh_token_not_found'
const FLOW_FAILED = 'federated_connection_refresh_token_flow_failed'

for (const database of DATABASES)
  describe(`exchange on ${database}`, () => {
    test('a refresh token buys the provider access token, and nothing but that', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson()
      const answer = await w.ask(refreshToken)
      assert.equal(answer.status, 200)
      assert.deepEqual(Object.keys(answer.body).sort(), [
        'access_token',
        'expires_in',
        'issued_token_type',
        'scope',
        'token_type',
      ])
      assert.equal(w.provider.isLive(String(answer.body.access_token)), true)
      assert.equal(answer.body.issued_token_type, FEDERATED)
      assert.equal(answer.body.token_type, 'Bearer')
      assert.equal(answer.body.scope, SCOPES.join(' '))
      assert.ok(Number(answer.body.expires_in) > 3590 && Number(answer.body.expires_in) <= 3600)
      assert.deepEqual([answer.headers['cache-control'], answer.headers.pragma], ['no-store', 'no-cache'])
      assert.equal(w.refreshes(), 0)
    })

    test('an API exchanges the access token of its caller', async () => {
      const w = await openWorld(database)
      const person = await w.connectedPerson()
      const token = await w.issueAccessToken(person)
      const asApi = { client_id: 'api', client_secret: w.secrets.api, subject_token_type: ACCESS }
      assert.equal((await w.ask(token, asApi)).status, 200)
      const event = (await w.events(person.userId)).at(-1)
      assert.deepEqual([event?.clientId, event?.data?.issued_to], ['api', 'web'])
    })

    test('each exchange is on the record before its answer, with who, for whom, what and why', async () => {
      const w = await openWorld(database)
      const { userId, refreshToken, account } = await w.connectedPerson()
      await w.ask(refreshToken, { purpose: 'list the open pull requests', scope: 'calendar.read' })
      await w.ask(refreshToken, { scope: 'mail.send' })
      const events = await w.events(userId)
      assert.deepEqual(
        events.map(({ seq, at, ...event }) => event),
        [
          {
            type: 'vault.exchanged',
            outcome: 'ok',
            userId,
            clientId: 'web',
            connectionId: 'con_work',
            accountId: account.id,
            data: {
              request_id: 'req-1',
              subject: 'refresh_token',
              scopes: ['calendar.read'],
              purpose: 'list the open pull requests',
            },
          },
          {
            type: 'vault.exchanged',
            outcome: 'refused',
            userId,
            clientId: 'web',
            connectionId: 'con_work',
            data: {
              request_id: 'req-1',
              subject: 'refresh_token',
              scopes: ['mail.send'],
              code: 'scope_missing',
              missing_scopes: ['mail.send'],
            },
          },
        ],
      )
      assert.equal((await w.account(account.id)).lastUsedAt, events[0]?.at)
      const record = JSON.stringify(await w.storage.events.list({ limit: 1000 }))
      for (const secret of [refreshToken, ...w.provider.secrets]) assert.equal(record.includes(secret), false)
    })

    test('concurrent exchanges are each recorded', async () => {
      const w = await openWorld(database)
      const people = await Promise.all(Array.from({ length: 5 }, () => w.connectedPerson()))
      const answers = await Promise.all(
        people.flatMap((person) => Array.from({ length: 20 }, () => w.ask(person.refreshToken))),
      )
      assert.equal(answers.filter(({ status }) => status === 200).length, 100)
      for (const person of people) assert.equal((await w.events(person.userId)).length, 20)
    })

    test('a stale token is refreshed once for all who ask', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson({ accessTokenSeconds: 20 })
      w.provider.delay('refresh', 100)
      const answers = await Promise.all(Array.from({ length: 50 }, () => w.ask(refreshToken)))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(new Set(answers.map(({ body }) => body.access_token)).size, 1)
      assert.equal(w.refreshes(), 1)
    })

    test('min_ttl asks for a longer life than the margin', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson({ accessTokenSeconds: 600 })
      await w.ask(refreshToken)
      assert.equal(w.refreshes(), 0)
      const answer = await w.ask(refreshToken, { min_ttl: '1200' })
      assert.equal(w.refreshes(), 1)
      assert.ok(Number(answer.body.expires_in) > 1200)
      for (const min_ttl of ['-1', '1.5', 'soon', '999999'])
        refused(await w.ask(refreshToken, { min_ttl }), 400, 'invalid_request', 'invalid_request')
    })

    test('a provider that names no expiry gets one, and commas in scopes become blanks', async () => {
      const w = await openWorld(database, { kind: 'github' })
      const { refreshToken } = await w.connectedPerson({
        scopes: ['repo', 'read:user'],
        accessTokenSeconds: undefined,
        refreshToken: false,
      })
      const answer = await w.ask(refreshToken, { scope: 'public_repo,read:user' })
      assert.equal(answer.status, 200)
      assert.equal(answer.body.expires_in, 3600)
      assert.deepEqual(String(answer.body.scope).split(' ').sort(), ['read:user', 'repo'])
    })

    test('nothing connected: Auth0 words, our code, and the request that connects it', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.addPerson()
      const tenon = refused(await w.ask(refreshToken, { scope: 'calendar.read' }), 401, NOT_FOUND, 'not_connected')
      assert.equal(tenon.connection, 'work')
      assert.deepEqual(tenon.connect, { connection: 'work', scopes: ['calendar.read'] })
    })

    test('a missing scope is named, with a request that keeps what was granted', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson({ scopes: ['calendar.read'] })
      const answer = await w.ask(refreshToken, { scope: 'calendar.read calendar.write' })
      const tenon = refused(answer, 401, NOT_FOUND, 'scope_missing')
      assert.deepEqual(tenon.missing_scopes, ['calendar.write'])
      assert.deepEqual(tenon.connect, { connection: 'work', scopes: ['calendar.read', 'calendar.write'] })
    })

    test('revoked at the provider: reconnect, said once at the provider and again from memory', async () => {
      const w = await openWorld(database)
      const { refreshToken, name } = await w.connectedPerson({ accessTokenSeconds: 20 })
      w.provider.revokeUser(name)
      const tenon = refused(await w.ask(refreshToken), 401, FLOW_FAILED, 'reconnect_required')
      assert.equal(tenon.reason, 'refresh_token_refused')
      assert.deepEqual(tenon.connect, { connection: 'work', scopes: SCOPES })
      const before = w.refreshes()
      refused(await w.ask(refreshToken), 401, FLOW_FAILED, 'reconnect_required')
      assert.equal(w.refreshes(), before)
    })

    test('the provider is down: what lives is served, what is stale says when to come back', async () => {
      const w = await openWorld(database)
      const fresh = await w.connectedPerson()
      const stale = await w.connectedPerson({ accessTokenSeconds: -5 })
      w.provider.fail('refresh', { status: 503, body: '<html>down</html>', times: 9 })
      assert.equal((await w.ask(fresh.refreshToken)).status, 200)
      const answer = await w.ask(stale.refreshToken)
      const tenon = refused(answer, 401, FLOW_FAILED, 'provider_unavailable')
      assert.ok(Number(tenon.retry_after) >= 1)
      assert.equal(answer.headers['retry-after'], String(tenon.retry_after))
      assert.equal(JSON.stringify(answer.body).includes('html'), false)
    })

    test('a damaged envelope asks to connect again', async () => {
      const w = await openWorld(database)
      const { refreshToken, account } = await w.connectedPerson()
      const damaged = Uint8Array.from(account.envelope)
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
      await w.storage.transaction((tx) => tx.accounts.replace({ ...account, envelope: damaged }, account.generation))
      const tenon = refused(await w.ask(refreshToken), 401, FLOW_FAILED, 'reconnect_required')
      assert.equal(tenon.reason, 'vault_integrity')
    })

    test('a sign-in tokenset serves where there is no connected account, and with the older switch alone', async () => {
      const w = await openWorld(database)
      const person = await w.connectedPerson({ purpose: 'sign_in' })
      assert.equal((await w.ask(person.refreshToken)).status, 200)
      const agents = await w.connect(person, { subject: 'another' })
      await w.ask(person.refreshToken)
      assert.equal((await w.events(person.userId)).at(-1)?.accountId, agents.id)
      const legacy = await openWorld(database, {
        connection: {
          connected_accounts: { active: false },
          options: { federated_connections_access_tokens: { active: true } },
        },
      })
      const older = await legacy.connectedPerson({ purpose: 'sign_in' })
      await legacy.connect(older, { subject: 'left over' })
      assert.equal((await legacy.ask(older.refreshToken)).status, 200)
      assert.equal((await legacy.events(older.userId)).at(-1)?.accountId, older.account.id)
    })

    test('only what was connected through the client serves it when sharing is off', async () => {
      const w = await openWorld(database, { settings: { vault: { sharing: 'own_client' } } })
      const person = await w.connectedPerson({ clientId: 'web' })
      assert.equal((await w.ask(person.refreshToken)).status, 200)
      const { token } = await w.issueRefreshToken(person.userId, 'agent')
      const asAgent = { client_id: 'agent', client_secret: w.secrets.agent }
      refused(await w.ask(token, asAgent), 401, NOT_FOUND, 'not_connected')
      w.settings = { ...w.settings, vault: { ...w.settings.vault, sharing: 'first_party' } }
      assert.equal((await w.ask(token, asAgent)).status, 200)
    })

    test('who may not exchange: other grant, third party, public client', async () => {
      const w = await openWorld(database)
      const { userId } = await w.connectedPerson()
      const askAs = async (clientId: string, document: Parameters<typeof w.addClient>[1], secret = 's3cret') => {
        await w.addClient(clientId, document, secret)
        const { token } = await w.issueRefreshToken(userId, clientId)
        return w.ask(token, { client_id: clientId, client_secret: secret })
      }
      const grant_types = ['urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token']
      const plain = await askAs('plain', { grant_types: ['refresh_token', TOKEN_EXCHANGE_GRANT] })
      refused(plain, 403, 'unauthorized_client', 'policy_denied')
      assert.equal(plain.body.error_description, `Grant type '${grant_types[0]}' not allowed for the client.`)
      const third = await askAs('third', { grant_types, is_first_party: false })
      refused(third, 403, 'unauthorized_client', 'policy_denied')
      await w.addClient('spa', { grant_types, token_endpoint_auth_method: 'none' })
      const { token } = await w.issueRefreshToken(userId, 'spa')
      const answer = await w.ask(token, { client_id: 'spa', client_secret: undefined })
      refused(answer, 400, 'unauthorized_client', undefined)
    })

    test('parameters that are missing, unknown or sent twice are refused by name', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson()
      const wrong: readonly Parameters<typeof w.ask>[1][] = [
        { connection: undefined },
        { connection: '' },
        { connection: 'no-such-connection' },
        { connection: 'x'.repeat(200) },
        { connection: 'wo\0rk' },
        { connection: ['work', 'work'] },
        { subject_token: undefined },
        { subject_token_type: undefined },
        { subject_token_type: 'urn:x:other' },
        { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
        { requested_token_type: undefined },
        { requested_token_type: 'urn:x:other' },
        { requested_token_type: 'http://auth0.com/oauth/token-type/token-vault-access-token' },
        { scope: 'calendar.read "quoted"' },
        { scope: 'calendar.read\nmail.send' },
        { scope: ['calendar.read', 'mail.send'] },
        { login_hint: 'a\u0007b' },
        { purpose: 'x'.repeat(257) },
        { actor_token: 'anything' },
        { extra: ['one', 'two'] },
      ]
      for (const fields of wrong) {
        const answer = await w.ask(refreshToken, fields)
        refused(answer, 400, 'invalid_request', 'invalid_request')
      }
      assert.equal(w.refreshes(), 0)
    })

    test('the word undefined and the empty text are no values', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson()
      const answer = await w.ask(refreshToken, { login_hint: 'undefined', scope: '', purpose: 'undefined' })
      assert.equal(answer.status, 200)
    })

    test('RFC 8693: audience names the connection, and errors have its shape', async () => {
      const w = await openWorld(database, { connection: { options: { api_hosts: ['api.work.test'] } } })
      const { refreshToken } = await w.connectedPerson()
      const rfc = {
        grant_type: TOKEN_EXCHANGE_GRANT,
        connection: undefined,
        requested_token_type: undefined,
        audience: 'work',
      }
      const answer = await w.ask(refreshToken, rfc)
      assert.equal(answer.status, 200)
      assert.equal(answer.body.issued_token_type, ACCESS)
      assert.equal((await w.ask(refreshToken, { ...rfc, requested_token_type: FEDERATED })).status, 200)
      assert.equal((await w.ask(refreshToken, { ...rfc, resource: 'https://api.work.test/v1' })).status, 200)
      const refusedAs = async (fields: object, error: string, code: string) =>
        refused(await w.ask(refreshToken, { ...rfc, ...fields }), 400, error, code)
      await refusedAs({ resource: 'https://evil.test/' }, 'invalid_target', 'connection_not_enabled')
      await refusedAs({ resource: 'not a uri' }, 'invalid_request', 'invalid_request')
      await refusedAs({ audience: undefined }, 'invalid_request', 'invalid_request')
      await refusedAs({ audience: 'elsewhere' }, 'invalid_target', 'invalid_request')
      await refusedAs({ scope: 'mail.send' }, 'invalid_scope', 'scope_missing')
      refused(await w.ask('rubbish', rfc), 400, 'invalid_request', 'subject_token_invalid')
      await w.storage.transaction((tx) => tx.connections.setClient('con_work', 'web', false))
      await refusedAs({}, 'invalid_target', 'connection_not_enabled')
    })

    test('an access token of ours must be for the API that the client is', async () => {
      const w = await openWorld(database)
      const person = await w.connectedPerson()
      const asApi = { client_id: 'api', client_secret: w.secrets.api, subject_token_type: ACCESS }
      const wrong = [
        await w.issueAccessToken(person, { aud: [`${ISSUER}me/`, `${ISSUER}userinfo`] }),
        await w.issueAccessToken(person, { aud: `${API}v2` }),
      ]
      for (const token of wrong) refused(await w.ask(token, asApi), 403, 'invalid_grant', 'subject_token_invalid')
      const right = await w.issueAccessToken(person)
      const asWeb = { subject_token_type: ACCESS }
      refused(await w.ask(right, asWeb), 403, 'invalid_grant', 'subject_token_invalid')
    })
  })
