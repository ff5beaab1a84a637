import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Browser } from '../support/browser.ts'
import { blocksIn, blockWith, projectRoot } from './document.ts'

const GUIDE = 'docs/guide/quick-start.md'
const WRITTEN_URL = 'http://127.0.0.1:4000'
const commands = blocksIn(GUIDE, 'sh')

test('the quick start ends with tokens of the person in its file, and with fresh ones later', async (t) => {
  const url = await serve(t)
  const code = await signIn(url)
  const answer = await curl(blockWith(commands, 'authorization_code'), url, { CODE: code })
  assert.deepEqual(Object.keys(answer).sort(), [
    'access_token',
    'expires_in',
    'id_token',
    'refresh_token',
    'scope',
    'token_type',
  ])
  const { access_token: ACCESS_TOKEN = '', refresh_token: REFRESH_TOKEN = '' } = answer
  const person = await curl(blockWith(commands, '/userinfo'), url, { ACCESS_TOKEN })
  assert.equal(person.email, 'ada@example.test')
  const fresh = await curl(blockWith(commands, 'grant_type=refresh_token'), url, { REFRESH_TOKEN })
  assert.notEqual(fresh.access_token, ACCESS_TOKEN)
})

/** Runs the guide's own command in a folder that holds the guide's own file, on a free port. */
async function serve(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-guide-'))
  writeFileSync(join(folder, 'tenant.json'), blockWith(blocksIn(GUIDE, 'json'), '"clients"'))
  const [program = '', ...args] = blockWith(commands, 'bin/tenon').trim().split(' ')
  const child = spawn(join(projectRoot, program), args, {
    cwd: folder,
    env: { ...process.env, TENON_PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'close')
  t.after(async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  const said = JSON.parse(String(line)) as Readonly<Record<string, string>>
  const written = JSON.parse(blockWith(blocksIn(GUIDE, 'json'), '"listening"')) as object
  assert.deepEqual(Object.keys(said), Object.keys(written))
  return said.url ?? ''
}

async function signIn(url: string): Promise<string> {
  const browser = new Browser({ stopAt: ['http://localhost:3000/'] })
  const written = blockWith(blocksIn(GUIDE, 'text'), '/authorize').trim()
  await browser.open(written.replace(WRITTEN_URL, url))
  const fields = { username: 'ada@example.test', password: 'a lantern under the bridge' }
  const page = await browser.submit('login', { fields })
  assert.equal(page.params.get('state'), 'quick')
  return page.params.get('code') ?? ''
}

/** What curl does with the flags that the guide uses, so that a machine without curl can show it, too. */
async function curl(
  block: string,
  url: string,
  variables: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const line = block.slice(block.indexOf('curl ')).replaceAll(/\\\n\s*/g, ' ')
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const filled = words.map((word) => word.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? ''))
  const valuesOf = (flag: string) => filled.filter((_, index) => filled[index - 1] === flag)
  const target = filled.find((word) => word.startsWith('http')) ?? ''
  const data = valuesOf('-d')
  const headers = valuesOf('-H').map((header): [string, string] => {
    const [name = '', value = ''] = header.split(': ')
    return [name, value]
  })
  const response = await fetch(target.replace(WRITTEN_URL, url), {
    headers,
    ...(data.length > 0 && { method: 'POST', body: new URLSearchParams(data.join('&')) }),
  })
  assert.equal(response.status, 200)
  return (await response.json()) as Readonly<Record<string, string>>
}
