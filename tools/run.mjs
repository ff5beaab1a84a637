// Every npm script runs with the dependencies that the lock file names and on the Node that the project pins.
//
// Usage: node tools/run.mjs FILE [ARGUMENT…]. Plain JavaScript on purpose: it must start on whatever Node npm came with,
// before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')

if (!isInstalled()) install()
const node = pinnedNode()
if (node === undefined) fail('no pinned Node for this machine is installed; see "optionalDependencies" in package.json')
runWith(node)

/** True when node_modules holds, in the same versions, all that the lock file asks of this machine. */
function isInstalled() {
  const installed = readPackages(join(modules, '.package-lock.json'))
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (installed === undefined || wanted === undefined) return false
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.includes('node_modules/') || link) return true
    const present = installed[path]
    return present ? present.version === version : optional === true
  })
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined
}

function install() {
  console.error('Installing dependencies (npm ci) …')
  const [command, ...first] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  // npm's own output goes to standard error: standard output belongs to the script that was asked for.
  const { status } = spawnSync(command, [...first, 'ci'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) fail('npm ci failed')
}

function pinnedNode() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(optionalDependencies)
    .map((name) => join(modules, name, 'bin', 'node'))
    .find((file) => existsSync(file))
}

function runWith(node) {
  const path = [join(modules, '.bin'), process.env.PATH].join(delimiter)
  // Hundreds of processes load the same sources: what one of them compiled, the others need not.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, 'build', 'compiled')
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: compiled }
  const child = spawn(node, process.argv.slice(2), { cwd: root, stdio: 'inherit', env })
  // Ctrl-C reaches the whole group by itself; this process only has to outlive its child.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => fail(error.message))
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
}

function fail(reason) {
  console.error(`tools/run: ${reason}`)
  process.exit(1)
}
