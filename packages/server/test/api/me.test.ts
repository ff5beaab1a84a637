import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { serializePendingAccount } from '../../src/accounts/pending-account.ts'
import { randomToken, sha256Base64url, sha256Hex } from '../../src/crypto/hashing.ts'
import { ISSUER, openWorld, type World } from './world.ts'

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w.close())

function refused(answer: { status: number; json: Record<string, unknown> }, status: number, code?: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.json))
  for (const member of ['type', 'title', 'detail']) assert.equal(typeof answer.json[member], 'string', member)
  assert.equal(answer.json.status, status)
  if (code !== undefined) assert.equal(answer.json.code, code)
}

const verifier = randomToken(32)
const good = {
  connection: 'acme',
  redirect_uri: 'https://app.test/cb',
  state: 'state',
  scopes: ['openid', 'calendar'],
  code_challenge: sha256Base64url(verifier),
  code_challenge_method: 'S256',
}
const connect = (token: string | undefined, change: object = {}) =>
  w.me(token, 'POST', '/connected-accounts/connect', { ...good, ...change })

/** What the browser leg does to a request between `connect` and `complete`. */
async function browserLeg(authSession: string, subject: string): Promise<string> {
  const hash = sha256Hex(authSession)
  const code = randomToken()
  const details = serializePendingAccount({
    subject,
    upstreamName: `${subject} at acme`,
    email: undefined,
    scopesAsked: ['openid', 'calendar'],
    scopesGranted: ['openid', 'calendar'],
    extras: {},
  })
  const tokenset = {
    accessToken: `access ${subject}`,
    refreshToken: `refresh ${subject}`,
    tokenType: 'Bearer',
    accessExpiresAt: w.clock() + 3600,
    refreshExpiresAt: undefined,
    scopes: ['openid', 'calendar'],
  }
  const pendingEnvelope = w.vault.sealPending(hash, { tokenset, details })
  await w.storage.transaction(async (tx) => {
    await tx.connects.advance(hash, 'created', 'opened', {})
    await tx.connects.advance(hash, 'opened', 'answered', { pendingEnvelope })
    await tx.connects.advance(hash, 'answered', 'confirmed', { connectCodeHash: sha256Hex(code) })
  })
  return code
}

async function confirmed(token: string, subject: string, change: object = {}) {
  const { json } = await connect(token, change)
  const connect_code = await browserLeg(json.auth_session, subject)
  return { auth_session: json.auth_session, connect_code, redirect_uri: good.redirect_uri, code_verifier: verifier }
}
const complete = (token: string, body: object) => w.me(token, 'POST', '/connected-accounts/complete', body)

test('connect answers with exactly four members, and keeps no secret in clear', async () => {
  const user = await w.person('starter')
  const answer = await connect(await w.userToken(user.userId))
  assert.equal(answer.status, 201, answer.text)
  assert.deepEqual(Object.keys(answer.json).sort(), ['auth_session', 'connect_params', 'connect_uri', 'expires_in'])
  assert.equal(answer.json.connect_uri, `${ISSUER}connected-accounts/connect`)
  assert.ok(answer.json.auth_session.length <= 64)
  const request = await w.storage.connects.find(sha256Hex(answer.json.auth_session))
  assert.equal(request?.status, 'created')
  assert.equal(request?.userId, user.userId)
  assert.ok(!JSON.stringify(request).includes(answer.json.connect_params.ticket))
})

test('connect coerces and drops what SDKs pass on carelessly', async () => {
  const user = await w.person('careless')
  const token = await w.userToken(user.userId)
  const authorization_params = { max_age: '0', prompt: 'consent', access_type: 'offline' }
  const { json } = await connect(token, { authorization_params })
  const request = await w.storage.connects.find(sha256Hex(json.auth_session))
  assert.deepEqual(request?.authorizationParams, { max_age: 0, prompt: 'consent' })
  assert.equal((await connect(token, { authorization_params: {}, scopes: undefined })).status, 201)
})

test('connect refuses what it must, as problem details', async () => {
  const user = await w.person('refused')
  const token = await w.userToken(user.userId)
  const cases: readonly (readonly [object, number])[] = [
    [{ redirect_uri: 'https://app.test/evil' }, 400],
    [{ connection: 'no-such-connection' }, 400],
    [{ connection: undefined }, 400],
    [{ scopes: 'a b' }, 400],
    [{ scopes: ['a', 'a'] }, 400],
    [{ scopes: ['a b'] }, 400],
    [{ code_challenge_method: 'plain' }, 400],
    [{ code_challenge_method: undefined }, 400],
    [{ state: '' }, 400],
    [{ surprise: true }, 400],
    [{ connection: 'code' }, 403],
  ]
  for (const [change, status] of cases) refused(await connect(token, change), status)
  refused(
    await connect(await w.userToken(user.userId, { scopes: ['read:me:connected_accounts'] })),
    403,
    'insufficient_scope',
  )
  refused(await connect('rubbish'), 401)
  refused(await connect(undefined), 401)
  refused(await connect(w.machineToken()), 401)
  refused(await connect(await w.userToken(user.userId, { audience: 'https://api.acme.test/' })), 401)
  const text = await w.me(token, 'POST', '/connected-accounts/connect', 'x', { 'content-type': 'text/plain' })
  refused(text, 415)
  const challenge = (await connect('rubbish')).headers.get('www-authenticate') ?? ''
  assert.match(challenge, /resource_metadata="https:\/\/tenon\.test\/\.well-known\/oauth-protected-resource\/me\/v1"/)
})

test('a connection that the client may not use looks like one that is not there', async () => {
  const user = await w.person('looker')
  const token = await w.userToken(user.userId, { clientId: 'spa' })
  const redirect_uri = 'https://spa.test/cb'
  const unknown = await connect(token, { redirect_uri, connection: 'nothing' })
  const notMine = await connect(token, { redirect_uri, connection: 'code-two' })
  assert.deepEqual(notMine.json, unknown.json)
})

test('a public client without a code challenge is refused', async () => {
  const user = await w.person('public')
  const token = await w.userToken(user.userId, { clientId: 'spa' })
  const without = { redirect_uri: 'https://spa.test/cb', code_challenge: undefined, code_challenge_method: undefined }
  refused(await connect(token, without), 400)
})

test('a user whose address is unproven connects nothing; one without an address may', async () => {
  const unproven = await w.person('unproven', { grade: 0 })
  refused(await connect(await w.userToken(unproven.userId)), 403, 'address_unproven')
  const bare = await w.person('bare', { email: false })
  assert.equal((await connect(await w.userToken(bare.userId))).status, 201)
})

test('complete keeps the account, once, and answers with it', async () => {
  const user = await w.person('completer')
  const token = await w.userToken(user.userId)
  const body = await confirmed(token, 'completer-acme')
  assert.deepEqual(await w.storage.accounts.listOfUser(user.userId), [])
  const answers = await Promise.all([complete(token, body), complete(token, body)])
  const [won] = answers.filter(({ status }) => status === 201)
  assert.ok(won, JSON.stringify(answers.map(({ json }) => json)))
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  assert.match(won.json.id, /^cac_[A-Za-z0-9]+$/)
  assert.equal(won.json.connection, 'acme')
  assert.equal(won.json.access_type, 'offline')
  assert.deepEqual(won.json.scopes, ['openid', 'calendar'])
  assert.ok(!Number.isNaN(Date.parse(won.json.created_at)))
  refused(await complete(token, body), 409, 'connect_completed')
  assert.equal(await w.accessToken(won.json.id), 'access completer-acme')
  const request = await w.storage.connects.find(sha256Hex(body.auth_session))
  assert.equal(request?.pendingEnvelope, undefined, 'what was pending is gone')
})

test('complete refuses a wrong verifier, redirect, session or code, and gives the tokens back', async () => {
  const user = await w.person('wrong')
  const token = await w.userToken(user.userId)
  for (const change of [
    { code_verifier: 'x'.repeat(43) },
    { code_verifier: undefined },
    { redirect_uri: 'https://app.test/other' },
    { connect_code: 'x'.repeat(40) },
  ]) {
    const body = await confirmed(token, 'wrong-acme')
    refused(await complete(token, { ...body, ...change }), 400)
    refused(await complete(token, body), 400)
  }
  const body = await confirmed(token, 'wrong-acme')
  refused(await complete(token, { ...body, auth_session: 'x'.repeat(40) }), 400)
  assert.equal((await complete(token, body)).status, 201)
  const due = await w.storage.transaction((tx) =>
    tx.revocations.claim({ now: w.clock() + 10, leaseSeconds: 60, limit: 100 }),
  )
  assert.ok(due.filter(({ subject }) => subject === 'wrong-acme').length >= 4)
})

test('complete refuses another user, another client, an early and a late call', async () => {
  const user = await w.person('mine')
  const thief = await w.person('thief')
  const token = await w.userToken(user.userId)
  const body = await confirmed(token, 'mine-acme')
  refused(await complete(await w.userToken(thief.userId), body), 400)
  refused(await complete(await w.userToken(user.userId, { clientId: 'theirs' }), body), 400)
  const early = (await connect(token)).json
  refused(
    await complete(token, {
      auth_session: early.auth_session,
      connect_code: 'x'.repeat(43),
      redirect_uri: good.redirect_uri,
      code_verifier: verifier,
    }),
    400,
  )
  w.wait(301)
  refused(await complete(token, body), 400)
  assert.deepEqual(await w.storage.accounts.listOfUser(user.userId), [])
})

test('connecting the same account again keeps its id; another account stands beside it', async () => {
  const user = await w.person('again')
  const token = await w.userToken(user.userId)
  const first = await complete(token, await confirmed(token, 'again-acme'))
  const second = await complete(token, await confirmed(token, 'again-acme'))
  const other = await complete(token, await confirmed(token, 'other-acme'))
  assert.equal(second.json.id, first.json.id)
  assert.notEqual(other.json.id, first.json.id)
  const { json } = await w.me(token, 'GET', '/connected-accounts/accounts')
  assert.equal(json.accounts.length, 2)
})

test('a client of somebody else sees and ends only what was connected through it', async () => {
  const user = await w.person('shared')
  const account = await w.account(user.userId, 'files', 'shared-files')
  const theirs = await w.account(user.userId, 'acme', 'shared-acme', { clientId: 'theirs' })
  const token = await w.userToken(user.userId, { clientId: 'theirs' })
  const { json } = await w.me(token, 'GET', '/connected-accounts/accounts')
  assert.deepEqual(
    json.accounts.map((one: { id: string }) => one.id),
    [theirs.id],
  )
  assert.equal((await w.me(token, 'DELETE', `/connected-accounts/accounts/${account.id}`)).status, 204)
  assert.ok(await w.storage.accounts.find(account.id))
})

test('a list pages by from and by next, filters by connection, and ends', async () => {
  const user = await w.person('pager')
  const token = await w.userToken(user.userId)
  await w.account(user.userId, 'files', 'pager-files')
  w.wait(1)
  await w.account(user.userId, 'acme', 'pager-acme')
  const list = (query: string) => w.me(token, 'GET', `/connected-accounts/accounts${query}`)
  for (const name of ['from', 'next']) {
    const first = (await list('?take=1')).json
    assert.equal(first.accounts.length, 1)
    const second = (await list(`?take=1&${name}=${first.next}`)).json
    assert.equal(second.accounts.length, 1)
    assert.notEqual(second.accounts[0].id, first.accounts[0].id)
    assert.equal(second.next, undefined)
  }
  assert.equal((await list('?connection=files')).json.accounts[0].connection, 'files')
  assert.equal((await list('?connection=files&connection=acme')).json.accounts.length, 2)
  assert.deepEqual((await list('?connection=nothing')).json.accounts, [])
  for (const query of ['?take=0', '?take=21', '?take=x', '?from=rubbish']) refused(await list(query), 400)
})

test('connections lists those that this client may connect from', async () => {
  const user = await w.person('choices')
  const { json } = await w.me(await w.userToken(user.userId), 'GET', '/connected-accounts/connections')
  assert.deepEqual(
    json.connections.map((one: { name: string }) => one.name),
    ['acme', 'files'],
  )
  assert.ok(!JSON.stringify(json).includes('secret'))
})

test('disconnecting is 204 again and again, at once, and only for its owner', async () => {
  const user = await w.person('leaver')
  const token = await w.userToken(user.userId)
  const account = await w.account(user.userId, 'files', 'leaver-files')
  const route = `/connected-accounts/accounts/${account.id}`
  const nosy = await w.userToken((await w.person('nosy')).userId)
  assert.equal((await w.me(nosy, 'DELETE', route)).status, 204)
  assert.ok(await w.storage.accounts.find(account.id))
  for (const _ of [1, 2]) assert.equal((await w.me(token, 'DELETE', route)).status, 204)
  assert.equal(await w.storage.accounts.find(account.id), undefined)
  assert.ok((await w.storage.revocations.countOfAccount(account.id)) > 0)
  refused(await w.me(token, 'DELETE', '/connected-accounts/accounts/not-an-id'), 400)
  const weak = await w.userToken(user.userId, { scopes: ['read:me:connected_accounts'] })
  refused(await w.me(weak, 'DELETE', route), 403, 'insufficient_scope')
})

test('a token that is bound to a key does not work without its proof', async () => {
  const user = await w.person('bound')
  const token = await w.userToken(user.userId)
  const [, claims = ''] = token.split('.')
  const bound = w.signer.sign({ ...JSON.parse(atob(claims)), cnf: { jkt: 'thumbprint' } })
  refused(await w.me(bound, 'GET', '/connected-accounts/accounts'), 401)
  const proofless = await w.me(undefined, 'GET', '/connected-accounts/accounts', undefined, {
    authorization: `DPoP ${token}`,
  })
  refused(proofless, 401)
})

test('the metadata of the protected resource names issuer and scopes', async () => {
  const response = await w.apps.me.request(`${ISSUER}.well-known/oauth-protected-resource/me/v1`)
  const metadata = (await response.json()) as Record<string, unknown>
  assert.equal(response.status, 200)
  assert.equal(metadata.resource, `${ISSUER}me/v1`)
  assert.deepEqual(metadata.authorization_servers, [ISSUER])
})

test('nothing that was sent here was a bug of ours', () => {
  assert.deepEqual(w.errors, [])
})
