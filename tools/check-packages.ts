// The lock file names every platform and no host; install scripts are declared; every dependency says what it saves.
//
// npm run check:packages -- --fix writes into the lock file the platforms that the registry in use did not have: npm
// leaves such optional packages out, and then `npm ci` refuses its own lock file.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, projectRoot, reportProblems } from './lib/files.ts'

type LockEntry = {
  version?: string
  resolved?: string
  link?: boolean
  dev?: boolean
  optional?: boolean
  hasInstallScript?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}
export type Lock = { packages: Record<string, LockEntry> }
export type Manifest = {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  allowScripts?: Record<string, boolean>
}

const OPERATING_SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

/** Returns the optional packages that entries of the lock file name and that it does not hold. */
export function findAbsentPlatforms(lock: Lock): { name: string; version: string; dev: boolean }[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !isHeld(lock, path, name))
      .map(([name, version]) => ({ name, version, dev: entry.dev === true })),
  )
}

/** npm looks in the package's own node_modules, then in those of the folders above it. */
function isHeld(lock: Lock, path: string, name: string): boolean {
  if (lock.packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`] !== undefined) return true
  if (path === '') return false
  const above = path.lastIndexOf('/node_modules/')
  return isHeld(lock, above === -1 ? '' : path.slice(0, above), name)
}

/** Adds the absent platforms, with what their names say about the machines they are for. */
export function addAbsentPlatforms(lock: Lock): Lock {
  const packages = { ...lock.packages }
  for (const { name, version, dev } of findAbsentPlatforms(lock)) {
    if (!EXACT.test(version)) throw new Error(`${name}: ${version} is a range; its lock entry cannot be derived`)
    packages[`node_modules/${name}`] = entryOf(name, version, dev)
  }
  const sorted = Object.entries(packages).sort(([left], [right]) => left.localeCompare(right, 'en'))
  return { ...lock, packages: Object.fromEntries(sorted) }
}

/** The members stand in the order in which npm itself writes them. */
function entryOf(name: string, version: string, dev: boolean): LockEntry {
  const words = name.split(/[/-]/)
  const os = OPERATING_SYSTEMS.find((word) => words.includes(word))
  const cpu = PROCESSORS.find((word) => words.includes(word))
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not say which machine it is for`)
  const libc = ['musl', 'gnu'].find((word) => words.some((part) => part.startsWith(word)))
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc ? { libc: [libc === 'gnu' ? 'glibc' : libc] } : {}),
    optional: true,
    os: [os],
  }
}

/** Returns one line for each thing in the lock file and the manifests that breaks the rule. */
export function findPackageProblems(
  lock: Lock,
  manifests: Readonly<Record<string, Manifest>>,
  notes: string,
): string[] {
  const absent = findAbsentPlatforms(lock).map(({ name }) => `package-lock.json: ${name} is missing; run with --fix`)
  const hosts = Object.entries(lock.packages)
    .filter(([, { resolved, link }]) => resolved !== undefined && link !== true)
    .map(([path]) => `package-lock.json: ${path} names where it came from (see omit-lockfile-registry-resolved)`)
  return [
    ...absent,
    ...hosts,
    ...undeclaredScripts(lock, manifests),
    ...inexact(manifests),
    ...unexplained(manifests, notes),
  ]
}

/** Returns one line for each thing in `sdks/` and the examples that breaks the rule: they share one lock file. */
export function findSdkProblems(
  lock: Lock,
  sdks: Manifest,
  examples: Readonly<Record<string, Manifest>>,
): readonly string[] {
  const hosts = Object.entries(lock.packages)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(([path]) => `sdks/package-lock.json: ${path} names where it came from (see omit-lockfile-registry-resolved)`)
  const loose = Object.entries(sdks.dependencies ?? {})
    .filter(([, version]) => !EXACT.test(version.replace(/^npm:.+@/, '')))
    .map(([name, version]) => `sdks/package.json: ${name} is ${version}, not one version`)
  const other = Object.entries(examples).flatMap(([file, { dependencies = {} }]) =>
    Object.entries(dependencies)
      .filter(([name, version]) => sdks.dependencies?.[name] !== version)
      .map(([name, version]) => `${file}: ${name} is ${version}; sdks/package.json has ${sdks.dependencies?.[name]}`),
  )
  return [...hosts, ...loose, ...other]
}

function undeclaredScripts(lock: Lock, manifests: Readonly<Record<string, Manifest>>): string[] {
  const declared = manifests['package.json']?.allowScripts ?? {}
  return (
    Object.entries(lock.packages)
      .filter(([, { hasInstallScript, link }]) => hasInstallScript && !link)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
      // By name alone: a lock file without hosts gives npm no version to trust. The digest in the lock file is the pin.
      .filter((name) => declared[name] === undefined)
      .map((name) => `package.json: allowScripts says nothing about ${name}`)
  )
}

function inexact(manifests: Readonly<Record<string, Manifest>>): string[] {
  return Object.entries(manifests).flatMap(([file, { dependencies, devDependencies, optionalDependencies }]) =>
    Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !EXACT.test(version))
      .map(([name, version]) => `${file}: ${name} is ${version}, not one version`),
  )
}

function unexplained(manifests: Readonly<Record<string, Manifest>>, notes: string): string[] {
  const needed = new Set(
    Object.entries(manifests)
      .filter(([file]) => file.startsWith('packages/'))
      .flatMap(([, { dependencies }]) => Object.keys(dependencies ?? {})),
  )
  const explained = new Set([...notes.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? ''))
  return [
    ...[...needed.difference(explained)].map((name) => `${NOTES}: no line says what ${name} saves`),
    ...[...explained.difference(needed)].map((name) => `${NOTES}: nothing depends on ${name} any more`),
  ]
}

const NOTES = 'docs/notes/dependencies.md'

function readJson<T>(path: string): T {
  // The cast holds for files that npm itself writes and reads.
  return JSON.parse(readFileSync(join(projectRoot, path), 'utf8')) as T
}

if (import.meta.main) {
  const lock = readJson<Lock>('package-lock.json')
  if (process.argv.includes('--fix')) {
    writeFileSync(join(projectRoot, 'package-lock.json'), `${JSON.stringify(addAbsentPlatforms(lock), null, 2)}\n`)
  } else {
    const files = listFiles().filter((path) =>
      /^(?:package|packages\/[^/]+\/package|examples\/[^/]+\/package)\.json$/.test(path),
    )
    const manifests = Object.fromEntries(files.map((path) => [path, readJson<Manifest>(path)]))
    const examples = Object.fromEntries(Object.entries(manifests).filter(([file]) => file.startsWith('examples/')))
    reportProblems('a clone installs the same packages everywhere, and each is worth it', [
      ...findPackageProblems(lock, manifests, readFileSync(join(projectRoot, NOTES), 'utf8')),
      ...findSdkProblems(readJson('sdks/package-lock.json'), readJson('sdks/package.json'), examples),
    ])
  }
}
