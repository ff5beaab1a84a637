// Runs a program of ours as an operator would.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownEnvironment } from '../support/environment.ts'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly url: string
  readonly issuer: string
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<Ended>
  /** Ends it for good and removes its data. */
  close(): Promise<void>
}

const TENON = join(import.meta.dirname, '../../../../bin/tenon')
const SMALL_APP = join(import.meta.dirname, 'small-app.ts')

/** `bin/tenon` to its end. */
export async function runTenon(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(TENON, args, environment).ended
}

/** `serve` of the small application, once it listens. */
export async function startSmallApp(flags: readonly string[] = [], dataDir = scratch()): Promise<Running> {
  const running = start(process.execPath, [SMALL_APP, '--port', '0', '--data-dir', dataDir, ...flags], {})
  const line = await Promise.race([
    running.firstLine,
    running.ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  const { url, issuer } = JSON.parse(line)
  return {
    ...running,
    dataDir,
    url,
    issuer,
    async close() {
      running.child.kill('SIGKILL')
      await running.ended
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export const scratch = (): string => join(mkdtempSync(join(tmpdir(), 'tenon-cli-')), 'data')

function start(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(program, args, {
    env: { ...ownEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  const { promise: firstLine, resolve } = Promise.withResolvers<string>()
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    const [line, rest] = stdout.split('\n')
    if (line !== undefined && rest !== undefined) resolve(line)
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((done) => child.once('close', (code) => done({ code, stdout, stderr })))
  return { child, firstLine, ended, stdout: () => stdout, stderr: () => stderr }
}
