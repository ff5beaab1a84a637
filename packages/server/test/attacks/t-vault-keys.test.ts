// Keys that sign, ours and those of clients (attack catalogue, T-VAULT-06).
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { dropOldSigningKeys } from '../../src/oauth/signing-keys.ts'
import { openStorage } from '../../src/storage/open.ts'
import { authorize, exchange, expectStatus, mgmt, redeem, signIn, tokenRequest } from '../support/actors.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const DAY = 86_400
const server = await startServer({
  tenant: (file) => {
    for (const api of file.resource_servers) if (api.identifier === API) api.token_lifetime = 10 * DAY
  },
})

test('T-VAULT-06 a key of before stays until the last token has ended that it may have signed, and no longer', async () => {
  server.person('holder', ['calendar'])
  const who = await signIn(server, { connection: 'calendar' })
  const flow = await authorize(who.browser, server, { audience: API, scope: 'openid read:things' })
  const token = expectStatus(await redeem(server, flow), 200).json.access_token
  const kidOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid
  const kid = kidOf(token)
  expectStatus(await (await mgmt(server)).post('/keys/signing/rotate'), 201)
  // Processes read the keys every few seconds; days do not pass before.
  const fields = { grant_type: 'client_credentials', audience: `${server.issuer}api/v2/` }
  await eventually('the new key to sign', async () => {
    const { json } = expectStatus(await tokenRequest(server, 'm2m', fields), 200)
    return kidOf(json.access_token) !== kid
  })
  const asked = { client: 'api', connection: 'calendar', subjectToken: token, type: 'access' } as const
  const published = async () => {
    const { keys } = (await request(`${server.url}/.well-known/jwks.json`)).json
    return keys.some((key: { kid: string }) => key.kid === kid)
  }
  const stored = async () => {
    const api = await mgmt(server)
    return (await api.get('/keys/signing')).json.some((key: { kid: string }) => key.kid === kid)
  }
  // Once a minute the server does so by itself.
  const tidy = async () => {
    const storage = await openStorage({ url: server.databaseUrl })
    const keyring = openKeyring({ source: `file:${server.dataDir}/vault.key`, pollMs: 0 })
    await dropOldSigningKeys({ storage, keyring, clock: () => Math.floor(Date.now() / 1000) }, DAY)
    keyring.close()
    await storage.close()
  }
  passTime(9 * DAY)
  await tidy()
  assert.deepEqual([await stored(), await published()], [true, true])
  assert.notEqual((await exchange(server, asked)).json.tenon?.code, 'subject_token_invalid')
  passTime(DAY + 1)
  await tidy()
  assert.equal(await stored(), false)
  assert.equal((await exchange(server, asked)).json.tenon?.code, 'subject_token_invalid')
})

test('T-VAULT-06 a weak or odd key of a client, or its private half, is not taken', async () => {
  const api = await mgmt(server)
  const pairs = {
    'RSA of 512 bits': generateKeyPairSync('rsa', { modulusLength: 512 }),
    'RSA of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }),
    'another curve': generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    'a private half': generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  for (const [what, { publicKey, privateKey }] of Object.entries(pairs)) {
    const pem =
      what === 'a private half'
        ? privateKey.export({ type: 'pkcs8', format: 'pem' })
        : publicKey.export({ type: 'spki', format: 'pem' })
    const credentials = [{ credential_type: 'public_key', pem, alg: 'RS256' }]
    const body = { name: 'weak', client_authentication_methods: { private_key_jwt: { credentials } } }
    const { status, json } = await api.post('/clients', body)
    assert.deepEqual([status, json.errorCode], [400, 'invalid_credential'], what)
  }
})
