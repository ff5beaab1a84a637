// What the black-box checks once saw working goes on working: the list of their ids only grows.
//
// npm run acceptance -- [--database sqlite|postgres]   runs the ids of acceptance.json; without the option on both databases.
// TENON_ACCEPTANCE names the folder of the checks (default: ../shared/checks). Without such a folder nothing is run.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { findProgram, installDebianPackage } from './lib/debian.ts'
import { projectRoot } from './lib/files.ts'
import { startPostgres } from './postgres.ts'

type List = { readonly journeys: readonly string[]; readonly pages: readonly string[] }
interface Outcome {
  readonly id: string
  readonly ok: boolean
  /** It says itself that it cannot be run here. */
  readonly not_run?: boolean
  readonly reason?: string
  readonly ms: number
}

const LIST = 'tools/acceptance.json'
const DATABASES = ['sqlite', 'postgres'] as const
type Database = (typeof DATABASES)[number]

/** What a check does not do on a database, and where it is done instead. */
const ELSEWHERE: Readonly<Record<string, { readonly database: Database; readonly test: string }>> = {
  // It restores into a folder.
  'J12.12': { database: 'postgres', test: 'packages/server/test/storage/backup.test.ts' },
}

const folder = resolve(projectRoot, process.env.TENON_ACCEPTANCE ?? '../shared/checks')
const list = readList(readFileSync(join(projectRoot, LIST), 'utf8'))

const { values } = parseArgs({ options: { database: { type: 'string' } } })
const problems = [...shrunk(list)]
if (existsSync(join(folder, 'run.mjs'))) {
  // Side by side: what a check does most is wait.
  const databases = DATABASES.filter((database) => values.database === undefined || values.database === database)
  for (const found of await Promise.all(databases.map(runOn))) problems.push(...found)
} else console.log('acceptance: the folder of the checks does not stand; nothing was run')

for (const problem of problems) console.error(`acceptance: ${problem}`)
process.exit(problems.length === 0 ? 0 : 1)

function readList(text: string): List {
  // The cast holds: an id that is no id of a check is reported as one that did not run.
  return JSON.parse(text) as List
}

/** Ids that an earlier commit held and the list does not. A shallow clone knows fewer of them. */
function shrunk(now: List): string[] {
  if (!existsSync(join(projectRoot, '.git'))) return []
  const git = (...flags: string[]) => execFileSync('git', flags, { cwd: projectRoot, encoding: 'utf8' })
  const commits = git('log', '--format=%H', '--diff-filter=AM', '--', LIST).split('\n').filter(Boolean)
  const earlier = new Set(commits.map((commit) => readList(git('show', `${commit}:${LIST}`))).flatMap(idsOf))
  return [...earlier.difference(new Set(idsOf(now)))].map((id) => `${id} left the list, which only grows`)
}

function idsOf({ journeys, pages }: List): string[] {
  return [...journeys, ...pages]
}

async function runOn(database: Database): Promise<string[]> {
  if (idsOf(list).length === 0) return []
  const postgres = database === 'postgres' ? await startPostgres() : undefined
  // The checks make their databases with psql.
  if (postgres && findProgram('psql') === undefined) installDebianPackage('postgresql-client', 'no psql found')
  try {
    const all = await runSuites(database, postgres ? { TENON_CHECK_POSTGRES: postgres.url } : {})
    const outcomes = all.filter(({ id, not_run: notRun }) => !(notRun && ELSEWHERE[id]?.database === database))
    const failed = outcomes
      .filter(({ ok }) => !ok)
      .map(({ id, reason }) => `${id} on ${database}: ${reason ?? 'failed'}`)
    const seen = new Set(all.map(({ id }) => id))
    const absent = idsOf(list).filter((id) => ![...seen].some((one) => one === id || one.startsWith(`${id}.`)))
    console.log(`acceptance on ${database}: ${outcomes.length - failed.length} of ${outcomes.length} passed`)
    return [...failed, ...absent.map((id) => `${id} on ${database}: there is no such check`)]
  } finally {
    await postgres?.stop()
  }
}

async function runSuites(database: Database, env: Record<string, string>): Promise<Outcome[]> {
  const suites = (['journeys', 'pages'] as const).filter((suite) => list[suite].length > 0)
  const flags = [...suites, '--only', idsOf(list).join(','), '--database', database, '--json']
  const child = spawn(process.execPath, [join(folder, 'run.mjs'), ...flags], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const outcomes: Outcome[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const outcome = parseOutcome(line)
    if (outcome === undefined) continue
    outcomes.push(outcome)
    console.log(`${markOf(outcome)} ${outcome.id} on ${database} (${outcome.ms} ms)`)
  }
  return outcomes
}

function markOf({ id, ok, not_run: notRun }: Outcome): string {
  if (ok) return 'ok     '
  return notRun ? `not run (${ELSEWHERE[id]?.test ?? 'nowhere else'})` : 'not ok '
}

function parseOutcome(line: string): Outcome | undefined {
  if (!line.startsWith('{"id":')) return undefined
  // The cast holds: these lines are the interface of the checks (`--json`).
  return JSON.parse(line) as Outcome
}
