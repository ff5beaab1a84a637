import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { ensurePython } from '../../../../tools/python.ts'
import { signIn } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK } from '../support/tenant.ts'
import { blocksIn, blockWith } from './document.ts'

const program = blockWith(blocksIn('docs/guide/agent-with-the-ai-sdk.md', 'python'), 'def ask_for')
const python = ensurePython()
const server = await startServer()
const app = { issuer: server.issuer, client_id: 'web', client_secret: server.tenant.secrets.web }

interface Answer {
  readonly access_token?: string
  readonly connect?: object
  readonly url?: string
  readonly pending?: object
  readonly id?: string
}

/** Calls one of the guide's functions. */
async function call(name: string, ...args: readonly unknown[]): Promise<Answer | null> {
  const script = `${program}\n\nimport sys\nprint(json.dumps(${name}(*json.load(sys.stdin))))\n`
  const child = spawn(python, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify([app, ...args]))
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  assert.equal(code, 0)
  // The guide's own answers; the test reads single members.
  return JSON.parse(said) as Answer | null
}

test("the guide's agent in Python is refused, lets its user connect, and then holds a token that the provider takes", async () => {
  server.person('python', ['work', 'code'])
  const { browser, refreshToken } = await signIn(server, { connection: 'work' })
  const first = await call('ask_for', refreshToken, 'code', 'Look for pull requests')
  assert.ok(first?.connect !== undefined)
  const started = await call('start_connect', refreshToken, first.connect, CALLBACK)
  await browser.open(started?.url ?? '')
  const { url } = await browser.submit('link-confirm', { action: 'confirm' })
  const account = await call('finish_connect', url, started?.pending)
  assert.match(account?.id ?? '', /^cac_/)
  const second = await call('ask_for', refreshToken, 'code', 'Look for pull requests')
  assert.ok(server.providers.code.isLive(second?.access_token ?? ''))
})

test("the guide's agent in Python hears it when its user says no", async () => {
  server.person('python-no', ['work', 'code'])
  const { browser, refreshToken } = await signIn(server, { connection: 'work' })
  const started = await call('start_connect', refreshToken, { connection: 'code' }, CALLBACK)
  await browser.open(started?.url ?? '')
  const { url } = await browser.submit('link-confirm', { action: 'cancel' })
  assert.equal(await call('finish_connect', url, started?.pending), null)
})
