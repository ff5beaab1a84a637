import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VAULT_GRANT } from '../../src/protocol/grant-types.ts'
import { refused } from './exchange-refused.ts'
import {
  ACCESS,
  assertionOf,
  DATABASES,
  type Fields,
  ISSUER,
  newAssertionKey,
  openWorld,
  type World,
  withAssertion,
} from './exchange-world.ts'

const basic = (id: string, secret = '') =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
const NOBODY: Fields = { client_id: undefined, client_secret: undefined }

for (const database of DATABASES)
  describe(`client authentication at the exchange on ${database}`, () => {
    test('a secret may come without a client id: the subject token says whose it is', async () => {
      const w = await openWorld(database)
      const person = await w.connectedPerson()
      assert.equal((await w.ask(person.refreshToken, { client_id: undefined })).status, 200)
      const token = await w.issueAccessToken(person, { azp: 'web' })
      const asAccess = { client_id: undefined, subject_token_type: ACCESS }
      refused(await w.ask(token, asAccess), 403, 'invalid_grant', 'subject_token_invalid')
      const wrong = { client_id: undefined, client_secret: 'wrong' }
      refused(await w.ask(person.refreshToken, wrong), 401, 'invalid_client', undefined)
      refused(await w.ask('rubbish', { client_id: undefined }), 401, 'invalid_client', undefined)
    })

    test('a client is asked for its registered method, once, and told nothing else', async () => {
      const w = await openWorld(database)
      const { refreshToken } = await w.connectedPerson()
      const secret = w.secrets.web ?? ''
      const attempts: readonly (readonly [Fields, string?])[] = [
        [{ client_id: 'nobody' }],
        [{ client_secret: 'wrong' }],
        [{ client_secret: undefined }],
        [{ client_secret: `${secret} ` }],
        [{ client_secret: [secret, secret] }],
        [{ client_id: ['web', 'web'] }],
        [{}, basic('web', secret)],
        [NOBODY, basic('web', secret)],
        [NOBODY, `Bearer ${secret}`],
        [NOBODY, 'Basic %%%'],
        [NOBODY],
        [{ client_assertion: 'x.y.z' }],
        [withAssertion(assertionOf(newAssertionKey(), 'web'))],
      ]
      for (const [fields, authorization] of attempts) {
        const answer = await w.ask(refreshToken, fields, authorization)
        assert.deepEqual(
          [answer.status, answer.body],
          [401, { error: 'invalid_client', error_description: 'Unauthorized' }],
          JSON.stringify(fields),
        )
        assert.equal(Object.keys(answer.headers).includes('www-authenticate'), false)
      }
      assert.deepEqual(await w.events(), [])
    })

    test('Basic is form-encoded, and the body may repeat the client id', async () => {
      const w = await openWorld(database)
      const { userId } = await w.connectedPerson()
      const [id, secret] = ['odd client', 's:e%c+r/e t']
      const document = { token_endpoint_auth_method: 'client_secret_basic', grant_types: [VAULT_GRANT] }
      await w.addClient(id, document, secret)
      await w.storage.transaction((tx) => tx.connections.setClient('con_work', id, true))
      const { token } = await w.issueRefreshToken(userId, id)
      assert.equal((await w.ask(token, NOBODY, basic(id, secret))).status, 200)
      assert.equal((await w.ask(token, { ...NOBODY, client_id: id }, basic(id, secret))).status, 200)
      const other = await w.ask(token, { ...NOBODY, client_id: 'web' }, basic(id, secret))
      refused(other, 401, 'invalid_client', undefined)
      refused(await w.ask(token, { client_id: id, client_secret: secret }), 401, 'invalid_client', undefined)
    })

    test('a signed assertion serves once, for us, for minutes', async () => {
      const w = await openWorld(database)
      const { key, token } = await signingClient(w)
      const ask = (assertion: string, more: Fields = {}) => w.ask(token, { ...withAssertion(assertion), ...more })
      const first = assertionOf(key, 'signer')
      assert.equal((await ask(first)).status, 200)
      refused(await ask(first), 401, 'invalid_client', undefined)
      assert.equal((await ask(assertionOf(key, 'signer', { aud: `${ISSUER}oauth/token` }))).status, 200)
      const both = assertionOf(key, 'signer', { aud: [ISSUER, `${ISSUER}oauth/token`] })
      assert.equal((await ask(both, { client_id: 'signer' })).status, 200)
      const now = w.clock()
      const wrong = [
        assertionOf(newAssertionKey(), 'signer'),
        assertionOf(key, 'signer', { aud: [ISSUER, 'https://elsewhere.test/'] }),
        assertionOf(key, 'signer', { aud: [] }),
        assertionOf(key, 'signer', { aud: 'https://elsewhere.test/' }),
        assertionOf(key, 'signer', { iss: 'web' }),
        assertionOf(key, 'signer', { sub: 'web' }),
        assertionOf(key, 'signer', { exp: now - 60 }),
        assertionOf(key, 'signer', { exp: now + 3600 }),
        assertionOf(key, 'signer', { iat: now - 3600, exp: now + 60 }),
        assertionOf(key, 'signer', { iat: now + 120, exp: now + 180 }),
        assertionOf(key, 'signer', { nbf: now + 120 }),
        assertionOf(key, 'signer', { exp: 'soon' }),
        assertionOf(key, 'signer', { jti: 7 }),
        assertionOf(key, 'signer', {}, { alg: 'none' }),
        assertionOf(key, 'signer', {}, { alg: 'HS256' }),
        assertionOf(key, 'signer', {}, { typ: 'at+jwt' }),
        assertionOf(key, 'signer', {}, { jwk: {} }),
      ]
      for (const assertion of wrong) refused(await ask(assertion), 401, 'invalid_client', undefined)
      refused(await ask(assertionOf(key, 'signer'), { client_id: 'web' }), 401, 'invalid_client', undefined)
      const untyped = { client_assertion_type: 'urn:x:other' }
      refused(await ask(assertionOf(key, 'signer'), untyped), 401, 'invalid_client', undefined)
    })

    test('of many who bring one assertion at once, on two nodes, one is served', async () => {
      const w = await openWorld(database)
      const { key, token } = await signingClient(w)
      const other = await w.node()
      const assertion = assertionOf(key, 'signer')
      const here = Array.from({ length: 10 }, () => w.ask(token, withAssertion(assertion)))
      const body = w.bodyOf(token, withAssertion(assertion))
      const there = Array.from({ length: 10 }, () =>
        other.exchange.handle({ body, authorization: undefined, requestId: 'req-2' }),
      )
      const answers = await Promise.all([...here, ...there])
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      assert.equal(answers.filter(({ status }) => status === 401).length, 19)
    })
  })

async function signingClient(w: World) {
  const key = newAssertionKey()
  const { userId } = await w.connectedPerson()
  const credentials = [{ credential_type: 'public_key', pem: key.pem, alg: 'RS256' }]
  const methods = { client_authentication_methods: { private_key_jwt: { credentials } } }
  await w.addClient('signer', { ...methods, grant_types: [VAULT_GRANT] })
  await w.storage.transaction((tx) => tx.connections.setClient('con_work', 'signer', true))
  const { token } = await w.issueRefreshToken(userId, 'signer')
  return { key, token }
}
