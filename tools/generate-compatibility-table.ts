// docs/reference/auth0-compatibility.md lists every call of Auth0's SDKs that the tests make, and what came of it.
//
// Each test file of sdks/ leaves what it found in build/sdk-calls/, and fails where the table says otherwise. This writes
// the list and the page anew from there; a file that did not run keeps its rows.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './lib/files.ts'

type CallResult = 'works' | 'not yet'

export interface SdkCall {
  readonly sdk: string
  readonly version: string
  readonly call: string
  /** What the test shows. */
  readonly rule: string
  readonly result: CallResult
  /** Why not, of a call that does not work yet. */
  readonly reason?: string
  /** Of the test, from the project's root. */
  readonly file: string
}

/** Where runs leave what they found; git does not look there. */
export const RESULTS_OF_RUNS = 'build/sdk-calls'
const LIST = 'docs/reference/auth0-compatibility.json'
const PAGE = 'docs/reference/auth0-compatibility.md'

const INTRODUCTION =
  "Auth0's released SDKs, unmodified, with nothing changed but the domain they are given: each row is a call that a test " +
  'makes against a running Tenon over TLS. "Not yet" means that Tenon refuses the call, and that the test shows how the ' +
  'SDK tells its caller. Written by `tools/generate-compatibility-table.ts` from the results of the tests in `sdks/test`, ' +
  'which run on SQLite, and by `npm run test:long` on PostgreSQL.'

/** SDKs that people use with Auth0 and that no test runs, with the reason. */
const UNTESTED: readonly (readonly [packages: string, reason: string])[] = [
  [
    '`@auth0/auth0-api-js`, `@auth0/auth0-fastify`, `@auth0/auth0-fastify-api`',
    'the package registry that tests install from does not have them. They discover, read the keys, and exchange as `@auth0/auth0-auth-js` does, by access token',
  ],
  ['`@auth0/auth0-hono`, `@auth0/auth0-react`', 'thin layers over `@auth0/auth0-server-js` and `@auth0/auth0-spa-js`'],
  [
    '`@auth0/ai-langchain`, `@auth0/ai-llamaindex`',
    'frameworks of many packages around `@auth0/ai`, whose requests `@auth0/ai-vercel` sends here',
  ],
]

const RESULTS: readonly CallResult[] = ['works', 'not yet']

export function readRows(): readonly SdkCall[] {
  const file = join(projectRoot, LIST)
  // Written below.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly SdkCall[]) : []
}

/** The rows that runs found, and of the others those whose file is still there. */
export function mergeRows(told: readonly SdkCall[], found: readonly SdkCall[]): readonly SdkCall[] {
  const ran = new Set(found.map(({ file, sdk, version }) => `${file} ${sdk} ${version}`))
  const sdksOfFile = (path: string) => new Set(found.filter(({ file }) => file === path).map(({ sdk }) => sdk))
  const kept = told.filter(
    ({ file, sdk, version }) =>
      !ran.has(`${file} ${sdk} ${version}`) && !sdksOfFile(file).has(sdk) && existsSync(join(projectRoot, file)),
  )
  const keyOf = ({ sdk, version, call, rule }: SdkCall) => [sdk, version, call, rule].join('\n')
  return [...kept, ...found].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

/** Returns one line for each row that is doubled, of an SDK that is not installed in that version, or of a test that is gone. */
export function findRowProblems(
  rows: readonly SdkCall[],
  versions: ReadonlyMap<string, readonly string[]>,
  textOf: (file: string) => string | undefined,
): readonly string[] {
  const seen = new Set<string>()
  return rows.flatMap(({ sdk, version, call, rule, file }) => {
    const name = `${sdk} ${version}, ${call}: ${rule}`
    if (seen.has(name)) return [`${LIST}: "${name}" is listed twice`]
    seen.add(name)
    if (versions.get(sdk)?.includes(version) !== true) return [`${LIST}: sdks/package.json has no ${sdk} ${version}`]
    const text = textOf(file)
    if (text === undefined) return [`${LIST}: ${file} is gone`]
    return text.includes(call) ? [] : [`${LIST}: ${file} makes no call ${call}`]
  })
}

export function renderRows(rows: readonly SdkCall[]): string {
  const sdks = [...new Set(rows.map(({ sdk, version }) => `${sdk} ${version}`))]
  const counts = RESULTS.map((result) => `${rows.filter((row) => row.result === result).length} ${result}`)
  const missing = rows.filter(({ result }) => result === 'not yet')
  const summary = `${rows.length} calls of ${sdks.length} releases: ${counts.join(', ')}.`
  const sections = sdks.map((title) => {
    const own = rows.filter(({ sdk, version }) => `${sdk} ${version}` === title)
    const lines = own.map(({ call, rule, result, reason, file }) => {
      const outcome = reason === undefined ? result : `${result}: ${reason}`
      return `| \`${call}\` | ${rule} | ${outcome} | ${linkTo(file)} |`
    })
    return `## ${title}\n\n| call | what the test shows | result | test |\n| --- | --- | --- | --- |\n${lines.join('\n')}`
  })
  const open = missing.length === 0 ? [] : [`## Not yet\n\n${listByReason(missing).join('\n')}`]
  const untested = `## Not tested\n\n${UNTESTED.map(([names, why]) => `- ${names}: ${why}`).join('\n')}`
  return `${['# Compatibility with Auth0’s SDKs', INTRODUCTION, summary, ...open, untested, ...sections].join('\n\n')}\n`
}

function listByReason(rows: readonly SdkCall[]): readonly string[] {
  const reasons = [...new Set(rows.map(({ reason = '' }) => reason))].sort()
  return reasons.map((reason) => {
    const calls = rows.filter((row) => row.reason === reason).map(({ sdk, call }) => `${sdk} \`${call}\``)
    return `- ${reason}: ${[...new Set(calls)].join(', ')}`
  })
}

const linkTo = (file: string): string =>
  `[${file.replace(/^sdks\/test\//, '').replace(/\.test\.ts$/, '')}](../../${file})`

/** Versions by name, as sdks/package.json asks for them; an alias counts as the package that it stands for. */
export function readVersions(): ReadonlyMap<string, readonly string[]> {
  const { dependencies } = JSON.parse(readFileSync(join(projectRoot, 'sdks/package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  const versions = new Map<string, readonly string[]>()
  for (const [alias, wanted] of Object.entries(dependencies)) {
    const [, name = alias, version = wanted] = /^npm:(.+)@([^@]+)$/.exec(wanted) ?? []
    versions.set(name, [...(versions.get(name) ?? []), version])
  }
  return versions
}

export const readPage = (): string => readFileSync(join(projectRoot, PAGE), 'utf8')

if (import.meta.main) {
  const runs = globSync(join(projectRoot, RESULTS_OF_RUNS, '*.json'))
  const found = runs.flatMap((path) => JSON.parse(readFileSync(path, 'utf8')) as readonly SdkCall[])
  const rows = mergeRows(readRows(), found)
  writeFileSync(join(projectRoot, LIST), `${JSON.stringify(rows, undefined, 2)}\n`)
  writeFileSync(join(projectRoot, PAGE), renderRows(rows))
}
