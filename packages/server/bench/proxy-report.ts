// The section of bench/results.md on the proxy.
import { machineFacts } from './machine.ts'
import type { ProxyResult, Way } from './proxy.ts'
import { table } from './table.ts'

export const proxyReport = (results: readonly ProxyResult[]): string => `## The proxy

Written by \`npm run bench -- --part proxy\`. Calls of a small JSON API by two hundred people: made directly, handed on by a
bare \`node:http\` server that does nothing else, and through the proxy, which checks the caller's token, reads what decides,
adds the provider's token, has on the disk that the call goes out before it does, and its event before it answers. In turn, in
the same run; medians of the rounds.
\`adds\` is the median time of a call through the proxy less that of a direct one.

${table(
  ['machine', ''],
  machineFacts().map(([name, value]) => [name, value]),
)}

${table(
  ['database', 'connections', 'direct', 'bare pass-through', 'proxy', 'proxy to pass-through', 'adds', 'p99'],
  results.map(({ database, connections, direct, bare, own }) => [
    database,
    String(connections),
    rate(direct),
    rate(bare),
    rate(own),
    (own.perSecond / bare.perSecond).toFixed(2),
    `${(own.p50Ms - direct.p50Ms).toFixed(2)} ms`,
    `${own.p99Ms.toFixed(1)} ms`,
  ]),
)}
`

const rate = ({ perSecond }: Way): string => `${Math.round(perSecond).toLocaleString('en')}/s`
