// What tokens open, and what a refresh may ask for.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { systemClock } from '../../src/lib/time.ts'
import { rotateSigningKeys } from '../../src/oauth/signing-keys.ts'
import { openStorage } from '../../src/storage/open.ts'
import { claimsOf, expectStatus, me, meToken, refresh, signIn, tokenRequest } from '../support/actors.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const OTHER_API = 'https://other.acme.test/'
const PSS_API = 'https://pss.acme.test/'
const CLOSED_API = 'https://closed.acme.test/'
const MORE = ['many', 'pss', 'lenient', 'strict', 'short', 'bound']
const server = await startServer({
  providers: {},
  tenant: (file) => {
    const [web] = file.clients
    const still = { rotation_type: 'non-rotating', expiration_type: 'non-expiring' }
    const rotating = { rotation_type: 'rotating', expiration_type: 'expiring' }
    const client = (client_id: string, more: object) => file.clients.push({ ...web, client_id, ...more })
    const policies = [API, OTHER_API, CLOSED_API].map((audience) => ({
      audience,
      scope: ['read:things', 'write:things'],
    }))
    client('many', { refresh_token: { ...still, policies } })
    client('lenient', { refresh_token: { ...rotating, leeway: 60 } })
    client('strict', { refresh_token: { ...rotating, leeway: 0 } })
    client('short', { refresh_token: { ...rotating, token_lifetime: 1000, idle_token_lifetime: 400 } })
    client('pss', { jwt_configuration: { alg: 'PS256' }, refresh_token: { ...still, policies } })
    client('bound', {
      require_proof_of_possession: true,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    })
    const api = (identifier: string, more: object) =>
      file.resource_servers.push({
        identifier,
        name: identifier,
        scopes: [{ value: 'read:things' }, { value: 'write:things' }],
        ...more,
      })
    api(OTHER_API, { subject_type_authorization: { user: { policy: 'require_client_grant' } } })
    api(PSS_API, { signing_alg: 'PS256', allow_offline_access: true })
    api(CLOSED_API, { subject_type_authorization: { user: { policy: 'deny_all' } } })
    file.client_grants.push({ client_id: 'many', audience: OTHER_API, scope: ['read:things'], subject_type: 'user' })
    file.client_grants.push({ client_id: 'bound', audience: API, scope: ['read:things'] })
    for (const connection of file.connections)
      Object.assign(connection, {
        enabled_clients: [...(connection.enabled_clients as string[]), ...MORE],
      })
  },
})
const { ada } = server.tenant
for (const name of MORE) Object.assign(server.tenant.secrets, { [name]: server.tenant.secrets.web })
const userinfo = (token: string) => request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

test('user-info answers an opaque token and an API token alike, within their scopes', async () => {
  const opaque = await signIn(server, { user: ada, scope: 'openid email' })
  assert.doesNotMatch(opaque.accessToken, /\./)
  const jwt = await signIn(server, { user: ada, audience: API, scope: 'openid email read:things' })
  for (const { accessToken, sub } of [opaque, jwt])
    assert.deepEqual((await userinfo(accessToken)).json, { sub, email: ada.email, email_verified: true })
  const profile = await signIn(server, { user: ada, scope: 'openid profile' })
  const { json } = await userinfo(profile.accessToken)
  assert.equal(json.name, 'Ada Lovelace')
  assert.equal(json.email, undefined)
  const withoutOpenid = await signIn(server, { user: ada, audience: API, scope: 'read:things' }).catch(() => undefined)
  if (withoutOpenid !== undefined) assert.equal((await userinfo(withoutOpenid.accessToken)).status, 403)
  const none = await request(`${server.url}/userinfo`)
  assert.equal(none.status, 401)
  assert.doesNotMatch(String(none.headers['www-authenticate']), /error=/)
  for (const wrong of ['x', opaque.idToken, opaque.refreshToken ?? 'x', `${jwt.accessToken}x`]) {
    const { status, headers } = await userinfo(wrong)
    assert.equal(status, 401)
    assert.match(String(headers['www-authenticate']), /^Bearer .*error="invalid_token"/)
  }
})

test('a refresh names another audience where the client’s policy and its grant allow it, and gets no more than both', async () => {
  const who = await signIn(server, { user: ada, client: 'many', scope: 'openid email offline_access' })
  const all = 'openid read:things write:things'
  const api = expectStatus(await refresh(server, 'many', who.refreshToken, { audience: API, scope: all }), 200).json
  assert.deepEqual(claimsOf(api.access_token).aud, [API, `${server.issuer}userinfo`])
  assert.equal(api.scope, all)
  assert.equal(claimsOf(api.access_token).gty, 'refresh_token')
  assert.equal(claimsOf(api.id_token).sub, who.sub)
  assert.equal(typeof claimsOf(who.idToken).nonce, 'string')
  assert.equal(claimsOf(api.id_token).nonce, undefined, 'a nonce is for one authorization request')
  const granted = expectStatus(
    await refresh(server, 'many', who.refreshToken, { audience: OTHER_API, scope: all }),
    200,
  ).json
  assert.equal(granted.scope, 'openid read:things')
  const unasked = expectStatus(await refresh(server, 'many', who.refreshToken, { audience: API }), 200).json
  assert.ok(unasked.scope.split(' ').includes('write:things'))
  for (const audience of [CLOSED_API, `${server.issuer}me/`, 'https://unknown.test/']) {
    const { status, json } = await refresh(server, 'many', who.refreshToken, { audience })
    assert.deepEqual([status, json.error], [403, 'access_denied'], audience)
  }
  // The refresh token itself is as it was: without an audience it gives what it gave.
  const own = expectStatus(await refresh(server, 'many', who.refreshToken), 200).json
  assert.doesNotMatch(own.access_token, /\./)
  const wider = await refresh(server, 'many', who.refreshToken, { scope: 'openid profile' })
  assert.deepEqual([wider.status, wider.json.error], [403, 'invalid_scope'])
  const narrower = expectStatus(await refresh(server, 'many', who.refreshToken, { scope: 'email' }), 200).json
  assert.deepEqual([narrower.scope, narrower.id_token], ['email', undefined])
})

test('a client grant that is taken away counts at the next refresh', async () => {
  const who = await signIn(server, { user: ada, client: 'many' })
  await withStorage(async (storage) => {
    const grant = await storage.clientGrants.findFor('many', OTHER_API, 'user')
    expectStatus(await refresh(server, 'many', who.refreshToken, { audience: OTHER_API }), 200)
    await storage.transaction((tx) => tx.clientGrants.delete(grant?.id ?? ''))
    assert.equal((await refresh(server, 'many', who.refreshToken, { audience: OTHER_API })).status, 403)
  })
})

test("a client's own leeway wins over the tenant's", async () => {
  const lenient = await signIn(server, { user: ada, client: 'lenient' })
  const first = expectStatus(await refresh(server, 'lenient', lenient.refreshToken), 200).json.refresh_token
  assert.equal(expectStatus(await refresh(server, 'lenient', lenient.refreshToken), 200).json.refresh_token, first)
  const strict = await signIn(server, { user: ada, client: 'strict' })
  const next = expectStatus(await refresh(server, 'strict', strict.refreshToken), 200).json.refresh_token
  assert.equal((await refresh(server, 'strict', strict.refreshToken)).json.error, 'invalid_grant')
  assert.equal((await refresh(server, 'strict', next)).json.error, 'invalid_grant')
})

test('a refresh token ends when it lies idle, and rotation does not move its absolute end', async () => {
  const idle = await signIn(server, { user: ada, client: 'short' })
  let { refreshToken } = await signIn(server, { user: ada, client: 'short' })
  const use = async () => {
    refreshToken = expectStatus(await refresh(server, 'short', refreshToken), 200).json.refresh_token
  }
  passTime(200)
  await use()
  passTime(250)
  await use()
  assert.equal((await refresh(server, 'short', idle.refreshToken)).json.error, 'invalid_grant')
  passTime(250)
  await use()
  passTime(360)
  assert.equal((await refresh(server, 'short', refreshToken)).json.error, 'invalid_grant')
})

test('a client that must prove its key gets no token without the proof, by no grant', async () => {
  const refused = await tokenRequest(server, 'bound', { grant_type: 'client_credentials', audience: API })
  assert.ok(refused.status === 400 || refused.status === 403, refused.text)
  assert.equal(refused.json.access_token, undefined)
  await assert.rejects(signIn(server, { user: ada, client: 'bound' }))
})

interface Jwk {
  readonly kid: string
  readonly alg: string
}

test('a client and an API may have PS256, by a key of that name', async () => {
  const visit = await signIn(server, { user: ada, client: 'pss', audience: PSS_API, scope: 'openid offline_access' })
  const jwks = createLocalJWKSet((await request(`${server.url}/.well-known/jwks.json`)).json)
  for (const token of [visit.idToken, visit.accessToken]) {
    const { protectedHeader } = await jwtVerify(token, jwks, { issuer: server.issuer, algorithms: ['PS256'] })
    assert.match(String(protectedHeader.kid), /-ps256$/)
    // The same signature under the name of the other key is none.
    const [, ...rest] = token.split('.')
    const kid = String(protectedHeader.kid).replace('-ps256', '')
    for (const header of [
      { ...protectedHeader, kid },
      { ...protectedHeader, alg: 'RS256' },
    ])
      assert.equal((await userinfo([encode(header), ...rest].join('.'))).status, 401)
  }
  assert.equal((await userinfo(visit.accessToken)).status, 200)
  const { json } = expectStatus(await refresh(server, 'pss', visit.refreshToken, { audience: API }), 200)
  const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
  assert.deepEqual([headerOf(json.access_token).alg, headerOf(json.id_token).alg], ['RS256', 'PS256'])
  // It is a hint like any other: the session of its person ends without a question.
  const out = await visit.browser.open(`${server.url}/oidc/logout?id_token_hint=${visit.idToken}`)
  assert.deepEqual([out.name, out.forms.length], ['logout', 0])
})

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

test('keys rotate under a running server: new tokens by the new key, old ones hold', async () => {
  const before = await signIn(server, { user: ada, audience: API, scope: 'openid offline_access' })
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const published = async () => {
    const { keys } = (await request(`${server.url}/.well-known/jwks.json`)).json
    return keys.filter(({ alg }: Jwk) => alg === 'RS256').map(({ kid }: Jwk) => kid)
  }
  const [old] = [kidOf(before.accessToken)]
  const announced = (await published()).filter((kid: string) => kid !== old)
  assert.equal(announced.length, 1, 'the next key is known before it signs')
  const keyring = openKeyring({ source: `file:${join(server.dataDir, 'vault.key')}`, pollMs: 0 })
  const rotated = await withStorage((storage) => rotateSigningKeys({ storage, keyring, clock: systemClock }))
  keyring.close()
  assert.equal(rotated, announced[0])
  const after = await eventually('a token by the new key', async () => {
    const { json } = await refresh(server, 'web', before.refreshToken)
    return kidOf(json.access_token) === rotated ? json : undefined
  })
  assert.equal(kidOf(after.id_token), rotated)
  assert.equal((await userinfo(before.accessToken)).status, 200)
  assert.equal((await userinfo(after.access_token)).status, 200)
  assert.ok((await published()).includes(old) && (await published()).includes(rotated))
  // Codes and sessions of before go on.
  const again = await signIn(server, { browser: before.browser })
  assert.equal(again.sub, before.sub)
  const token = await meToken(server, again)
  assert.equal((await me(server, token).get('/connected-accounts/accounts')).status, 200)
})

async function withStorage<T>(work: (storage: Awaited<ReturnType<typeof openStorage>>) => Promise<T>): Promise<T> {
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}
