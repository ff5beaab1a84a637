// One command is the whole promise: format, lint, types, floors, packages, documents, references, dead code, and the tests that need no set-up.
//
// npm run check -- [--without-tests]   where npm test, which has all of them, follows
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { projectRoot } from './lib/files.ts'

type Step = { readonly name: string; readonly command: readonly string[] }
type Result = { readonly step: Step; readonly passed: boolean; readonly output: string; readonly seconds: number }

const STEPS: readonly Step[] = [
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'floors', command: ['node', 'tools/check-floors.ts'] },
  { name: 'packages', command: ['node', 'tools/check-packages.ts'] },
  { name: 'files', command: ['node', 'tools/check-files.ts'] },
  { name: 'documents', command: ['node', 'tools/check-docs.ts'] },
  { name: 'references', command: ['node', 'tools/check-reference.ts'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
]

/** Last, so that the test runner's summary closes the output. */
const TESTS: Step = { name: 'tests without set-up', command: ['node', 'tools/test.ts', '--setup-free'] }

const waiting = [...STEPS]
const results: Result[] = []
await Promise.all(Array.from({ length: availableParallelism() }, runWaiting))
const testsPassed = process.argv.includes('--without-tests') || (await runStep(TESTS, 'inherit')).passed
const failed = results.filter(({ passed }) => !passed)
if (failed.length > 0) console.error(`\nFailed: ${failed.map(({ step }) => step.name).join(', ')} (see above)`)
process.exit(failed.length === 0 && testsPassed ? 0 : 1)

async function runWaiting(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const result = await runStep(step, 'pipe')
    results.push(result)
    console.log(`${result.passed ? 'ok    ' : 'not ok'} ${step.name} (${result.seconds.toFixed(1)} s)`)
    if (!result.passed) console.log(result.output.trimEnd())
  }
}

async function runStep(step: Step, output: 'inherit' | 'pipe'): Promise<Result> {
  const [program = '', ...parameters] = step.command
  const started = performance.now()
  const child = spawn(program, parameters, { cwd: projectRoot, stdio: ['ignore', output, output] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(String(chunk)))
  const [code] = await once(child, 'close')
  return { step, passed: code === 0, output: said.join(''), seconds: (performance.now() - started) / 1000 }
}
