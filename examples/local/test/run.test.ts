import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { NAMES } from '../world.ts'

const RUN = join(import.meta.dirname, '../run.ts')

test('npm run example starts one, says what to open, and ends cleanly', async (t) => {
  assert.deepEqual(NAMES, ['langgraph-agent', 'nextjs-agent', 'spa-settings', 'suggested-linking'])
  const child = spawn(process.execPath, [RUN, 'spa-settings'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  while (!said.includes('Ctrl-C')) await once(child.stdout, 'data')
  const [, url = ''] = /Open (\S+) /.exec(said) ?? []
  assert.match(await (await fetch(url)).text(), /data-page="settings"/)
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await assert.rejects(fetch(url))
})

test('a name that there is not ends with the ones that there are', async () => {
  const child = spawn(process.execPath, [RUN, 'nothing'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  child.stderr.on('data', (text) => said.push(String(text)))
  const [code] = await once(child, 'close')
  assert.equal(code, 2)
  assert.match(said.join(''), /langgraph-agent, nextjs-agent, spa-settings, suggested-linking/)
})
