// Everything that runs in the demo: two providers, Tenon, the agent.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CalendarProvider, type CodeProvider, startCalendarProvider, startCodeProvider } from '@tenon/sdk/testing'
import { type Listener, listen, serveAgent } from './agent/server.ts'
import { tenantFile } from './tenant.ts'
import { startTenon, type TenonProcess } from './tenon-process.ts'

export interface World {
  readonly calendar: CalendarProvider
  readonly code: CodeProvider
  readonly tenon: TenonProcess
  readonly agentUrl: string
  /** Ends every part and removes what was written. May be called twice. */
  stop(): Promise<void>
}

export interface WorldOptions {
  /** Of the agent; 0 takes a free one. */
  readonly port: number
  /** Sees every call that the agent makes. */
  readonly agentFetch?: typeof fetch
  readonly onAgentError: (error: unknown) => void
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const cleanups: (() => Promise<void>)[] = []
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= cleanUp(cleanups)
    return stopping
  }
  try {
    return { ...(await start(options, (cleanup) => void cleanups.unshift(cleanup))), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  { port, agentFetch, onAgentError }: WorldOptions,
  later: (cleanup: () => Promise<void>) => void,
): Promise<Omit<World, 'stop'>> {
  const folder = await mkdtemp(join(tmpdir(), 'tenon-demo-'))
  later(() => rm(folder, { recursive: true, force: true }))
  const agent = await listen(port)
  later(() => close(agent))
  const calendar = await startCalendarProvider({ interactive: true, connectionOptions: CALENDAR_TRUST })
  later(() => calendar.stop())
  const code = await startCodeProvider({ interactive: true })
  later(() => code.stop())

  const registration = { clientId: 'demo-agent', clientSecret: randomBytes(32).toString('base64url'), url: agent.url }
  const tenantPath = join(folder, 'tenant.json')
  await writeFile(tenantPath, JSON.stringify(tenantFile(registration, calendar, code), undefined, 2), { mode: 0o600 })
  const tenon = await startTenon({ dataDir: join(folder, 'data'), tenantPath })
  later(() => tenon.stop())
  serveAgent(agent, {
    ...registration,
    issuer: tenon.issuer,
    calendarUrl: calendar.eventsUrl,
    codeUrl: code.pullsUrl,
    ...(agentFetch && { fetch: agentFetch }),
    onError: onAgentError,
  })
  return { calendar, code, tenon, agentUrl: agent.url }
}

/** Calendar gives out the addresses of its own domain, and its word about them counts. */
const CALENDAR_TRUST = { trust_email: true, email_domains: ['calendar.test'] }

/** In the order in which the list stands; one that fails does not keep the others from ending. */
async function cleanUp(cleanups: readonly (() => Promise<void>)[]): Promise<void> {
  for (const cleanup of cleanups) await cleanup().catch((error: unknown) => console.error(error))
}

function close({ server }: Listener): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
