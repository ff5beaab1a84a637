// Tools of agents that need the user's account somewhere, by the AI SDK's wrapper.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { generateText, type LanguageModel, stepCountIs, type ToolSet, tool } from 'ai'
import { z } from 'zod'
import { connect, meToken, type SignedIn, signIn } from '../../packages/server/test/support/actors.ts'
import { API } from '../../packages/server/test/support/tenant.ts'
import { passTime } from '../../packages/server/test/support/time.ts'
import { Calls } from './support/calls.ts'
import { approveByMail, withGrants } from './support/consent.ts'
import { startWorld } from './support/world.ts'

// Its ES modules name files without their endings, which bundlers forgive and Node does not.
const require = createRequire(import.meta.url)
const { SUBJECT_TOKEN_TYPES } = require('@auth0/ai') as typeof import('@auth0/ai')
const { AuthorizationPendingInterrupt, DeviceInterrupts, TokenVaultInterrupt } =
  require('@auth0/ai/interrupts') as typeof import('@auth0/ai/interrupts')
const { Auth0AI, getAccessTokenFromTokenVault, runWithAIContext } =
  require('@auth0/ai-vercel') as typeof import('@auth0/ai-vercel')
const { errorSerializer, InterruptionPrefix } =
  require('@auth0/ai-vercel/interrupts') as typeof import('@auth0/ai-vercel/interrupts')

const world = await startWorld({ tenant: withGrants })
const calls = new Calls(import.meta.filename, '@auth0/ai-vercel')

const aiOf = (clientId: string) =>
  new Auth0AI({ auth0: { domain: world.domain, clientId, clientSecret: world.secretOf(clientId) } })

async function newUser(name: string, audience?: string): Promise<SignedIn> {
  world.person(name, ['work', 'calendar'])
  const scope = 'openid offline_access read:things'
  return signIn(world, { connection: 'work', ...(audience === undefined ? {} : { audience, scope }) })
}

const connectCalendar = async (user: SignedIn, scopes?: readonly string[]) => {
  const token = await meToken(world, user)
  return connect(user.browser, world, { token, connection: 'calendar', ...(scopes ? { scopes } : {}) })
}

/** What the tool answers with: the token that it was given. */
const reveal = tool({
  description: 'Reads the calendar',
  inputSchema: z.object({}),
  execute: async () => getAccessTokenFromTokenVault(),
})

const done = tool({ description: 'Books it', inputSchema: z.object({}), execute: async () => 'done' })

let turns = 0
/** As a model's call would run it, in a conversation of its own. */
function run(wrapped: unknown, turn = String(++turns)): Promise<unknown> {
  const { execute } = wrapped as { execute: (input: object, options: object) => Promise<unknown> }
  return runWithAIContext({ threadID: turn }, () => execute({}, { toolCallId: turn, messages: [] }))
}

const vaultTool = (user: SignedIn, scopes: string[] = []) =>
  aiOf('web').withTokenVault({ connection: 'calendar', scopes, refreshToken: async () => user.refreshToken }, reveal)

calls.works(
  'withTokenVault',
  'a tool whose account is not connected is interrupted, and told what to connect',
  async () => {
    const user = await newUser('interrupted')
    await assert.rejects(run(vaultTool(user, ['calendar.read'])), (error) => {
      assert.ok(error instanceof TokenVaultInterrupt, String(error))
      assert.deepEqual([error.connection, error.requiredScopes], ['calendar', ['calendar.read']])
      return true
    })
  },
)

calls.works('withTokenVault', 'a tool gets the provider’s token, by refresh token', async () => {
  const user = await newUser('connected')
  await connectCalendar(user)
  assert.ok(world.providers.calendar.isLive(String(await run(vaultTool(user)))))
})

calls.works(
  'withTokenVault',
  'a scope that was not granted interrupts, and is met after connecting with it',
  async () => {
    const user = await newUser('under-scoped')
    await connectCalendar(user, ['openid'])
    const wanted = vaultTool(user, ['calendar.read'])
    const interrupt = await run(wanted).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(interrupt instanceof TokenVaultInterrupt)
    assert.ok(interrupt.requiredScopes.includes('calendar.read'))
    await connectCalendar(user, interrupt.requiredScopes)
    assert.ok(world.providers.calendar.isLive(String(await run(wanted))))
  },
)

calls.works('withTokenVault', 'a tool of an API gets it by the access token that the API was called with', async () => {
  const user = await newUser('api', API)
  await connectCalendar(user)
  const wrapped = aiOf('api').withTokenVault(
    {
      connection: 'calendar',
      scopes: [],
      accessToken: async () => user.accessToken,
      subjectTokenType: SUBJECT_TOKEN_TYPES.SUBJECT_TYPE_ACCESS_TOKEN,
    },
    reveal,
  )
  assert.ok(world.providers.calendar.isLive(String(await run(wrapped))))
})

calls.works('withTokenVault', 'of several accounts the one that the hint names', async () => {
  const user = await newUser('several')
  await connectCalendar(user)
  const { calendar } = world.providers
  const { sub } = calendar.addUser('several-other', { email: 'several-other@example.test' })
  calendar.switchUser('several-other')
  await connectCalendar(user)
  const wrapped = aiOf('web').withTokenVault(
    { connection: 'calendar', scopes: [], refreshToken: async () => user.refreshToken, loginHint: async () => sub },
    reveal,
  )
  const response = await fetch(`${calendar.url}/userinfo`, {
    headers: { authorization: `Bearer ${await run(wrapped)}` },
  })
  assert.equal(((await response.json()) as { sub: string }).sub, sub)
})

calls.works(
  'errorSerializer',
  'a model’s call of the tool ends in an interruption that the page can read',
  async () => {
    const user = await newUser('model')
    const tools: ToolSet = { calendar: vaultTool(user, ['calendar.read']) }
    const model: LanguageModel = {
      specificationVersion: 'v2',
      provider: 'scripted',
      modelId: 'scripted',
      supportedUrls: {},
      doGenerate: async () => ({
        content: [{ type: 'tool-call', toolCallId: 'call-1', toolName: 'calendar', input: '{}' }],
        finishReason: 'tool-calls',
        usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
        warnings: [],
      }),
      doStream: () => Promise.reject(new Error('nobody streams here')),
    }
    const { content } = await runWithAIContext({ threadID: 'model' }, () =>
      generateText({ model, tools, prompt: 'What is on tomorrow?', stopWhen: stepCountIs(1) }),
    )
    const failed = content.find(({ type }) => type === 'tool-error')
    assert.ok(failed?.type === 'tool-error')
    const { toolCallId, toolName } = failed
    const said = errorSerializer()({ cause: failed.error, toolCallId, toolName, toolArgs: failed.input })
    assert.ok(said.startsWith(InterruptionPrefix))
    const { connection, toolCall } = JSON.parse(said.slice(InterruptionPrefix.length))
    assert.deepEqual([connection, toolCall.name], ['calendar', 'calendar'])
  },
)

calls.works('withAsyncAuthorization', 'a tool waits for its user, and goes on once they said yes', async () => {
  const user = await newUser('approving')
  const wrapped = aiOf('web').withAsyncAuthorization(
    { scopes: ['openid'], userID: async () => user.sub, bindingMessage: async () => 'Book it' },
    done,
  )
  await assert.rejects(run(wrapped, 'approving'), (error) => error instanceof AuthorizationPendingInterrupt)
  await approveByMail(world, user.browser, String(user.claims.email))
  // It may not ask again at once.
  passTime(10)
  assert.equal(await run(wrapped, 'approving'), 'done')
})

calls.works('withDeviceAuthorizationFlow', 'a tool shows a code, and goes on once its user let it in', async () => {
  const user = await newUser('device')
  const wrapped = new Auth0AI({ auth0: { domain: world.domain, clientId: 'tv' } }).withDeviceAuthorizationFlow(
    { scopes: ['openid'], onAuthorizationRequest: 'interrupt' },
    done,
  )
  const interrupt = await run(wrapped, 'device').catch((error: unknown) => error)
  assert.ok(interrupt instanceof DeviceInterrupts.AuthorizationPendingInterrupt, String(interrupt))
  await user.browser.open(interrupt.response.verificationUriComplete ?? '')
  await user.browser.submit('approve', { action: 'allow' })
  passTime(10)
  assert.equal(await run(wrapped, 'device'), 'done')
})
