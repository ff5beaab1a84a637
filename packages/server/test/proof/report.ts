// What a search prints: where it began, what was tried, how far it got, and the way to a violation.
import type { Root } from './roots.ts'
import type { Found, Result } from './search.ts'
import type { Seed } from './seeds.ts'

export function reportSearch(roots: readonly Root[], { alphabet, levels }: Result): string {
  const moves = [...alphabet].sort()
  const rows = levels.map(
    ({ depth, share, states, transitions, seconds }) =>
      `  depth ${depth}${share < 1 ? ` (${Math.floor(share * 100)} % of it)` : ''}: ` +
      `${states} states, ${transitions} transitions, ${seconds.toFixed(1)} s`,
  )
  return lines([
    `linking, searched from ${roots.length} states with ${alphabet.size} moves`,
    ...roots.map(({ name, moves: before }) => `  from where ${name} (${before.length} moves in)`),
    ...WHO.map((who) => `  the ${who} can ${namesOf(moves, who).join('; ')}`),
    ...rows,
    `  ${levels.at(-1)?.states ?? 0} states visited`,
  ])
}

const WHO = ['victim', 'attacker'] as const
const namesOf = (moves: readonly string[], who: string): readonly string[] =>
  moves.filter((move) => move.startsWith(`${who}: `)).map((move) => move.slice(who.length + 2))

export const reportFound = ({ name }: Seed, { what, trace, depth }: Found): string =>
  lines([`planted: ${name}`, `  found at depth ${depth}: ${what}`, ...trace.map((step) => `    ${step}`)])

const lines = (text: readonly string[]): string => `${text.join('\n')}\n`
