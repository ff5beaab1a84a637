// A thousand callers meet one stale token: how often is the provider asked, and how long does anybody wait?
import type { Deployment } from './deployment.ts'
import type { Load } from './processes.ts'
import { secretForm } from './scenarios.ts'

export interface Storm {
  readonly callers: number
  readonly providerCalls: number
  readonly failures: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const CALLERS = 1000
const PROVIDER_MS = 100

export async function storm({ seed, provider, server }: Deployment, load: Load): Promise<Storm> {
  const mint = (name: string) => {
    provider.addUser(name)
    return provider.mint(name, { scopes: ['calendar.read', 'calendar.write'] })
  }
  const [person] = await seed.people({ count: 1, clientId: 'web', lifeSeconds: 10, mint })
  const bodies = Array.from({ length: CALLERS }, () => secretForm(person?.refreshToken ?? ''))
  provider.delay('refresh', PROVIDER_MS)
  const before = provider.calls('refresh').length
  const round = { url: server.url, path: '/oauth/token', bodies, connections: CALLERS, seconds: 30, once: true }
  const { failures, p50Ms, p99Ms } = await load.run(round)
  provider.delay('refresh', 0)
  return { callers: CALLERS, providerCalls: provider.calls('refresh').length - before, failures, p50Ms, p99Ms }
}
