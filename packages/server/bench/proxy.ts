// Calls through the proxy, beside the same calls handed on by a server that does nothing else, and made directly.
import { join } from 'node:path'
import { query } from '../test/support/rows.ts'
import { type Database, deploy } from './deployment.ts'
import type { RoundResult } from './load.ts'
import { median } from './measure.ts'
import { LOAD_CORE, type Load, SERVER_CORE, startServer } from './processes.ts'

export interface ProxyResult {
  readonly database: Database
  readonly connections: number
  /** Medians over the rounds. */
  readonly direct: Way
  readonly bare: Way
  readonly own: Way
}

export interface Way {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const ROUNDS = 5
const SECONDS = 1.2
const WARM_SECONDS = 3
const PEOPLE = 200

export async function proxying(database: Database, load: Load): Promise<readonly ProxyResult[]> {
  const program = [process.execPath, join(import.meta.dirname, 'bare-api.ts')]
  const api = await startServer({ cores: LOAD_CORE, command: program })
  const bare = await startServer({ cores: SERVER_CORE, command: [...program, api.url] })
  const deployment = await deploy({ database, apiHosts: [new URL(api.url).host] })
  try {
    const { server, seed, issuer, databaseUrl } = deployment
    const people = await seed.people({ count: PEOPLE, clientId: 'web' })
    const tokens = await seed.accessTokens(people, issuer, {
      aud: [`${issuer}me/`],
      scope: 'read:me:connected_accounts',
    })
    const rows = await query(databaseUrl, 'select id, user_id from accounts where purpose = $1', ['agents'])
    const idOf = new Map(rows.map(({ user_id: userId, id }) => [userId, String(id)]))
    const paths = people.map(({ userId }) => `/me/v1/proxy/${idOf.get(userId)}/things`)
    const ways = {
      direct: { url: api.url, paths: ['/things'] },
      bare: { url: bare.url, paths: ['/things'] },
      own: { url: server.url, paths, headers: tokens.map((token) => `authorization: Bearer ${token}`) },
    } as const
    const results: ProxyResult[] = []
    for (const connections of [1, 32]) {
      const run = (way: keyof typeof ways, seconds: number) =>
        load.run({ path: '/', bodies: ['a=1'], connections, seconds, ...ways[way] }).then(requireServed)
      for (const way of ['direct', 'bare', 'own'] as const) await run(way, WARM_SECONDS)
      const all = { direct: [] as RoundResult[], bare: [] as RoundResult[], own: [] as RoundResult[] }
      for (let round = 0; round < ROUNDS; round++)
        for (const way of ['direct', 'bare', 'own'] as const) all[way].push(await run(way, SECONDS))
      const result = { database, connections, direct: of(all.direct), bare: of(all.bare), own: of(all.own) }
      console.error(`${database}, ${connections} connections: ${Math.round(result.own.perSecond)} calls a second`)
      results.push(result)
    }
    return results
  } finally {
    await deployment.close()
    await bare.stop()
    await api.stop()
  }
}

function requireServed(result: RoundResult): RoundResult {
  if (result.failures === 0 && result.answers > 0) return result
  throw new Error(`${result.failures} of ${result.answers} calls were no success: ${result.failure}`)
}

const of = (rounds: readonly RoundResult[]): Way => ({
  perSecond: median(rounds.map((one) => one.perSecond)),
  p50Ms: median(rounds.map((one) => one.p50Ms)),
  p99Ms: median(rounds.map((one) => one.p99Ms)),
})
