// The benchmarks: the exchange as ratios to a bare HTTP server measured in the same run; and, when named, linking as ratios
// to a bare transaction, calls through the proxy beside a bare pass-through, imports. Writes their sections of
// bench/results.md.
//
// npm run bench -- [--large] [--part exchange|linking|proxy|import|large]… [--database sqlite|postgres]…
//   --large      a hundred thousand and a million accounts as well; takes long
//   --part       this one instead of the exchange
//   --database   only this one; nothing is written then
//   --accounts   for `large` and `import`, other sizes to try it out with; nothing is written then
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Database, deploy } from './deployment.ts'
import { IMPORT_SIZES, type ImportResult, importing } from './import.ts'
import { importReport } from './import-report.ts'
import { type LargeResult, large, SIZES } from './large.ts'
import { largeReport } from './large-report.ts'
import { type LinkingResult, linking } from './linking.ts'
import { linkingReport } from './linking-report.ts'
import { type Measured, measure, type Side } from './measure.ts'
import { ALL_CORES, SERVER_CORE, type Server, startLoad, startServer } from './processes.ts'
import { profile } from './profile.ts'
import { type ProxyResult, proxying } from './proxy.ts'
import { proxyReport } from './proxy-report.ts'
import { type Results, report } from './report.ts'
import { CONNECTIONS, runScenario, SCENARIOS, type ScenarioName, type Tools } from './scenarios.ts'
import { keepSection } from './sections.ts'
import { storm } from './storm.ts'

const DATABASES: readonly Database[] = ['sqlite', 'postgres']
/** Least ratios that the project wants to keep. */
const TARGETS = {
  sqlite: { secret: 0.18, assertion: 0.15, access_token: 0.15, workers: 1.4 },
  postgres: { secret: 0.12, assertion: 0.15, access_token: 0.15, workers: 1.7 },
} as const

/** Enough for nearly the whole rate, and few enough that none of them waits for long. */
const CALM_CONNECTIONS = 20
/** Of what is warm already, and long enough that a round's beginning is not what is measured. */
const CALM_ROUNDS = { seconds: 1.5, warmSeconds: 1 } as const

/** For each worker: a core that database and load share is never idle. */
const CROWD_CONNECTIONS = 32

const { values: options } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true, default: [] },
    accounts: { type: 'string', multiple: true, default: [] },
    database: { type: 'string', multiple: true, default: [] },
  },
})

const startedAtMs = performance.now()
const databases = DATABASES.filter((one) => options.database.length === 0 || options.database.includes(one))
const parts = options.part.length > 0 ? options.part : ['exchange', ...(options.large ? ['large'] : [])]
const isWhole = databases.length === DATABASES.length && options.accounts.length === 0
const [load, bare] = [await startLoad(), await startBare(SERVER_CORE)]
const tools: Tools = { load, bare }
if (parts.includes('exchange')) tell('exchange', report(await runAll(tools)))
if (parts.includes('linking')) tell('linking', linkingReport(await runLinking()))
if (parts.includes('proxy')) tell('proxy', proxyReport(await runProxy(load)))
if (parts.includes('import')) tell('import', importReport(await runImports()))
if (parts.includes('large')) tell('large', largeReport(await runLarge(tools)))
load.stop()
await bare.stop()
process.exit(0)

function tell(section: string, text: string): void {
  console.log(`\n${text}`)
  if (isWhole) keepSection(section, text)
}

async function runLinking(): Promise<readonly LinkingResult[]> {
  const results: LinkingResult[] = []
  for (const database of databases) results.push(...(await linking(database)))
  return results
}

async function runProxy(load: Tools['load']): Promise<readonly ProxyResult[]> {
  const results: ProxyResult[] = []
  for (const database of databases) results.push(...(await proxying(database, load)))
  return results
}

async function runImports(): Promise<readonly ImportResult[]> {
  const sizes = options.accounts.length > 0 ? options.accounts.map(Number) : IMPORT_SIZES
  const results: ImportResult[] = []
  for (const database of databases) results.push(...(await importing(database, sizes)))
  return results
}

async function runLarge(tools: Tools): Promise<readonly LargeResult[]> {
  const sizes = options.accounts.length > 0 ? options.accounts.map(Number) : SIZES
  const results: LargeResult[] = []
  for (const database of databases) results.push(...(await large(database, tools, sizes)))
  return results
}

async function runAll(tools: Tools): Promise<Results> {
  const parts: Omit<Results, 'tookSeconds'>[] = []
  for (const database of databases) parts.push(await runDatabase(database, tools))
  return {
    rows: parts.flatMap(({ rows }) => rows),
    scaling: parts.flatMap(({ scaling }) => scaling),
    storms: parts.flatMap(({ storms }) => storms),
    profiles: parts.flatMap(({ profiles }) => profiles),
    tookSeconds: (performance.now() - startedAtMs) / 1000,
  }
}

async function runDatabase(database: Database, tools: Tools): Promise<Omit<Results, 'tookSeconds'>> {
  const { rows, storms } = await oneProcess(database, tools)
  return {
    rows,
    storms,
    scaling: [await workers(database)],
    profiles: [{ database, shares: await profile(database, tools.load) }],
  }
}

async function oneProcess(database: Database, tools: Tools): Promise<Pick<Results, 'rows' | 'storms'>> {
  const deployment = await deploy({ database })
  try {
    const rows: Results['rows'][number][] = []
    // The order of `SCENARIOS`, whose keys are these names.
    for (const name of Object.keys(SCENARIOS) as ScenarioName[]) {
      const measured = await runScenario(name, deployment, tools, { connections: CONNECTIONS })
      rows.push({ database, title: SCENARIOS[name].title, measured, target: TARGETS[database][name] })
      say(`${database}, ${SCENARIOS[name].title}`, measured)
    }
    const how = { connections: CALM_CONNECTIONS, ...CALM_ROUNDS }
    const calm = await runScenario('secret', deployment, tools, how)
    const title = `${SCENARIOS.secret.title}, ${CALM_CONNECTIONS} connections`
    rows.push({ database, title, measured: calm, target: undefined })
    say(`${database}, ${title}`, calm)
    return { rows, storms: [{ database, storm: await storm(deployment, tools.load) }] }
  } finally {
    await deployment.close()
  }
}

/** What a second worker brings with a core of its own: in turn, on servers that stand side by side. */
async function workers(database: Database): Promise<Results['scaling'][number]> {
  const [one, two] = [await crowd(database, 1, SERVER_CORE), await crowd(database, 2, ALL_CORES)]
  try {
    const withCore = await measure(one.side, two.side)
    say(`${database}, two workers on two cores against one on one`, withCore)
    return { database, withCore, target: TARGETS[database].workers }
  } finally {
    await one.close()
    await two.close()
  }
}

/** Workers, database and load on the same cores; as much for each worker to do as one alone has. */
async function crowd(database: Database, workers: number, cores: string) {
  const load = await startLoad(cores)
  const deployment = await deploy({ database, workers, cores, company: cores })
  const prepared = await SCENARIOS.secret.prepare(deployment)
  const side: Side = { load, server: deployment.server, ...prepared, connections: CROWD_CONNECTIONS * workers }
  return {
    side,
    async close() {
      await deployment.close()
      load.stop()
    },
  }
}

function startBare(cores: string): Promise<Server> {
  return startServer({ cores, command: [process.execPath, join(import.meta.dirname, 'bare-server.ts')] })
}

function say(what: string, { ratio, own }: Measured): void {
  const [perSecond, p99] = [Math.round(own.perSecond), own.p99Ms.toFixed(1)]
  console.log(`${what}: ratio ${ratio.toFixed(3)}, ${perSecond} a second, p99 ${p99} ms`)
}
