// What the kill runs of linking came to.
import { keepSection } from '../../bench/sections.ts'
import type { ActName } from './link-state.ts'

export interface LinkRun {
  readonly database: string
  readonly act: ActName
  /** `acknowledged`: answered before the kill. Of those under way at the kill: whether they had happened. */
  readonly outcome: 'acknowledged' | 'there' | 'absent'
}

export function report(kills: Readonly<Record<string, number>>, runs: readonly LinkRun[]): string {
  const names = [...new Set(runs.map(({ database, act }) => `${database} | ${act}`))].sort()
  const lines = names.map((name) => {
    const alike = runs.filter(({ database, act }) => `${database} | ${act}` === name)
    const count = (outcome: LinkRun['outcome']) => alike.filter((run) => run.outcome === outcome).length
    return `| ${name} | ${count('acknowledged')} | ${count('there') + count('absent')} | ${count('there')} | ${count('absent')} | 0 | 0 |`
  })
  const killed = Object.entries(kills).map(([database, count]) => `${count} on ${database}`)
  return `Kills: ${killed.join(', ')}.

| database | act | acknowledged | under way at a kill | wholly there | wholly absent | half done | acknowledged and lost |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}

export function keep(kills: Readonly<Record<string, number>>, runs: readonly LinkRun[]): void {
  keepSection(
    'link-kill-runs',
    `## Killed while linking

\`kill -9\` at a moment of chance while people are linked, merged, parted and unlinked without pause, and a new start. What stood
before is compared with all that the server shows afterwards: identities, metadata, connected accounts, aliases, links, events;
everybody signs in as who they are, and every token opens. A half-done or lost act fails the run.

${report(kills, runs)}`,
  )
}
