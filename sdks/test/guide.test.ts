// The programs of the guides that need an SDK: what stands in their blocks is what runs here.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { ServerClient, type StateData, type TransactionData } from '@auth0/auth0-server-js'
import { type Agent, type ConnectHint, createAgent } from '@tenon/sdk'
import { startCalendarProvider, startCodeProvider, startOAuth2Provider } from '@tenon/sdk/testing'
import { generateText, type LanguageModel, type Tool } from 'ai'
import { connect, drive, meToken, signIn } from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { startServer } from '../../packages/server/test/support/server.ts'
import { CALLBACK } from '../../packages/server/test/support/tenant.ts'
import { loadBlocks } from './support/guides.ts'

interface Guides {
  pullRequestsTool(
    auth0: { domain: string; clientId: string; clientSecret: string },
    refreshToken: string,
    pullsUrl: string,
  ): { execute(input: object, options: object): Promise<unknown> }
  connectPath(error: unknown): string | undefined
  ConnectFirst: new (...given: never) => Error & { readonly connect: ConnectHint }
  reviewsTool(agent: Agent, refreshToken: string, pullsUrl: string): Tool
  startLinking(client: ServerClient, connection: string, redirectUri: string): Promise<URL>
  finishLinking(client: ServerClient, cameBackTo: URL): Promise<string | undefined>
}

// As the guide's own imports are loaded.
const { runWithAIContext } = createRequire(import.meta.url)('@auth0/ai-vercel') as typeof import('@auth0/ai-vercel')
const guides = await loadBlocks<Guides>('run')
const trusted = { trust_email: true, email_domains: ['example.test'] }
const [calendar, code, files] = await Promise.all([
  startCalendarProvider({ name: 'calendar', connectionOptions: trusted }),
  startCodeProvider({ name: 'code' }),
  startOAuth2Provider({ name: 'files' }),
])
const server = await startServer({ https: true, providers: { calendar, code, files } })
const client = {
  domain: new URL(server.url).host,
  clientId: 'web',
  clientSecret: server.tenant.secrets.web ?? '',
}

test("the guide's tool is interrupted, says where to connect, and then reads the pull requests", async () => {
  const person = server.person('tool', ['calendar', 'code'])
  code.pullRequests.push({
    ...{ repository: 'acme/bridge', number: 7, title: 'Paint it', state: 'open', openedHoursAgo: 1 },
    ...{ author: person.key, reviewers: [person.key] },
  })
  const user = await signIn(server, { connection: 'calendar' })
  const tool = guides.pullRequestsTool(client, user.refreshToken, code.pullsUrl)
  const run = () => runWithAIContext({ threadID: 'guide' }, () => tool.execute({}, { toolCallId: '1', messages: [] }))
  const path = await run().then(
    () => undefined,
    (error: unknown) => guides.connectPath(error),
  )
  assert.equal(path, '/auth/connect?connection=code&returnTo=%2Fclose&scopes=repo')
  assert.equal(guides.connectPath(new Error('another')), undefined)
  await connect(user.browser, server, { token: await meToken(server, user), connection: 'code', scopes: ['repo'] })
  assert.match(JSON.stringify(await run()), /Paint it/)
})

test("the tool of the guide's other agent says what to connect, and then reads the pull requests", async () => {
  const person = server.person('reviewer', ['calendar', 'code'])
  code.pullRequests.push({
    ...{ repository: 'acme/bridge', number: 8, title: 'Grease it', state: 'open', openedHoursAgo: 1 },
    ...{ author: person.key, reviewers: [person.key] },
  })
  const visit = await signIn(server, { connection: 'calendar' })
  const agent = createAgent({ issuer: server.issuer, clientId: 'web', credential: { secret: client.clientSecret } })
  const ask = async () => {
    const tools = { reviews: guides.reviewsTool(agent, visit.refreshToken, code.pullsUrl) }
    const { steps } = await generateText({ model: scriptedModel('reviews'), tools, prompt: 'What waits for me?' })
    return steps[0]?.content.at(-1)
  }
  const first = await ask()
  assert.ok(first?.type === 'tool-error' && first.error instanceof guides.ConnectFirst)
  assert.equal(first.error.connect.connection, 'code')
  const user = await agent.userOf(visit.refreshToken)
  const { url, pending } = await user.startConnect(first.error.connect, CALLBACK)
  await visit.browser.open(url)
  const back = await drive(visit.browser)
  assert.equal((await user.finishConnect(back.url, pending)).kind, 'connected')
  assert.match(JSON.stringify(await ask()), /Grease it/)
})

test("the guide's app links an account, and its user is who they were", async () => {
  server.person('app', ['calendar', 'files'])
  const [states, transactions] = [storeOf<StateData>(), storeOf<TransactionData>()]
  const app = new ServerClient({
    ...client,
    authorizationParams: { redirect_uri: CALLBACK, scope: 'openid profile offline_access' },
    stateStore: { ...states, deleteByLogoutToken: async () => {} },
    transactionStore: transactions,
  })
  const browser = new Browser()
  const visit = async (url: URL) => {
    await browser.open(url.href)
    return new URL((await drive(browser)).url)
  }
  const login = await app.startInteractiveLogin({ authorizationParams: { connection: 'calendar' } })
  await app.completeInteractiveLogin(await visit(login))
  const before = await app.getUser()
  const back = await visit(await guides.startLinking(app, 'files', CALLBACK))
  assert.equal(await guides.finishLinking(app, back), before?.sub)
})

function storeOf<Kept>() {
  const kept = new Map<string, Kept>()
  return {
    get: async (id: string) => kept.get(id),
    set: async (id: string, value: Kept) => void kept.set(id, value),
    delete: async (id: string) => void kept.delete(id),
  }
}

type ModelV2 = Extract<LanguageModel, { specificationVersion: 'v2' }>

/** Calls the tool, and says nothing of what it heard. */
const scriptedModel = (toolName: string): ModelV2 => ({
  specificationVersion: 'v2',
  provider: 'test',
  modelId: 'scripted',
  supportedUrls: {},
  doGenerate: async () => ({
    content: [{ type: 'tool-call', toolCallId: '1', toolName, input: '{}' }],
    finishReason: 'tool-calls',
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    warnings: [],
  }),
  doStream: () => Promise.reject(new Error('this model does not stream')),
})
