// Where a server is killed while it refreshes: each step brings a running server there, and says when it has come.
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Provider } from '@tenon/sdk/testing'
import { Client } from 'pg'
import type { Deployment } from '../support/deployment.ts'

/**
 * - `intended`: the intent is written, and the provider has not been called
 * - `asked`: the provider has the request, and has not rotated yet
 * - `rotated`: the provider has rotated, and has not answered
 * - `writing`: the answer is there, and the database does not take it
 * - `anywhen`: at a moment that chance chose
 */
export const STEPS = ['intended', 'asked', 'rotated', 'writing', 'anywhen'] as const
export type Step = (typeof STEPS)[number]

/** Steps after which the only copy of a rotated refresh token died with the process. */
export const LOST: readonly Step[] = ['rotated', 'writing']

export interface Scene {
  readonly deployment: Deployment
  readonly providers: readonly Provider[]
  /** Sends the requests that make the server refresh at every provider. */
  readonly begin: () => void
}

/** Kills the server at a step. What hangs at the providers then goes on as if nobody listened any more. */
export async function killAt(step: Step, scene: Scene): Promise<void> {
  const { deployment, providers, begin } = scene
  if (step === 'intended') return killHanging(scene, 'discovery', 'before')
  if (step === 'asked') return killHanging(scene, 'refresh', 'before')
  if (step === 'rotated') return killHanging(scene, 'refresh', 'after')
  if (step === 'writing') return killWriting(scene)
  for (const provider of providers) provider.delay('refresh', 5)
  begin()
  await sleep(Math.random() * 80)
  await deployment.kill()
  for (const provider of providers) provider.delay('refresh', 0)
}

type Held = 'discovery' | 'refresh'

async function killHanging(scene: Scene, endpoint: Held, when: 'before' | 'after'): Promise<void> {
  const { deployment, providers } = scene
  await hanging(scene, endpoint, when)
  await deployment.kill()
  for (const provider of providers) {
    // A request whose sender is dead goes on at the provider when its effect was there already, and not otherwise.
    if (when === 'before') provider.fail(endpoint, { status: 500 })
    provider.release()
  }
}

async function killWriting(scene: Scene): Promise<void> {
  const { deployment, providers } = scene
  await hanging(scene, 'refresh', 'after')
  const unlock = await lockForWriting(deployment)
  for (const provider of providers) provider.release()
  await sleep(150)
  await deployment.kill()
  await unlock()
}

async function hanging({ providers, begin }: Scene, endpoint: Held, when: 'before' | 'after'): Promise<void> {
  for (const provider of providers) provider.hang(endpoint, { when })
  begin()
  await Promise.all(providers.map((provider) => provider.untilHanging(endpoint)))
}

/** Nobody else can write until the answer is called. */
async function lockForWriting({ database, databaseUrl }: Deployment): Promise<() => Promise<void>> {
  if (database === 'sqlite') {
    const file = new DatabaseSync(databaseUrl.slice('sqlite:'.length), { timeout: 5000 })
    file.exec('begin immediate')
    return async () => {
      file.exec('rollback')
      file.close()
    }
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query('lock table accounts in share row exclusive mode')
  return async () => {
    await client.query('rollback')
    await client.end()
  }
}
