// `serve` around the smallest application that keeps its contract: sockets, workers and signals are shown by it alone.
import { Counter, Registry } from 'prom-client'
import { logProcessTroubles } from '../../src/cli/process/troubles.ts'
import { serveWith } from '../../src/cli/serve.ts'
import type { CreateApp } from '../../src/config/app-contract.ts'
import { readCommandLine } from '../../src/config/command-line.ts'
import { OPTIONS } from '../../src/config/options.ts'
import { createLog } from '../../src/lib/log.ts'

const createApp: CreateApp = async ({ issuer }) => {
  const metrics = new Registry()
  const requests = new Counter({ name: 'requests_total', help: 'Requests.', registers: [metrics] })
  return {
    handler: (request, response) => {
      requests.inc()
      if (request.url === '/die') process.exit(9)
      const answer = () => response.end(JSON.stringify({ pid: process.pid, issuer }))
      const takesTime = request.url === '/slow' || request.url === '/endless'
      if (takesTime) log.info({ event: 'slow_request' })
      if (!takesTime) answer()
      else if (request.url === '/slow') setTimeout(answer, 2000)
    },
    ready: async () => true,
    metrics,
    close: async () => {},
  }
}

const log = createLog()
logProcessTroubles(process, log)
process.emitWarning('something young', 'ExperimentalWarning')
process.emitWarning('something old', 'DeprecationWarning')
const status = await serveWith(
  {
    commandLine: readCommandLine({ argv: process.argv.slice(2), environment: process.env, options: OPTIONS }),
    environment: process.env,
    folder: process.cwd(),
    log,
    print: (line) => process.stdout.write(`${line}\n`),
  },
  async () => ({ createApp, prepareDeployment: async ({ issuer }) => log.info({ event: 'prepared', issuer }) }),
)
process.exit(status)
