// The processes of a bench: servers on one core, load and database on the other, where the system can pin them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Round, RoundResult } from './load.ts'

export const SERVER_CORE = '0'
export const LOAD_CORE = '1'
export const ALL_CORES = '0-1'

/** Pinning wants Linux and two cores at least. */
export const canPin = existsSync('/usr/bin/taskset') && availableParallelism() >= 2

/** None of ours outlives the bench, however that ends. */
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

function keepTrack<C extends ChildProcess>(child: C): C {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

const root = join(import.meta.dirname, '../../..')
export const tenonCommand = join(root, 'bin/tenon')

/** Moves this process, and so what it starts from now on unless told otherwise. */
export function pinSelf(cores: string): void {
  if (canPin) execFileSync('taskset', ['-cp', cores, String(process.pid)], { stdio: 'ignore' })
}

export interface Server {
  readonly url: string
  /** Seconds of processor time that it and its children have used. */
  cpuSeconds(): number
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly cores: string
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a server and waits for its line on standard output. @throws it ended before, with what it said. */
export async function startServer({ cores, command, environment = {} }: ServerOptions): Promise<Server> {
  const [program = '', ...args] = canPin ? ['taskset', '-c', cores, ...command] : command
  const env = { ...process.env, ...environment }
  const child = keepTrack(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env }))
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = (said + String(chunk)).slice(-3000)
  })
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit')])
  if (child.exitCode !== null || typeof first[0] !== 'string') throw new Error(`${program} did not start: ${said}`)
  const { url }: { url: string } = JSON.parse(first[0])
  return { url, cpuSeconds: () => cpuSecondsOf(child.pid ?? 0), stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

const TICKS_PER_SECOND = 100

function cpuSecondsOf(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0
  // The name in the second field may hold blanks; numbers begin after it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own)
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const file = `/proc/${pid}/task/${task}/children`
    return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : []
  })
}

export interface Load {
  run(round: Round): Promise<RoundResult>
  stop(): void
}

export async function startLoad(cores = LOAD_CORE): Promise<Load> {
  const command = [process.execPath, join(import.meta.dirname, 'load.ts')]
  const [program = '', ...args] = canPin ? ['taskset', '-c', cores, ...command] : command
  const child = keepTrack(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  let hear: (message: unknown) => void = () => {}
  const next = () =>
    new Promise<unknown>((resolve) => {
      hear = resolve
    })
  const ready = next()
  child.on('message', (message) => hear(message))
  child.on('exit', () => hear(undefined))
  await ready
  return {
    async run(round) {
      const answer = next()
      child.send(round)
      const result = await answer
      if (result === undefined) throw new Error('the load generator ended')
      // Our own child, from load.ts.
      return result as RoundResult
    },
    stop: () => {
      child.kill()
    },
  }
}
