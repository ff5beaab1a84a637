// What linking costs: transactions that add an identity, and that merge two users, beside a bare one that inserts four rows
// with the same driver and the same durability; in turns, for one caller and for many.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../../tools/postgres.ts'
import type { Database } from './deployment.ts'
import { type LinkingStage, openLinkingStage } from './linking-stage.ts'
import { median } from './measure.ts'
import { LOAD_CORE, pinSelf, SERVER_CORE } from './processes.ts'

const ACTS = ['bare', 'link', 'merge'] as const
export type LinkingAct = (typeof ACTS)[number]

export interface LinkingResult {
  readonly database: Database
  readonly act: LinkingAct
  readonly callers: number
  /** Medians over the rounds. */
  readonly perSecond: number
  /** Rate over that of the bare transaction in the same round. */
  readonly ratio: number
  readonly p50Ms: number
}

const CALLERS = [1, 32] as const
const ROUNDS = 3
/** A round of one act ends after so long; one of merges also when its share of the pairs that wait is merged. */
const ROUND_MS = 600
const PAIRS = 250

export async function linking(database: Database): Promise<readonly LinkingResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  // The database's processes stay where they were started; this one is the server now.
  pinSelf(LOAD_CORE)
  const postgres = database === 'postgres' ? await startPostgres({ durable: true }) : undefined
  pinSelf(SERVER_CORE)
  const merges = PAIRS + CALLERS.length * ROUNDS * PAIRS
  const stage = await openLinkingStage(postgres?.url ?? `sqlite:${join(folder, 'tenon.db')}`, merges)
  try {
    for (const act of ACTS) await run(stage, act, Math.max(...CALLERS))
    const results: LinkingResult[] = []
    for (const callers of CALLERS) results.push(...(await measureFor(database, stage, callers)))
    return results
  } finally {
    await stage.close()
    await postgres?.stop()
    process.removeListener('exit', remove)
    remove()
    pinSelf(LOAD_CORE)
  }
}

async function measureFor(database: Database, stage: LinkingStage, callers: number): Promise<readonly LinkingResult[]> {
  const rounds: Readonly<Record<LinkingAct, Round>>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { bare, link, merge } = {
      bare: await run(stage, 'bare', callers),
      link: await run(stage, 'link', callers),
      merge: await run(stage, 'merge', callers),
    }
    rounds.push({ bare, link, merge })
  }
  return ACTS.map((act) => ({
    database,
    act,
    callers,
    perSecond: median(rounds.map((round) => round[act].perSecond)),
    ratio: median(rounds.map((round) => round[act].perSecond / round.bare.perSecond)),
    p50Ms: median(rounds.map((round) => round[act].p50Ms)),
  }))
}

interface Round {
  readonly perSecond: number
  readonly p50Ms: number
}

/** As many callers as said, each with one transaction under way. */
async function run(stage: LinkingStage, act: LinkingAct, callers: number): Promise<Round> {
  const tookMs: number[] = []
  const startedAtMs = performance.now()
  let left = act === 'merge' ? PAIRS : Number.POSITIVE_INFINITY
  const caller = async () => {
    while (left-- > 0 && performance.now() - startedAtMs < ROUND_MS) {
      const atMs = performance.now()
      await stage[act]()
      tookMs.push(performance.now() - atMs)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { perSecond: tookMs.length / ((performance.now() - startedAtMs) / 1000), p50Ms: median(tookMs) }
}
