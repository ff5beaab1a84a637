// How much it matters how many accounts there are: the same load over a hundred thousand and a million of them.
import { type Database, deploy } from './deployment.ts'
import { fill } from './filler.ts'
import { type Measured, measure, type Side } from './measure.ts'
import { bareSide, CONNECTIONS, secretForm, type Tools } from './scenarios.ts'
import type { SeededPerson } from './seed.ts'

export interface LargeResult extends Measured {
  readonly database: Database
  readonly accounts: number
  readonly seedSeconds: number
}

export const SIZES: readonly number[] = [100_000, 1_000_000]
/** So many of them call, more than any cache holds; their keys lie anywhere among all. */
const CALLING = 50_000

export async function large(
  database: Database,
  tools: Tools,
  sizes: readonly number[],
): Promise<readonly LargeResult[]> {
  const deployment = await deploy({ database })
  const results: LargeResult[] = []
  try {
    const people: SeededPerson[] = []
    let standing = 0
    for (const accounts of sizes) {
      const startedAtMs = performance.now()
      const onProgress = (done: number) => {
        if (done % 10_000 === 0) console.log(`  ${database}: ${standing + done} accounts`)
      }
      const callers = Math.min(accounts, CALLING) - people.length
      people.push(...(await deployment.seed.people({ count: callers, clientId: 'web', onProgress })))
      standing += callers
      const modelUserId = people[0]?.userId ?? ''
      await fill({ url: deployment.databaseUrl, modelUserId, count: accounts - standing, onProgress })
      standing = accounts
      const seedSeconds = (performance.now() - startedAtMs) / 1000
      const bodies = people.map(({ refreshToken }) => secretForm(refreshToken))
      const { load } = tools
      const own: Side = { load, server: deployment.server, bodies: () => bodies, seconds: 3, connections: CONNECTIONS }
      const measured = await measure(bareSide(tools, own), own)
      results.push({ ...measured, database, accounts, seedSeconds })
    }
  } finally {
    await deployment.close()
  }
  return results
}
