// The SDK against a real server and a real provider of the kit.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { Browser } from '../../server/test/support/browser.ts'
import { startServer } from '../../server/test/support/server.ts'
import { passTime } from '../../server/test/support/time.ts'
import {
  createAgent,
  NotConnected,
  ProviderUnavailable,
  ReconnectRequired,
  ScopeMissing,
  TenonError,
  withAccount,
} from '../src/index.ts'
import { startCodeProvider } from '../src/testing/index.ts'

const CALLBACK = 'http://127.0.0.1:9/cb'
const CONNECTED = 'http://127.0.0.1:9/connected'
const SECRET = 'a secret that only the agent knows'

const code = await startCodeProvider({ name: 'code', expiring: true, accessTokenSeconds: 3600 })
const browser = new Browser()

const { issuer } = await startServer({
  providers: { code },
  tenant: (file) => {
    Object.assign(file, {
      clients: [
        {
          client_id: 'agent',
          client_secret: SECRET,
          name: 'Agent',
          app_type: 'regular_web',
          callbacks: [CALLBACK, CONNECTED],
          grant_types: [
            'authorization_code',
            'refresh_token',
            'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token',
          ],
          refresh_token: {
            policies: [
              {
                audience: '<issuer>me/',
                scope: ['create:me:connected_accounts', 'read:me:connected_accounts', 'delete:me:connected_accounts'],
              },
            ],
          },
        },
      ],
      client_grants: [
        {
          client_id: 'agent',
          audience: '<issuer>me/',
          subject_type: 'user',
          scope: ['create:me:connected_accounts', 'read:me:connected_accounts', 'delete:me:connected_accounts'],
        },
      ],
      connections: [
        { name: 'Username-Password-Authentication', strategy: 'auth0', enabled_clients: ['agent'] },
        code.connection({
          enabled_clients: ['agent'],
          authentication: { active: false },
          connected_accounts: { active: true },
        }),
      ],
      users: [
        {
          connection: 'Username-Password-Authentication',
          email: 'ada@example.test',
          email_verified: true,
          password: 'a lantern under the bridge',
        },
      ],
    })
  },
})
const refreshToken = await signIn()
after(() => code.stop())

const agentOf = () => createAgent({ issuer, clientId: 'agent', credential: { secret: SECRET } })
const ask = (more: object = {}) => agentOf().exchange({ subject: { refreshToken }, connection: 'code', ...more })

test('an agent is told what to connect, connects it, and holds a token that the provider takes', async () => {
  const tool = withAccount(
    { agent: agentOf(), connection: 'code', purpose: 'Pull requests' },
    (token, repo: string) => {
      assert.ok(code.isLive(token.accessToken))
      return `${repo}: ${token.scopes.length > 0}`
    },
  )
  const first = await tool({ refreshToken }, 'tenon')
  assert.ok(first.kind === 'connect')
  assert.equal(first.connect.connection, 'code')
  await assert.rejects(ask(), NotConnected)

  const user = await agentOf().userOf(refreshToken)
  const missing = (await user.capabilities()).connections.find(({ connection }) => connection === 'code')
  assert.deepEqual(missing?.connect, first.connect)
  const account = await connect(first.connect)
  assert.ok(account.kind === 'connected')
  assert.match(account.id, /^cac_/)

  assert.deepEqual(await tool({ refreshToken }, 'tenon'), { kind: 'done', value: 'tenon: true' })
  const [held] = (await user.capabilities()).connections
  assert.deepEqual(
    held?.accounts.map(({ id, health, is_default: isDefault }) => ({ id, health, isDefault })),
    [{ id: account.id, health: 'ok', isDefault: true }],
  )
})

test('what the account was not allowed is named, and a tool asks for it', async () => {
  await assert.rejects(ask({ scopes: ['admin:everything'] }), (error) => {
    assert.ok(error instanceof ScopeMissing)
    assert.deepEqual(error.missingScopes, ['admin:everything'])
    assert.equal(error.status, 401)
    return error.connect.connection === 'code'
  })
  const tool = withAccount({ agent: agentOf(), connection: 'code', scopes: ['admin:everything'] }, () => 'never')
  const result = await tool({ refreshToken }, undefined)
  assert.ok(result.kind === 'connect')
  assert.match(result.message, /admin:everything/)
})

test('of two accounts the id picks one, and a hint that fits none asks to connect', async () => {
  const [first] = await accountsHeld()
  code.addUser('grace-hopper', {})
  code.switchUser('grace-hopper')
  const second = await connect({ connection: 'code' })
  assert.ok(first && second.kind === 'connected')
  const tokens = await Promise.all([first, second].map(({ id }) => ask({ loginHint: id })))
  assert.notEqual(tokens[0]?.accessToken, tokens[1]?.accessToken)
  await assert.rejects(ask({ loginHint: 'nobody' }), NotConnected)
})

test('a no of the user is no error; an answer to another question is one', async () => {
  assert.deepEqual(await connect({ connection: 'code' }, 'cancel'), { kind: 'refused' })
  const user = await agentOf().userOf(refreshToken)
  const { pending } = await user.startConnect({ connection: 'code' }, CONNECTED)
  await assert.rejects(user.finishConnect(`${CONNECTED}?state=other&connect_code=x`, pending), { code: 'wrong_state' })
  await assert.rejects(user.finishConnect(`${CONNECTED}?state=${pending.state}&connect_code=x`, pending), TenonError)
  await assert.rejects(user.startConnect({ connection: 'nothing' }, CONNECTED), TenonError)
})

test('an outage is told from an end at the provider, also through a tool', async () => {
  const tool = withAccount({ agent: agentOf(), connection: 'code' }, () => 'never')
  passTime(4000)
  code.fail('refresh', { status: 503, times: 20 })
  await assert.rejects(tool({ refreshToken }, undefined), (error) => {
    assert.ok(error instanceof ProviderUnavailable)
    return error.retryAfterSeconds > 0
  })
  code.reset()
  passTime(600)
  code.fail('refresh', { status: 400, body: { error: 'invalid_grant' }, times: 20 })
  await assert.rejects(tool({ refreshToken }, undefined), (error) => {
    assert.ok(error instanceof ReconnectRequired)
    return error.connect.connection === 'code'
  })
  code.reset()
})

test('a wrong secret, a page instead of an answer, and silence are told apart', async () => {
  const stranger = createAgent({ issuer, clientId: 'agent', credential: { secret: 'guessed' } })
  await assert.rejects(stranger.exchange({ subject: { refreshToken }, connection: 'code' }), {
    name: 'TenonError',
    code: 'invalid_client',
    status: 401,
  })
  const gateway = createServer((_, response) => response.writeHead(502).end('<h1>Bad gateway</h1>')).listen(0)
  const { port } = gateway.address() as AddressInfo
  const behind = createAgent({ issuer: `http://127.0.0.1:${port}`, clientId: 'agent', credential: { secret: SECRET } })
  await assert.rejects(behind.userOf(refreshToken), { code: 'malformed_answer', status: 502 })
  await new Promise((resolve) => gateway.close(resolve))
  await assert.rejects(behind.userOf(refreshToken), { code: 'unreachable', status: 0 })
})

const accountsHeld = async () =>
  (await (await agentOf().userOf(refreshToken)).capabilities()).connections[0]?.accounts ?? []

async function connect(wanted: { connection: string; scopes?: readonly string[] }, action = 'confirm') {
  const user = await agentOf().userOf(refreshToken)
  const { url, pending } = await user.startConnect(wanted, CONNECTED)
  await browser.open(url)
  // There may be some already.
  if (browser.page.name === 'which-account') await browser.submit('which-another')
  const page = await browser.submit('link-confirm', { action })
  return user.finishConnect(page.url, pending)
}

async function signIn(): Promise<string> {
  const request = { client_id: 'agent', response_type: 'code', redirect_uri: CALLBACK, scope: 'openid offline_access' }
  await browser.open(`${issuer}authorize?${new URLSearchParams(request)}`)
  const fields = { username: 'ada@example.test', password: 'a lantern under the bridge' }
  const answer = await browser.submit('login', { fields })
  const response = await fetch(`${issuer}oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'agent',
      client_secret: SECRET,
      redirect_uri: CALLBACK,
      code: answer.params.get('code') ?? '',
    }),
  })
  return ((await response.json()) as { refresh_token: string }).refresh_token
}
