import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Provider, startGithubProvider, startOAuth2Provider } from '../src/testing/index.ts'
import {
  authorize,
  basic,
  CALLBACK,
  getWith,
  jsonOf,
  post,
  redeem,
  refresh,
  refreshed,
  signIn,
  untilDone,
} from './app.ts'

const HUGE = '9007199254740993123'

function deleteToken(provider: Provider, what: 'token' | 'grant', accessToken: string): Promise<Response> {
  return fetch(`${provider.url}/applications/${provider.clientId}/${what}`, {
    method: 'DELETE',
    headers: { authorization: basic(provider), 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: accessToken }),
  })
}

test('github: token answers are form-encoded unless JSON is asked for, with commas between scopes', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: {} } }))
  const { code = '' } = await authorize(provider, { scope: 'read:user user:email' })
  const fields = { client_id: provider.clientId, client_secret: provider.clientSecret, code }
  const answer = await post(provider.endpoint('token'), fields)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/x-www-form-urlencoded/)
  const form = Object.fromEntries(new URLSearchParams(await answer.text()))
  assert.deepEqual(Object.keys(form).sort(), ['access_token', 'scope', 'token_type'])
  assert.equal(form.scope, 'read:user,user:email')

  const json = await signIn(provider, { scope: 'read:user,repo' })
  assert.equal(json.scope, 'read:user,repo')
  assert.equal(json.expires_in, undefined)
})

test('github: errors come with status 200 and its own words', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: {} } }))
  const { code = '' } = await authorize(provider, { scope: 'repo' })
  const ask = async (fields: Record<string, string>) => {
    const answer = await post(provider.endpoint('token'), fields, { accept: 'application/json' })
    assert.equal(answer.status, 200)
    return (await jsonOf(answer)).error
  }
  const credentials = { client_id: provider.clientId, client_secret: provider.clientSecret }
  assert.equal(await ask({ ...credentials, client_secret: 'wrong', code }), 'incorrect_client_credentials')
  assert.equal(await ask({ ...credentials, code, redirect_uri: `${CALLBACK}/other` }), 'redirect_uri_mismatch')
  assert.equal(await ask({ ...credentials, code: 'never-given' }), 'bad_verification_code')
  assert.equal(await ask({ ...credentials, grant_type: 'password' }), 'unsupported_grant_type')
})

test('github: the numeric id keeps every digit, and the address stands in the list of addresses alone', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: { sub: HUGE, email: 'ada@code.test' } } }))
  const { access_token } = await signIn(provider, { scope: 'user:email' })
  const text = await (await getWith(access_token, provider.endpoint('userinfo'))).text()
  assert.ok(text.includes(`"id":${HUGE}`))
  assert.equal(JSON.parse(text).email, null)
  const emails = await (await getWith(access_token, provider.endpoint('emails'))).json()
  assert.deepEqual(emails, [{ email: 'ada@code.test', primary: true, verified: true, visibility: 'private' }])
})

test('github: addresses are hidden from tokens without their scope, and open to those with user', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: {} } }))
  const [without, within] = [await signIn(provider, { scope: 'repo' }), await signIn(provider, { scope: 'user' })]
  assert.equal((await getWith(without.access_token, provider.endpoint('emails'))).status, 404)
  assert.equal((await getWith(within.access_token, provider.endpoint('emails'))).status, 200)
})

test('github: of eleven tokens for the same scopes the oldest ends', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: {} } }))
  const tokens = []
  for (let count = 0; count < 11; count++) tokens.push((await signIn(provider, { scope: 'repo' })).access_token)
  assert.deepEqual(
    tokens.map((token) => provider.isLive(token)),
    [false, ...Array(10).fill(true)],
  )
})

test('github: a token or the whole grant can be deleted', async () => {
  const provider = untilDone(await startGithubProvider({ users: { ada: {} } }))
  const [first, second, third] = [
    (await signIn(provider, { scope: 'repo' })).access_token,
    (await signIn(provider, { scope: 'repo' })).access_token,
    (await signIn(provider, { scope: 'user' })).access_token,
  ]
  assert.equal((await deleteToken(provider, 'token', first)).status, 204)
  assert.equal((await deleteToken(provider, 'token', first)).status, 404)
  assert.deepEqual([provider.isLive(first), provider.isLive(second)], [false, true])
  assert.equal((await deleteToken(provider, 'grant', second)).status, 204)
  assert.equal(provider.isLive(third), false)
})

test('github: an app with expiring tokens rotates, and a refresh ends the access token before', async () => {
  const provider = untilDone(await startGithubProvider({ expiring: true, users: { ada: {} } }))
  const first = await signIn(provider, { scope: 'repo' })
  assert.equal(first.expires_in, 28_800)
  const second = await refreshed(provider, first.refresh_token)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.deepEqual([provider.isLive(first.access_token), provider.isLive(second.access_token)], [false, true])
  const again = await refresh(provider, first.refresh_token)
  assert.deepEqual([again.status, (await jsonOf(again)).error], [200, 'bad_refresh_token'])
  assert.equal(provider.isLive(second.access_token), false)
})

test('oauth2: the code flow ends with JSON tokens that open /me', async () => {
  const provider = untilDone(
    await startOAuth2Provider({ users: { ada: { sub: 'u-1', name: 'Ada', email: 'ada@x.test' } } }),
  )
  const tokens = await signIn(provider, { scope: 'profile files.read' })
  assert.equal(tokens.id_token, undefined)
  assert.ok(tokens.refresh_token)
  const me = await (await getWith(tokens.access_token, provider.endpoint('userinfo'))).json()
  assert.deepEqual(me, { id: 'u-1', email: 'ada@x.test', email_verified: true, display_name: 'Ada' })
  assert.ok((await refreshed(provider, tokens.refresh_token)).access_token)
})

test('oauth2: the default subject of a user survives a restart', async () => {
  const [one, other] = [untilDone(await startOAuth2Provider()), untilDone(await startOAuth2Provider())]
  assert.equal(one.addUser('ada').sub, other.addUser('ada').sub)
  assert.notEqual(one.addUser('grace').sub, other.addUser('ada').sub)
})

test('connections: each kind describes itself as the tenant file wants it', async () => {
  const github = untilDone(await startGithubProvider({ name: 'code', connectionOptions: { trust_email: true } }))
  const connection = github.connection({ enabled_clients: ['web'] })
  assert.equal(connection.name, 'code')
  assert.equal(connection.strategy, 'github')
  assert.deepEqual(connection.enabled_clients, ['web'])
  assert.deepEqual(connection.options, {
    client_id: github.clientId,
    client_secret: github.clientSecret,
    scope: ['read:user', 'user:email'],
    endpoints: {
      authorization: `${github.url}/login/oauth/authorize`,
      token: `${github.url}/login/oauth/access_token`,
      userinfo: `${github.url}/user`,
      emails: `${github.url}/user/emails`,
      revocation: `${github.url}/revoke`,
    },
    trust_email: true,
  })
  const plain = untilDone(await startOAuth2Provider())
  assert.equal(plain.connection().strategy, 'oauth2')
  assert.equal(plain.connection().options.userInfoURL, `${plain.url}/me`)
  assert.equal((await redeem(plain, 'nothing')).status, 400)
})
