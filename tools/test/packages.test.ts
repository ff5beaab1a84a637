import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addAbsentPlatforms, findPackageProblems, findSdkProblems, type Lock } from '../check-packages.ts'

const NOTES = '| package | saves |\n| --- | --- |\n| `kysely` | SQL |\n'
const MANIFESTS = { 'package.json': {}, 'packages/server/package.json': { dependencies: { kysely: '1.0.0' } } }
const LOCK: Lock = { packages: { '': {}, 'node_modules/kysely': { version: '1.0.0' } } }

function lockWith(packages: Lock['packages']): Lock {
  return { packages: { ...LOCK.packages, ...packages } }
}

test('a lock file with exact versions, no host and no surprise passes', () => {
  assert.deepEqual(findPackageProblems(LOCK, MANIFESTS, NOTES), [])
})

test('a lock file that names a host is refused, a link to a workspace is not', () => {
  const host = lockWith({ 'node_modules/a': { version: '1.0.0', resolved: 'https://registry.test/a.tgz' } })
  assert.equal(findPackageProblems(host, MANIFESTS, NOTES).length, 1)
  const link = lockWith({ 'node_modules/a': { resolved: 'packages/a', link: true } })
  assert.deepEqual(findPackageProblems(link, MANIFESTS, NOTES), [])
})

test('an install script is declared, allowed or denied', () => {
  const lock = lockWith({ 'node_modules/a': { version: '1.0.0', hasInstallScript: true } })
  assert.equal(findPackageProblems(lock, MANIFESTS, NOTES).length, 1)
  for (const allowed of [true, false]) {
    const manifests = { ...MANIFESTS, 'package.json': { allowScripts: { a: allowed } } }
    assert.deepEqual(findPackageProblems(lock, manifests, NOTES), [])
  }
})

test('a range is refused', () => {
  const manifests = { ...MANIFESTS, 'package.json': { devDependencies: { knip: '^6.0.0' } } }
  assert.equal(findPackageProblems(LOCK, manifests, NOTES).length, 1)
})

test('a dependency without a line, and a line without a dependency, are refused', () => {
  assert.equal(findPackageProblems(LOCK, MANIFESTS, '').length, 1)
  assert.equal(findPackageProblems(LOCK, { 'package.json': {} }, NOTES).length, 1)
})

test('a platform that the registry did not have is added with the machine that its name says', () => {
  const lock = lockWith({
    'node_modules/tool': { version: '2.0.0', dev: true, optionalDependencies: { '@tool/linux-arm64-musl': '2.0.0' } },
  })
  assert.equal(findPackageProblems(lock, MANIFESTS, NOTES).length, 1)
  const added = addAbsentPlatforms(lock)
  assert.deepEqual(added.packages['node_modules/@tool/linux-arm64-musl'], {
    version: '2.0.0',
    cpu: ['arm64'],
    dev: true,
    libc: ['musl'],
    optional: true,
    os: ['linux'],
  })
  assert.deepEqual(findPackageProblems(added, MANIFESTS, NOTES), [])
})

test('the SDKs stand in one exact version each, without hosts, and the examples use the same', () => {
  const lock = { packages: { 'node_modules/auth0': { version: '7.1.0', resolved: 'https://somewhere.test/auth0' } } }
  const sdks = { dependencies: { auth0: '7.1.0', 'auth0-v4': 'npm:auth0@4.37.1', express: '^5.0.0' } }
  const examples = { 'examples/one/package.json': { dependencies: { auth0: '7.0.0' } } }
  assert.deepEqual(findSdkProblems(lock, sdks, examples), [
    'sdks/package-lock.json: node_modules/auth0 names where it came from (see omit-lockfile-registry-resolved)',
    'sdks/package.json: express is ^5.0.0, not one version',
    'examples/one/package.json: auth0 is 7.0.0; sdks/package.json has 7.1.0',
  ])
})
