// npm run demo                  starts everything, prints the URL to open, and stays until Ctrl-C
// npm run demo -- --headless    walks through it in the terminal; exit 0 when the agent got real data from both providers
//
//   --port N            of the agent; default: a free one
//   --stop-code         headless: ends the Code provider before it is asked for consent, to see the walk fail
//   --stop-code-late    headless: ends it after it was connected, before the agent reads
//   --verbose           shows Tenon's log when all is over
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Report } from './headless/report.ts'
import { tracingFetch } from './headless/trace.ts'
import { type StopCode, walk } from './headless/walk.ts'
import { startWorld } from './world.ts'

const { values: options } = parseArgs({
  options: {
    headless: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    'stop-code': { type: 'boolean', default: false },
    'stop-code-late': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})

const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
process.exit(await run())

async function run(): Promise<number> {
  try {
    return options.headless ? await headless() : await interactive()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function interactive(): Promise<number> {
  const world = await startWorld({ port: Number(options.port), onAgentError: (error) => console.error(error) })
  console.log(`Open ${world.agentUrl}/ in a browser. Ctrl-C ends the demo.`)
  await interrupted
  await world.stop()
  if (options.verbose) console.error(world.tenon.log())
  return 0
}

async function headless(): Promise<number> {
  const report = new Report((line) => console.log(line))
  const world = await startWorld({
    port: Number(options.port),
    agentFetch: tracingFetch('agent', report),
    onAgentError: (error) => report.note(`the agent: ${error instanceof Error ? error.message : error}`),
  })
  const cancelled = interrupted.then(() => false)
  try {
    const passed = await Promise.race([walk(world, report, stopCode()), cancelled])
    if (!passed || options.verbose) console.error(world.tenon.log())
    return passed ? 0 : 1
  } finally {
    await world.stop()
  }
}

function stopCode(): StopCode {
  if (options['stop-code']) return 'before consent'
  return options['stop-code-late'] ? 'after connecting' : 'never'
}
