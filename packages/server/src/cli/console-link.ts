// `tenon console link`: opens the console once to whoever may run commands here, before any operator is named.
import { urlOf } from '../config/listening-url.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { CONSOLE_LINK_SECONDS, issueConsoleLink } from '../sessions/console-sessions.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { configOf, withDeployment } from './deployment-access.ts'

/** Prints the link, and nothing else on standard output. */
export const consoleLink = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ storage, clock }) => {
    const issuer = issuerOf(configOf(input))
    const { ticket } = await storage.transaction((tx) => issueConsoleLink(tx, clock()))
    input.print(`${issuer}console/enter?ticket=${ticket}`)
    input.log.info({ event: 'console_link', seconds: CONSOLE_LINK_SECONDS }, 'the link opens the console once')
    return 0
  })

/** The public URL, as `serve` with the same flags has it. */
function issuerOf(config: ServerConfig): string {
  if (config.issuer !== undefined) return config.issuer
  if (config.port !== 0) return urlOf(config)
  throw new ConfigError({
    code: 'missing_value',
    pointer: '--issuer',
    found: 'nothing',
    expected: 'the public URL, for --port 0 tells none',
  })
}
