// Second steps of a person, set up, renewed and given up: one way to do it, from their own pages and for their apps. Whoever
// calls has made sure who is there, and holds the user's row.
import { newRecoveryCodes, recoveryCodeHash } from '../crypto/recovery-codes.ts'
import type { SecondFactorKind } from '../domain/second-factor.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { SecondFactorRecord } from '../storage/factor-repository.ts'
import type { Repositories } from '../storage/storage.ts'
import { issueFactorDenial } from './denials.ts'
import { provenAmong, type TellDeps, tell } from './tell.ts'

export interface FactorChange {
  readonly userId: string
  readonly at: EpochSeconds
  /** The app that it is done by; undefined: our pages. */
  readonly clientId?: string | undefined
}

export interface FactorAddition {
  readonly factor: SecondFactorRecord
  readonly clientId?: string | undefined
  /** `uid` of the one session that goes on: its id must change, or a copy of it goes around the second step. */
  readonly keepSession?: string | undefined
}

export type FactorAdded =
  /** The user has one of that kind already. */
  | { readonly kind: 'exists' }
  /** `codes`: recovery codes, when they are the first; they can be shown now and never again. */
  | { readonly kind: 'added'; readonly codes: readonly string[] | undefined }

/** Adds a second step, records and mails it, and ends the user's sessions: none of before goes around it. */
export async function addFactor(
  deps: TellDeps,
  tx: Repositories,
  { factor, clientId, keepSession }: FactorAddition,
): Promise<FactorAdded> {
  const { userId, kind, addedAt: at } = factor
  if (!(await tx.secondFactors.insert(factor))) return { kind: 'exists' }
  const isFirst = (await tx.secondFactors.countCodes(userId)) === 0
  const codes = isFirst ? await replaceCodes(tx, userId) : undefined
  for (const { uid, idHash } of await tx.artifacts.listOfUser('Session', userId))
    if (uid === undefined || uid !== keepSession) await tx.artifacts.delete('Session', idHash)
  await record(deps, tx, { type: 'second_factor.added', userId, at, clientId, kind, added: factor.id })
  return { kind: 'added', codes }
}

/** Gives a second step up, with the codes that stood in for it when it was the last. @returns false when there is none. */
export async function removeFactor(
  deps: TellDeps,
  tx: Repositories,
  change: FactorChange & { readonly kind: SecondFactorKind },
): Promise<boolean> {
  const { userId, kind } = change
  if (!(await tx.secondFactors.delete(userId, kind))) return false
  // Codes stand in for something: without it they are a way around nothing.
  if ((await tx.secondFactors.listOfUser(userId)).length === 0) await tx.secondFactors.deleteOfUser(userId)
  await record(deps, tx, { type: 'second_factor.removed', ...change })
  return true
}

/** New recovery codes instead of those that stand. */
export async function renewCodes(deps: TellDeps, tx: Repositories, change: FactorChange): Promise<readonly string[]> {
  const codes = await replaceCodes(tx, change.userId)
  await record(deps, tx, { type: 'second_factor.codes_renewed', ...change })
  return codes
}

async function replaceCodes(tx: Repositories, userId: string): Promise<readonly string[]> {
  const codes = newRecoveryCodes()
  await tx.secondFactors.replaceCodes(userId, codes.map(recoveryCodeHash))
  return codes
}

const TEMPLATES = {
  'second_factor.added': 'second-step-added',
  'second_factor.removed': 'second-step-removed',
  'second_factor.codes_renewed': 'recovery-codes-renewed',
} as const

interface RecordedChange extends FactorChange {
  readonly type: keyof typeof TEMPLATES
  readonly kind?: SecondFactorKind
  /** Id of what was added. */
  readonly added?: string
}

/** Where second steps stand. */
const PAGE = 'account/connections'

/** Recorded, and told to whoever reads one of the person's addresses; each of them can take back what was added. */
async function record(
  deps: TellDeps,
  tx: Repositories,
  { type, userId, at, clientId, kind, added }: RecordedChange,
): Promise<void> {
  const by = { actor: userId, ...(clientId === undefined ? {} : { clientId }) }
  const data = kind === undefined ? {} : { data: { kind } }
  await tx.events.append({ type, at, outcome: 'ok', userId, ...by, ...data })
  for (const address of provenAmong(await tx.evidence.listOfUser(userId))) {
    const denied = { userId, address, at }
    const path = added === undefined ? PAGE : await issueFactorDenial(tx, { ...denied, factorId: added })
    await tell(deps, tx, { template: TEMPLATES[type], to: [address], at, path })
  }
}
