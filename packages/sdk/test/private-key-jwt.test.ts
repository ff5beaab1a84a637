// An agent that proves itself by a key, against a server.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { connect, expectStatus, meToken, mgmt, signIn } from '../../server/test/support/actors.ts'
import { startServer } from '../../server/test/support/server.ts'
import { createAgent, privateKeyJwt, TenonError } from '../src/index.ts'

const server = await startServer()
const { issuer } = server
const clientId = 'agent-a'
const api = await mgmt(server)

const RSA = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }
const KINDS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', ...RSA },
  PS256: { name: 'RSA-PSS', ...RSA },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
} as const

/** A new pair whose private half stays where it was made. */
async function keyOf(alg: keyof typeof KINDS) {
  const pair = await crypto.subtle.generateKey(KINDS[alg], false, ['sign', 'verify'])
  const der = Buffer.from(await crypto.subtle.exportKey('spki', pair.publicKey))
  const pem = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' })
  return { key: pair.privateKey, credential: { credential_type: 'public_key', pem, alg } }
}

test('an agent exchanges by an assertion that it signs anew each time, by any algorithm of the server', async () => {
  server.person('keyed', ['calendar'])
  const who = await signIn(server, { client: clientId, connection: 'calendar' })
  await connect(who.browser, server, { token: await meToken(server, who), connection: 'calendar' })
  const keys = await Promise.all((['RS256', 'PS256', 'ES256'] as const).map(keyOf))
  const credentials = keys.map(({ credential }) => credential)
  const methods = { private_key_jwt: { credentials: credentials.slice(0, 2) } }
  expectStatus(await api.patch(`/clients/${clientId}`, { client_authentication_methods: methods }), 200)
  const ask = (key: CryptoKey) =>
    createAgent({
      issuer,
      clientId,
      credential: privateKeyJwt({ issuer: issuer.slice(0, -1), clientId, key }),
    }).exchange({
      subject: { refreshToken: who.refreshToken },
      connection: 'calendar',
    })
  const [rs, ps, es] = keys
  assert.ok(rs && ps && es)
  for (const { key } of [rs, ps, rs]) assert.ok((await ask(key)).accessToken)
  const stranger = (error: unknown) => error instanceof TenonError && error.code === 'invalid_client'
  await assert.rejects(ask(es.key), stranger)
  const other = { private_key_jwt: { credentials: [es.credential] } }
  expectStatus(await api.patch(`/clients/${clientId}`, { client_authentication_methods: other }), 200)
  assert.ok((await ask(es.key)).accessToken)
  await assert.rejects(ask(rs.key), stranger)
})

test('a key that cannot sign what the server takes is refused when the agent is made', async () => {
  const { publicKey } = await crypto.subtle.generateKey(KINDS.ES256, false, ['sign', 'verify'])
  const curve = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify'])
  for (const key of [publicKey, curve.privateKey])
    assert.throws(() => privateKeyJwt({ issuer, clientId, key }), TypeError)
})
