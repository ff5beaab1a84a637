// The Auth0 SDKs that tests and examples use are installed from the lock file of sdks/, once, and again when it changes.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from './lib/files.ts'

const FOLDER = join(projectRoot, 'sdks')

interface Locked {
  readonly version?: string
  readonly optional?: boolean
}

/**
 * Installs what the lock file of `sdks/` names, when something else or nothing is there, and lets the examples use it. It is no part of the project's
 * own installation: who only runs the server never needs it.
 *
 * @throws {Error} npm could not install them.
 */
export function ensureSdks(): void {
  if (!areInstalled()) install()
  linkExamples()
}

/** An example that somebody installed by itself keeps what it has. */
function linkExamples(): void {
  for (const manifest of globSync('examples/*/package.json', { cwd: projectRoot })) {
    const link = join(projectRoot, dirname(manifest), 'node_modules')
    if (!existsSync(link)) symlinkSync(join('..', '..', 'sdks', 'node_modules'), link)
  }
}

function install(): void {
  console.error('Installing the SDKs (npm ci in sdks/) …')
  const [command = 'npm', ...first] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  // A script of npm hands its own settings on; those of sdks/.npmrc must win over them.
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (/^npm_(?:config|package)_/i.test(name)) delete env[name]
  const { status, error } = spawnSync(command, [...first, 'ci'], { cwd: FOLDER, env, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`npm ci failed in sdks/: ${error?.message ?? `status ${status}`}`)
}

function areInstalled(): boolean {
  const installed = readPackages('node_modules/.package-lock.json')
  const wanted = readPackages('package-lock.json')
  if (installed === undefined || wanted === undefined) return false
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const present = installed[path]
    return present === undefined ? optional === true : present.version === version
  })
}

function readPackages(name: string): Readonly<Record<string, Locked>> | undefined {
  const file = join(FOLDER, name)
  if (!existsSync(file)) return undefined
  // The cast holds for files that npm itself writes.
  return (JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> }).packages
}

if (import.meta.main) ensureSdks()
