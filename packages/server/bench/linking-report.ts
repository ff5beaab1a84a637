// The section of bench/results.md on what linking costs.
import type { LinkingAct, LinkingResult } from './linking.ts'
import { machineFacts } from './machine.ts'
import { table } from './table.ts'

const TITLES: Readonly<Record<LinkingAct, string>> = {
  bare: 'four rows inserted',
  link: 'an identity added to a user',
  merge: 'two users merged',
}

export const linkingReport = (results: readonly LinkingResult[]): string => `## Linking

Written by \`npm run bench -- --part linking\`. Transactions a second on one storage connection of a process, each durable before the next of its
caller begins; \`of bare\` is the rate over that of a transaction that inserts the four rows which a link leaves (identity,
evidence, record, event) and reads nothing, in the same round. A link also locks its user, looks who has the identity, and
decides. A merge moves identity, evidence and a connected account, whose tokens are sealed anew; it keeps a sealed snapshot of
both sides, a record, two events and an alias, and queues two mails.

${table(
  ['machine', ''],
  machineFacts().map(([name, value]) => [name, value]),
)}

${table(
  ['database', 'transaction', 'callers', 'a second', 'of bare', 'p50'],
  results.map(({ database, act, callers, perSecond, ratio, p50Ms }) => [
    database,
    TITLES[act],
    String(callers),
    Math.round(perSecond).toLocaleString('en'),
    ratio.toFixed(2),
    `${p50Ms.toFixed(1)} ms`,
  ]),
)}
`
