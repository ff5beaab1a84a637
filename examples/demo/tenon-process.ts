// Tenon as a process of its own, started by its command line as anybody would.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface TenonProcess {
  readonly issuer: string
  /** The end of its log. */
  readonly log: () => string
  /** Resolves once it has ended. */
  stop(): Promise<void>
}

const EXECUTABLE = fileURLToPath(new URL('../../bin/tenon', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000
const KEPT_LOG_LENGTH = 20_000

/** Starts `tenon serve` on a free port. @throws {Error} it ended, or did not listen in time, with what it said. */
export async function startTenon(options: {
  readonly dataDir: string
  readonly tenantPath: string
  /** Further flags of `serve`. */
  readonly flags?: readonly string[]
}): Promise<TenonProcess> {
  const child = spawn(
    EXECUTABLE,
    [
      ...['serve', '--port', '0', '--data-dir', options.dataDir, '--tenant', options.tenantPath],
      // The providers of the demo are on loopback; anywhere else Tenon refuses to call private addresses.
      ...['--dangerously-allow-upstream-network', '127.0.0.0/8'],
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: environment() },
  )
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_LENGTH)
  })
  try {
    const issuer = await Promise.race([listening(child), ended(child), timeout()])
    return { issuer, log: () => log, stop: () => stop(child) }
  } catch (error) {
    await stop(child)
    throw new Error(`Tenon did not start: ${error instanceof Error ? error.message : error}\n${log}`)
  }
}

/** Settings of another Tenon on this machine are not for this one. */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (name.startsWith('TENON_')) delete env[name]
  return env
}

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('no standard output')
  for await (const line of createInterface({ input: stdout })) {
    const { event, issuer } = JSON.parse(line)
    // Whatever else it prints must not fill the pipe.
    stdout.resume()
    if (event === 'listening') return String(issuer)
  }
  throw new Error('it ended')
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`it ended with status ${code}`)
}

function timeout(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('it does not listen')), START_TIMEOUT_MS).unref()
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exit
  clearTimeout(timer)
}
