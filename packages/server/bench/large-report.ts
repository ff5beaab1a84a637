// The section of bench/results.md on many accounts.
import type { LargeResult } from './large.ts'
import { machineFacts } from './machine.ts'
import { table } from './table.ts'

export const largeReport = (results: readonly LargeResult[]): string => `## Many accounts

Written by \`npm run bench -- --large\`. The exchange (client secret, refresh token) over so many connected accounts, one to a user,
for 50,000 of the users in turn; against the bare server as above. \`of the small one\` is the ratio over the ratio with the
fewest accounts of the same database: 0.8 at least is wanted.

${table(
  ['machine', ''],
  machineFacts().map(([name, value]) => [name, value]),
)}

${table(
  ['database', 'accounts', 'ratio', 'of the small one', 'a second', 'p50', 'p99', 'processor', 'seeded in'],
  results.map((result) => [
    result.database,
    result.accounts.toLocaleString('en'),
    result.ratio.toFixed(3),
    (result.ratio / smallest(results, result).ratio).toFixed(2),
    Math.round(result.own.perSecond).toLocaleString('en'),
    `${result.own.p50Ms.toFixed(1)} ms`,
    `${result.own.p99Ms.toFixed(1)} ms`,
    `${Math.round(result.own.cpuMicros)} µs`,
    `${Math.round(result.seedSeconds)} s`,
  ]),
)}
`

const smallest = (results: readonly LargeResult[], { database }: LargeResult): LargeResult =>
  results
    .filter((one) => one.database === database)
    .reduce((least, one) => (one.accounts < least.accounts ? one : least))
