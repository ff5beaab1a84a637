import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

test('the headless demo gets real data from both providers, shows each request, and leaves nothing behind', async (t) => {
  const { code, output, leftovers } = await runDemo(t, '--headless')
  assert.equal(code, 0, output.split('\n').slice(-8).join('\n'))
  assert.match(output, /The agent got real data from both\.\n$/)
  assert.match(output, /browser → GET {2}agent\/\n {3}browser ← 200 page demo-welcome/)
  assert.match(output, /agent {3}→ POST tenon\/oauth\/token .*connection=code/)
  assert.match(output, /← 401 .*not_connected/)
  assert.match(output, /agent {3}→ POST tenon\/me\/v1\/connected-accounts\/complete/)
  assert.match(output, /← 200 page link-confirm/)
  assert.match(output, /agent {3}→ GET {2}code\/pulls/)
  assert.deepEqual(leftovers, [])
})

test('the headless demo prints no whole token, code or secret', async (t) => {
  const { output } = await runDemo(t, '--headless')
  assert.match(output, /access_token=\S{6}…/)
  assert.doesNotMatch(output, /eyJ[\w-]{8}/)
  assert.doesNotMatch(output, /\b(?:gho|oat|ort)_\w{4}/)
  assert.doesNotMatch(output, /\b(?=[\w-]*[A-Z\d])[\w-]{40,}/)
})

test('without the Code provider the headless demo fails and names the step', async (t) => {
  const { code, output, leftovers } = await runDemo(t, '--headless', '--stop-code')
  assert.equal(code, 1)
  assert.match(output, /Failed at step 6, "Connect Code[^"]*": code\S+ gave no answer: ECONNREFUSED/)
  assert.deepEqual(leftovers, [])
})

test('when the Code provider ends after it was connected, the agent says so and the headless demo fails', async (t) => {
  const { code, output } = await runDemo(t, '--headless', '--stop-code-late')
  assert.equal(code, 1)
  assert.match(output, /agent {3}→ GET {2}code\/pulls\S*\n {3}agent {3}← no answer: ECONNREFUSED/)
  assert.match(output, /Failed at step 8/)
})

test('the interactive demo prints one URL, stays until Ctrl-C and ends cleanly', async (t) => {
  const { child, output, leftovers } = start(t, [])
  while (!output().includes('\n')) await once(child.stdout, 'data')
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\//.exec(output()) ?? []
  assert.match(await (await fetch(url)).text(), /data-page="demo-welcome"/)
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal(output().match(/http:/g)?.length, 1)
  assert.deepEqual(leftovers(), [])
  await assert.rejects(fetch(url))
})

async function runDemo(t: TestContext, ...args: readonly string[]) {
  const { child, output, leftovers } = start(t, args)
  const [code] = await once(child, 'close')
  return { code, output: output(), leftovers: leftovers() }
}

/** Runs the demo with a temporary folder of its own. */
function start(t: TestContext, args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-demo-test-'))
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => {
    child.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  child.stderr.resume()
  return { child, output: () => text, leftovers: () => readdirSync(folder) }
}
