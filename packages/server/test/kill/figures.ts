// What the kill runs came to, printed after each run of the suite and, in the long one, kept with the benchmarks.
import { keepSection } from '../../bench/sections.ts'
import type { Step } from './steps.ts'

export type Outcome = 'working' | 'reconnect_required' | 'silent'

export interface Run {
  readonly database: string
  readonly graceSeconds: number
  readonly step: Step
  readonly outcome: Outcome
  /** From the start of the next process. */
  readonly seconds: number
  /** Consents that the provider ended because a replaced refresh token was used again. */
  readonly reuses: number
}

export function report(runs: readonly Run[]): string {
  const lines = [...new Set(runs.map(nameOf))].map((name) => {
    const alike = runs.filter((run) => nameOf(run) === name)
    const count = (outcome: Outcome) => alike.filter((run) => run.outcome === outcome).length
    const slowest = Math.max(...alike.map(({ seconds }) => seconds)).toFixed(1)
    const reuses = alike.reduce((sum, run) => sum + run.reuses, 0)
    return `| ${name} | ${alike.length} | ${count('working')} | ${count('reconnect_required')} | ${count('silent')} | ${reuses} | ${slowest} s |`
  })
  return `| database | provider's grace | runs | survived | reconnect_required | silent deaths | ended by reuse | slowest |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}

const nameOf = ({ database, graceSeconds }: Run) => `${database} | ${graceSeconds} s`

/** Writes the figures into their section of the benchmark results. */
export function keep(runs: readonly Run[]): void {
  keepSection(
    'kill-runs',
    `## Killed while refreshing

\`kill -9\` at each step of a provider refresh, and a new start: working again, or told to connect again, within 12 seconds.

${report(runs)}`,
  )
}
