// The package as it is published: plain JavaScript with types, which need nothing of the workspace.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = join(import.meta.dirname, '../../..')
const app = mkdtempSync(join(tmpdir(), 'tenon-sdk-'))
after(() => rmSync(app, { recursive: true, force: true }))

test('what is published runs without its sources, and its types hold in a strict project', () => {
  execFileSync(process.execPath, [join(root, 'tools/pack-sdk.ts')], { stdio: 'ignore' })
  const installed = join(app, 'node_modules/@tenon/sdk')
  mkdirSync(join(app, 'node_modules/@tenon'), { recursive: true })
  cpSync(join(root, 'packages/sdk/build'), installed, { recursive: true })
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(app, 'app.ts'),
    `import { createAgent, NotConnected, withAccount } from '@tenon/sdk'
import { startOAuth2Provider } from '@tenon/sdk/testing'
const provider = await startOAuth2Provider({ name: 'notes' })
const agent = createAgent({ issuer: provider.url, clientId: 'agent', credential: { secret: 's' } })
const tool = withAccount({ agent, connection: 'notes' }, (token, day: string) => token.accessToken.length + day.length)
const answer: string = await tool({ refreshToken: 'r' }, 'today').then(
  (result) => (result.kind === 'done' ? String(result.value) : result.connect.connection),
  (error: unknown) => (error instanceof NotConnected ? error.connect.connection : String((error as { code: string }).code)),
)
console.log(answer)
await provider.stop()
`,
  )
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022', ...types]
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...strict, 'app.ts'], { cwd: app, stdio: 'inherit' })
  const said = execFileSync(process.execPath, ['app.js'], { cwd: app, encoding: 'utf8' })
  // The provider speaks OAuth, and does not know this client.
  assert.equal(said.trim(), 'invalid_client')
})
