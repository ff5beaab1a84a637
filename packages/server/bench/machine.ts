// What was measured on: a number without its machine says nothing.
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { canPin } from './processes.ts'

export function machineFacts(): readonly (readonly [string, string])[] {
  const [first] = cpus()
  return [
    ['processor', `${first?.model.trim() ?? 'unknown'}, ${cpus().length} logical`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `${type()} ${release()}`],
    ['Node', process.version],
    ['commit', commit()],
    ['pinned', canPin ? 'server on one core; load, database and provider on the other' : 'no'],
    ['date', new Date().toISOString().slice(0, 10)],
  ]
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
