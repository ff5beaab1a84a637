// How much it matters how many accounts there are: the same load over a hundred thousand and a million of them.
import { type Database, deploy } from './deployment.ts'
import { type Measured, measure } from './measure.ts'
import type { Load, Server } from './processes.ts'
import { secretForm } from './scenarios.ts'
import type { SeededPerson } from './seed.ts'

export interface LargeResult extends Measured {
  readonly accounts: number
  readonly seedSeconds: number
}

const SIZES = [100_000, 1_000_000]
/** Of all of them, so that no cache holds what comes next. */
const CALLING = 50_000

export async function large(
  database: Database,
  tools: { readonly load: Load; readonly bare: Server },
): Promise<readonly LargeResult[]> {
  const deployment = await deploy({ database })
  const results: LargeResult[] = []
  try {
    const people: SeededPerson[] = []
    for (const accounts of SIZES) {
      const startedAtMs = performance.now()
      const missing = accounts - people.length
      const onProgress = (done: number) => {
        if (done % 50_000 === 0) console.log(`  ${database}: ${people.length + done} accounts`)
      }
      people.push(...(await deployment.seed.people({ count: missing, clientId: 'web', onProgress })))
      const seedSeconds = (performance.now() - startedAtMs) / 1000
      const step = Math.max(1, Math.floor(people.length / CALLING))
      const bodies = people.filter((_, index) => index % step === 0).map(({ refreshToken }) => secretForm(refreshToken))
      const measured = await measure({ ...tools, server: deployment.server, bodies: () => bodies, seconds: 3 })
      results.push({ ...measured, accounts, seedSeconds })
    }
  } finally {
    await deployment.close()
  }
  return results
}
