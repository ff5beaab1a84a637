import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomToken } from '../../src/crypto/hashing.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { VAULT_GRANT } from '../../src/protocol/grant-types.ts'
import { refused } from './exchange-refused.ts'
import {
  type AssertionKey,
  assertionOf,
  DATABASES,
  type Fields,
  ISSUER,
  newAssertionKey,
  openWorld,
  SCOPES,
  type World,
  withAssertion,
} from './exchange-world.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const VAULT_ACCESS = 'http://auth0.com/oauth/token-type/token-vault-access-token'
const HERE = '203.0.113.7'

for (const database of DATABASES)
  describe(`the exchange of a privileged worker on ${database}`, () => {
    test('a JWT that the worker signs names the user; the answer is the provider token, the record says why', async () => {
      const w = await openWorld(database)
      const { ask, word, userId } = await worker(w)
      const answer = await ask(word({ audit_context: 'nightly report' }))
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const { access_token: token, expires_in: seconds, ...rest } = answer.body
      assert.equal(typeof token, 'string')
      assert.ok(Number(seconds) > 3000)
      assert.deepEqual(rest, {
        scope: SCOPES.join(' '),
        issued_token_type: VAULT_ACCESS,
        token_type: 'Bearer',
      })
      assert.equal((await ask(word(), { scope: 'calendar.read' })).status, 200)
      const first = (await w.events(userId)).toSorted((a, b) => a.seq - b.seq)[0]
      assert.deepEqual([first?.clientId, first?.outcome], ['worker', 'ok'])
      assert.deepEqual([first?.data?.subject, first?.data?.purpose], ['jwt', 'nightly report'])
    })

    test('only its own fresh word, signed with its own key and said once, counts', async () => {
      const w = await openWorld(database)
      const { ask, word, key, userId } = await worker(w)
      const now = w.clock()
      const said = word()
      assert.equal((await ask(said)).status, 200)
      const wrong: readonly string[] = [
        said,
        'rubbish',
        word({ iss: 'web' }),
        word({ sub: 'work|nobody' }),
        word({ sub: undefined }),
        word({ aud: `${ISSUER}oauth/token` }),
        word({ aud: [ISSUER, 'https://elsewhere.test/'] }),
        word({ iat: now - 61, exp: now + 3600 }),
        word({ iat: now + 60 }),
        word({ iat: undefined }),
        word({ exp: now - 1 }),
        word({ nbf: now + 60 }),
        word({ jti: undefined }),
        word({ jti: '' }),
        word({ audit_context: undefined }),
        word({ audit_context: '' }),
        word({ audit_context: 'x'.repeat(257) }),
        word({ audit_context: 'two\nlines' }),
        word({}, { typ: 'JWT' }),
        word({}, { alg: 'none' }),
        word({}, { alg: 'HS256' }),
        word({}, {}, newAssertionKey()),
        // The key that proves the client is not the one that lets it name users.
        word({}, {}, key.client),
      ]
      for (const one of wrong) refused(await ask(one), 403, 'invalid_grant', 'subject_token_invalid')
      refused(await ask(word({ org_id: 'org_1' })), 403, 'access_denied', 'policy_denied')
      const many = word()
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(many)))
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      const events = await w.events(userId)
      assert.equal(events.filter(({ outcome }) => outcome === 'ok').length, 2)
      // A word that was refused for what it asked has served, too.
      const early = word()
      refused(await ask(early, {}, '198.51.100.1'), 403, 'access_denied', 'policy_denied')
      refused(await ask(early), 403, 'invalid_grant', 'subject_token_invalid')
    })

    test('it asks from its addresses, for its connections and scopes, and its token can do no more', async () => {
      const w = await openWorld(database)
      const { ask, word, grant } = await worker(w)
      const reason = async (fields: Fields = {}, ip = HERE) =>
        refused(await ask(word(), fields, ip), 403, 'access_denied', 'policy_denied').reason
      assert.equal(await reason({}, '198.51.100.1'), 'ip_not_allowed')
      assert.equal(await reason({}, ''), 'ip_not_allowed')
      // Both lists are refused before it is said whether there is such a connection.
      assert.equal(await reason({ connection: 'elsewhere' }), 'connection_not_granted')
      assert.equal(await reason({ scope: 'calendar.read mail.send' }), 'scope_not_granted')
      assert.equal((await ask(word(), {}, '::ffff:203.0.113.9')).status, 200)
      await grant({ grants: [{ connection: 'work', scopes: ['calendar.read'] }] })
      assert.equal(await reason({ scope: 'calendar.read' }), 'token_exceeds_grant')
      await grant({ grants: [] })
      assert.equal(await reason(), 'connection_not_granted')
      await grant({ ip_allowlist: [] })
      assert.equal(await reason(), 'ip_not_allowed')
      await w.storage.transaction((tx) => tx.connections.setClient('con_work', 'worker', false))
      await grant({})
      refused(await ask(word()), 403, 'unauthorized_client', 'connection_not_enabled')
    })

    test('a blocked user, one who stopped it and one who is gone are refused; one who was merged away is the primary', async () => {
      const w = await openWorld(database)
      const { ask, word, userId } = await worker(w)
      const retired = await w.addPerson()
      await w.storage.transaction(async (tx) => {
        await tx.users.delete(retired.userId)
        await tx.users.addAlias(retired.userId, userId, w.clock())
      })
      assert.equal((await ask(word({ sub: retired.userId }))).status, 200)
      await w.storage.transaction((tx) => tx.agentStops.put(userId, 'worker', w.clock()))
      assert.equal(refused(await ask(word()), 403, 'access_denied', 'policy_denied').reason, 'agent_stopped')
      await w.storage.transaction((tx) => tx.agentStops.delete(userId, 'worker'))
      assert.equal((await ask(word())).status, 200)
      const user = await w.storage.users.find(userId)
      assert.ok(user)
      await w.storage.transaction((tx) => tx.users.replace({ ...user, blocked: true }))
      refused(await ask(word()), 403, 'invalid_grant', 'subject_token_invalid')
    })

    test('a client without the right, or asking in other words, gets nothing', async () => {
      const w = await openWorld(database)
      const { ask, word, key, userId } = await worker(w)
      const asWeb = word({ iss: 'web', sub: userId })
      const web = { client_id: 'web', client_secret: w.secrets.web, ...NO_ASSERTION }
      refused(await ask(asWeb, web), 403, 'invalid_grant', 'subject_token_invalid')
      const federated = { requested_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token' }
      refused(await ask(word(), federated), 400, 'invalid_request', 'invalid_request')
      const bearer = { client_assertion: assertionOf(key.worker, 'worker') }
      refused(await ask(word(), bearer), 401, 'invalid_client', undefined)
    })
  })

const NO_ASSERTION: Fields = { client_assertion: undefined, client_assertion_type: undefined }

/** A worker with one key to prove itself by and another to name users by, and a user who connected an account. */
async function worker(w: World) {
  const key = { client: newAssertionKey(), worker: newAssertionKey() }
  const { userId } = await w.connectedPerson()
  const credential = ({ pem }: AssertionKey, id: string) => ({ id, credential_type: 'public_key', pem, alg: 'RS256' })
  const access = {
    credentials: [{ id: 'cred_worker' }],
    ip_allowlist: ['203.0.113.0/24', '2001:db8::1'],
    grants: [{ connection: 'work', scopes: SCOPES }],
  }
  const put = (vaultAccess: JsonObject) =>
    w.addClient('worker', {
      client_authentication_methods: { private_key_jwt: { credentials: [credential(key.client, 'cred_client')] } },
      // Named where it is used, kept among the client's own.
      credentials: [credential(key.worker, 'cred_worker')],
      token_vault_privileged_access: vaultAccess,
      grant_types: [VAULT_GRANT],
    })
  await put(access)
  await w.storage.transaction((tx) => tx.connections.setClient('con_work', 'worker', true))
  const word = (claims: Readonly<Record<string, unknown>> = {}, header: JsonObject = {}, by = key.worker) => {
    const usual = { sub: userId, audit_context: 'report', exp: undefined, ...claims }
    // JSON leaves out what is undefined.
    return assertionOf(by, 'worker', usual as unknown as JsonObject, { typ: 'token-vault-req+jwt', ...header })
  }
  return {
    key,
    userId,
    word,
    grant: (change: JsonObject) => put({ ...access, ...change }),
    ask(subjectToken: string, fields: Fields = {}, ip = HERE) {
      const body = w.bodyOf(subjectToken, {
        ...withAssertion(assertionOf(key.client, 'worker', { jti: randomToken(12) })),
        subject_token_type: JWT,
        requested_token_type: VAULT_ACCESS,
        ...fields,
      })
      return w.exchange.handle({ body, authorization: undefined, requestId: 'req-1', ...(ip === '' ? {} : { ip }) })
    },
  }
}
