// Feeds a parser with what is nearly right, for as long as told; ends with 1 when something was found.
//
// npm run fuzz -- saml|token-answer [--seconds 300] [--first NUMBER]
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { samlTarget } from '../packages/server/test/fuzz/saml.ts'
import { fuzz, type Progress, type Target } from '../packages/server/test/fuzz/target.ts'
import { tokenAnswerTarget } from '../packages/server/test/fuzz/token-answer.ts'

const TARGETS: Readonly<Record<string, () => Promise<Target>>> = { saml: samlTarget, 'token-answer': tokenAnswerTarget }
/** A worker that says nothing for so long hangs in an input. */
const SILENCE_MS = 10_000
const ROUND = 100

type Job = { readonly name: string; readonly first: number }

if (isMainThread) await watch()
else await work(workerData as Job)

async function watch(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '300' }, first: { type: 'string', default: '1' } },
    allowPositionals: true,
  })
  const [name = ''] = positionals
  if (!Object.hasOwn(TARGETS, name)) throw new Error(`one of ${Object.keys(TARGETS).join(', ')}`)
  const job: Job = { name, first: Number(values.first) }
  const worker = new Worker(new URL(import.meta.url), { workerData: job })
  const outcomes = new Map<string, number>()
  const until = performance.now() + Number(values.seconds) * 1000
  let next = job.first
  const hang = () => end(`hangs in one of the ${ROUND} inputs from ${next} on`)
  let silence = setTimeout(hang, SILENCE_MS)
  worker.on('error', (error) => end(String(error)))
  worker.on('message', (round: Progress) => {
    clearTimeout(silence)
    silence = setTimeout(hang, SILENCE_MS)
    next += round.inputs
    for (const [outcome, count] of round.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count)
    for (const { number, what } of round.findings) console.error(`input ${number}: ${what}`)
    if (round.findings.length > 0) end('found something')
    if (performance.now() > until) end()
  })

  function end(problem?: string): never {
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${outcome} ${count}`)
    console.log(`${name}: ${next - job.first} inputs from ${job.first} on: ${counts.join(', ')}`)
    if (problem !== undefined) console.error(problem)
    process.exit(problem === undefined ? 0 : 1)
  }
}

async function work({ name, first }: Job): Promise<void> {
  const target = await TARGETS[name]?.()
  if (target === undefined) throw new Error(`no target ${name}`)
  for (let from = first; ; from += ROUND) parentPort?.postMessage(await fuzz(target, from, (inputs) => inputs >= ROUND))
}
