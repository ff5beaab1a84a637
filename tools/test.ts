// Every test runs, on both databases and in a real browser; a run that skips one has failed.
//
// npm test -- [--only TEXT]… [--setup-free] [--long] [--concurrency N]
//   --only         test files whose path contains TEXT
//   --setup-free   the files that need neither PostgreSQL nor a browser (what `npm run check` runs)
//   --long         as many rounds as the long suites know, and the SDKs on PostgreSQL (TENON_TEST_LONG=1)
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { ensureChromium } from './chromium.ts'
import { startPostgres } from './postgres.ts'
import { ensureSdks } from './sdks.ts'

/** In this order: long files come first, so that none of them is left running alone at the end. */
const PATTERNS = [
  'sdks/test/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'tools/test/**/*.test.ts',
]

/** Folders under `test/` whose files need no set-up. */
const SETUP_FREE = ['unit', 'lib', 'domain', 'protocol', 'properties', 'crypto', 'config', 'web']

const FILE_TIMEOUT_MS = 10 * 60_000
const LONG_FILE_TIMEOUT_MS = 120 * 60_000
/** What a file that was told to end may take before the run ends without it. */
const FILE_END_MS = 60_000

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    'setup-free': { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: String(availableParallelism()) },
  },
})

const files = PATTERNS.flatMap((pattern) => globSync(pattern).sort())
  .filter((file) => options.only.length === 0 || options.only.some((text) => file.includes(text)))
  .filter((file) => !options['setup-free'] || isSetupFree(file))

if (files.length === 0) {
  console.error(`no test file fits ${options.only.join(', ')}`)
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exit((await runWithSetup()) ? 0 : 1)

function isSetupFree(file: string): boolean {
  const folders = dirname(file).split('/')
  if (folders[0] === 'tools' || file.startsWith('packages/sdk/')) return true
  return SETUP_FREE.includes(folders[folders.indexOf('test') + 1] ?? '')
}

/** What is installed in sdks/, the examples of apps use too. */
function usesSdks(file: string): boolean {
  return file.startsWith('sdks/') || (file.startsWith('examples/') && !file.startsWith('examples/demo/'))
}

async function runWithSetup(): Promise<boolean> {
  if (options.long) process.env.TENON_TEST_LONG = '1'
  if (options['setup-free']) return runFiles()
  if (files.some(usesSdks)) ensureSdks()
  process.env.TENON_TEST_CHROMIUM = ensureChromium()
  const postgres = await startPostgres()
  process.env.TENON_TEST_POSTGRES = postgres.url
  try {
    return await runFiles()
  } finally {
    await postgres.stop()
  }
}

async function runFiles(): Promise<boolean> {
  const timeout = options.long ? LONG_FILE_TIMEOUT_MS : FILE_TIMEOUT_MS
  const tests = run({ files, concurrency: Number(options.concurrency), timeout })
  // The runner waits for as long as anything that a file started holds on to the file's output.
  const watches = new Map<string, NodeJS.Timeout>()
  tests.on('test:dequeue', ({ name, file }) => {
    if (resolve(name) === file)
      watches.set(
        name,
        setTimeout(() => leave(name), timeout + FILE_END_MS),
      )
  })
  tests.on('test:complete', ({ name, file }) => {
    if (resolve(name) === file) clearTimeout(watches.get(name))
  })
  let complete = false
  tests.on('test:summary', ({ file, success, counts }) => {
    // A summary comes for each file too; the one without a file is of the whole run.
    if (file !== undefined) return
    const left = counts.skipped + counts.todo + counts.cancelled
    if (left > 0) console.error(`${left} tests were skipped, cancelled or left to do: the run has failed`)
    complete = success && counts.passed > 0 && left === 0
  })
  await pipeline(tests, new spec(), process.stdout, { end: false })
  return complete
}

function leave(file: string): never {
  console.error(`${file} did not end: the run has failed`)
  process.exit(1)
}
