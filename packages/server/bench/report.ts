// The exchange's section of bench/results.md: ratios first, then what they were measured on and where the time goes.
import { machineFacts } from './machine.ts'
import type { Measured } from './measure.ts'
import type { Share } from './profile.ts'
import { CONNECTIONS } from './scenarios.ts'
import type { Storm } from './storm.ts'
import { table } from './table.ts'

export interface Results {
  readonly rows: readonly Row[]
  readonly scaling: readonly Scaling[]
  readonly storms: readonly { readonly database: string; readonly storm: Storm }[]
  readonly profiles: readonly { readonly database: string; readonly shares: readonly Share[] }[]
  readonly tookSeconds: number
}

export interface Row {
  readonly database: string
  readonly title: string
  readonly measured: Measured
  /** Least ratio that this project wants to keep. */
  readonly target: number | undefined
}

export interface Scaling {
  readonly database: string
  /** Two workers, load and database on two cores, against one worker, load and database on one. */
  readonly withCore: Measured
  readonly target: number
}

export function report(results: Results): string {
  return `${[
    '## The exchange',
    'Written by `npm run bench`. Every exchange is recorded durably before it is answered; every answer is checked. The',
    'measure is a bare `node:http` server that reads the same form and answers as many bytes, run in turns with ours: `ratio` is our',
    'rate over its rate before and after, the median over the rounds; `by processor` is its processor time for an answer over ours, which says more',
    `on a machine that is busy with other things. There are ${CONNECTIONS} connections, each with one request under way, but for the rows that`,
    'name another number: where the rate is the same, the rest of them only wait for each other. `busy` is the share of the time',
    'in which the server was at work on its core.',
    '',
    table(
      ['machine', ''],
      machineFacts().map(([name, value]) => [name, value]),
    ),
    '',
    '### One process',
    table(
      [
        'database',
        'client and subject',
        'ratio',
        'by processor',
        'target',
        'a second',
        'bare',
        'p50',
        'p99',
        'processor',
        'bare',
        'busy',
      ],
      results.rows.map(({ database, title, measured, target }) => [
        database,
        title,
        ...measuredCells(measured, target),
      ]),
    ),
    '',
    '### Two workers',
    'Load generator and database share the cores with the workers: `rate` is what a second core brings when it comes with a',
    'worker, two workers on two cores over one on one.',
    '',
    table(
      ['database', 'one core', 'two cores', 'rate', 'target', 'p99: one', 'two'],
      results.scaling.map(scalingCells),
    ),
    '',
    '### Refresh storm',
    'Callers that meet one stale token at once, with a provider that takes 100 ms.',
    '',
    table(
      ['database', 'callers', 'provider calls', 'failures', 'p50', 'p99'],
      results.storms.map(({ database, storm }) => [
        database,
        String(storm.callers),
        String(storm.providerCalls),
        String(storm.failures),
        ms(storm.p50Ms),
        ms(storm.p99Ms),
      ]),
    ),
    '',
    '### Where the time goes',
    'Client secret and refresh token, a processor profile of the server while it is saturated.',
    '',
    ...results.profiles.flatMap(({ database, shares }) => [
      table(
        [database, 'share'],
        shares.filter(({ share }) => share >= 0.005).map(({ part, share }) => [part, `${Math.round(share * 100)} %`]),
      ),
      '',
    ]),
    `The whole took ${Math.round(results.tookSeconds)} seconds.`,
  ].join('\n')}\n`
}

const measuredCells = ({ ratio, base, own }: Measured, target: number | undefined): readonly string[] => [
  ratio.toFixed(3),
  (base.cpuMicros / own.cpuMicros).toFixed(3),
  target?.toFixed(2) ?? '',
  rate(own.perSecond),
  rate(base.perSecond),
  ms(own.p50Ms),
  ms(own.p99Ms),
  `${Math.round(own.cpuMicros)} µs`,
  `${Math.round(base.cpuMicros)} µs`,
  `${Math.round((own.perSecond * own.cpuMicros) / 10_000)} %`,
]

const scalingCells = ({ database, withCore, target }: Scaling): readonly string[] => [
  database,
  rate(withCore.base.perSecond),
  rate(withCore.own.perSecond),
  withCore.ratio.toFixed(2),
  target.toFixed(1),
  ms(withCore.base.p99Ms),
  ms(withCore.own.p99Ms),
]

const rate = (perSecond: number): string => Math.round(perSecond).toLocaleString('en')
const ms = (value: number): string => `${value.toFixed(1)} ms`
