import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { Browser } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { runTenon, scratch } from './run.ts'

test('console link: prints one link, which opens the console of a server that is running, once', async () => {
  const server = await startServer()
  const args = ['console', 'link', '--data-dir', server.dataDir, '--issuer', server.issuer]
  const { code, stdout, stderr } = await runTenon(args)
  assert.equal(code, 0, stderr)
  const link = stdout.trim()
  assert.match(link, new RegExp(`^${server.issuer}console/enter\\?ticket=[\\w-]{43}$`))
  const ticket = new URL(link).searchParams.get('ticket') ?? ''
  assert.ok(!stderr.includes(ticket), 'the log holds no ticket')
  assert.ok(!JSON.stringify(await eventsOf(server, 'console.link_made')).includes(ticket))
  const browser = new Browser()
  await browser.open(link)
  await browser.submit('console-enter', { action: 'continue' })
  assert.equal(browser.page.name, 'console-home')
  assert.match(browser.page.text, /No operator is named/)
  assert.equal((await new Browser().open(link)).error, 'ticket_invalid')
  const next = await runTenon(args)
  assert.notEqual(next.stdout, stdout)
})

test('console link: leads to the listening URL when no issuer is given, and says what is missing where none can be told', async () => {
  const dataDir = scratch()
  const run = (...args: string[]) => runTenon([...args, '--data-dir', dataDir])
  try {
    assert.equal((await run('migrate')).code, 0)
    const unkeyed = await run('console', 'link')
    assert.equal(unkeyed.code, 2, 'without the vault key of the database')
    const server = await startServer()
    const beside = (...args: string[]) => runTenon(['console', 'link', '--data-dir', server.dataDir, ...args])
    assert.match((await beside()).stdout, /^http:\/\/127\.0\.0\.1:4000\/console\/enter\?ticket=/)
    assert.match((await beside('--port', '4711')).stdout, /^http:\/\/127\.0\.0\.1:4711\/console\/enter\?ticket=/)
    const { code, stdout, stderr } = await beside('--port', '0')
    assert.deepEqual([code, stdout, JSON.parse(stderr).pointer], [2, '', '--issuer'])
  } finally {
    rmSync(dirname(dataDir), { recursive: true, force: true })
  }
})
