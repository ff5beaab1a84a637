// What a user has to prove besides a way in: what is asked for, and whether what they typed is it. Every door that signs
// somebody in asks here.
import type { Keyring } from '../crypto/keyring.ts'
import { recoveryCodeHash } from '../crypto/recovery-codes.ts'
import { totpStepOf } from '../crypto/totp.ts'
import { type HeldFactors, lacksSecondFactor, type SecondFactorKind, secondFactorsOf } from '../domain/second-factor.ts'
import type { Clock } from '../lib/time.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import type { SignInLimits, SignInTry } from './limits.ts'

export async function heldFactors(repositories: Repositories, userId: string): Promise<HeldFactors> {
  const enrolled = (await repositories.secondFactors.listOfUser(userId)).map(({ kind }) => kind)
  // Most users have none: they pay for one look.
  const passkeys = enrolled.includes('passkey') ? (await repositories.passkeys.listOfUser(userId)).length : 0
  return { enrolled, passkeys }
}

/** A sign-in as this user, proven by these methods, wants one more. */
export const wantsSecondFactor = async (
  repositories: Repositories,
  userId: string,
  amr: readonly string[],
): Promise<boolean> => lacksSecondFactor(amr, await heldFactors(repositories, userId))

/** What a merge does to the second step of who goes: the primary's takes its place, or none does. Undefined: there is none. */
export type SecondStepAfter = 'replaced' | 'gone' | undefined

/** Before the two are joined. */
export async function secondStepAfter(
  repositories: Repositories,
  { primaryUserId, secondaryUserId }: { readonly primaryUserId: string; readonly secondaryUserId: string },
): Promise<SecondStepAfter> {
  const asksFor = async (userId: string) => secondFactorsOf(await heldFactors(repositories, userId)).length > 0
  if (!(await asksFor(secondaryUserId))) return undefined
  return (await asksFor(primaryUserId)) ? 'replaced' : 'gone'
}

export interface AskedFactors {
  readonly kinds: readonly SecondFactorKind[]
  /** Recovery codes that are left. */
  readonly codes: number
}

export const askedFactors = async (repositories: Repositories, userId: string): Promise<AskedFactors> => ({
  kinds: secondFactorsOf(await heldFactors(repositories, userId)),
  codes: await repositories.secondFactors.countCodes(userId),
})

export interface FactorDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'open'>
  readonly signInLimits: SignInLimits
}

export interface CodeTry {
  readonly userId: string
  readonly kind: 'totp' | 'recovery'
  readonly typed: string
  /** SHA-256 of what the try came by: the browser's own cookie, or the client. */
  readonly by: string
  readonly ip: string | undefined
  readonly clientId?: string | undefined
}

export type CodeVerdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong' }
  /** Nothing was tried. */
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number }

/**
 * Tries a code of an app, or a recovery code. Each is right once: a code that somebody saw over a shoulder is of no use to
 * them, and of many who send one at the same moment one comes in.
 */
export async function tryFactorCode(deps: FactorDeps, given: CodeTry): Promise<CodeVerdict> {
  const { userId, kind, typed } = given
  const by = factorTry(given)
  const limited = await deps.signInLimits.attempt(by)
  if (limited !== undefined) return { kind: 'limited', ...limited }
  const right = kind === 'totp' ? await consumeTotp(deps, userId, typed) : await consumeRecovery(deps, userId, typed)
  if (right) await deps.signInLimits.succeeded(by)
  await record(deps, given, right)
  return { kind: right ? 'right' : 'wrong' }
}

/** What guesses are counted by. */
export const factorTry = ({ userId, by, ip }: Pick<CodeTry, 'userId' | 'by' | 'ip'>): SignInTry => ({
  account: `second-factor ${userId}`,
  browser: by,
  ip,
})

async function consumeTotp({ storage, keyring, clock }: FactorDeps, userId: string, typed: string): Promise<boolean> {
  const factor = (await storage.secondFactors.listOfUser(userId)).find(({ kind }) => kind === 'totp')
  if (factor?.envelope === undefined) return false
  const secret = keyring.open(secondFactorContext(factor.id), factor.envelope)
  const step = totpStepOf(secret, typed, clock())
  return step !== undefined && storage.transaction((tx) => tx.secondFactors.consumeStep(factor.id, step))
}

/** The context that a secret is sealed for (docs/formats/envelope.md). */
export const secondFactorContext = (id: string): string => `second-factor:${id}`

const consumeRecovery = ({ storage }: FactorDeps, userId: string, typed: string): Promise<boolean> =>
  storage.transaction((tx) => tx.secondFactors.consumeCode(userId, recoveryCodeHash(typed)))

function record({ storage, clock }: FactorDeps, { userId, kind, clientId }: CodeTry, right: boolean): Promise<void> {
  return storage.transaction((tx) =>
    tx.events.append({
      type: right ? 'second_factor.used' : 'second_factor.refused',
      at: clock(),
      outcome: right ? 'ok' : 'refused',
      userId,
      ...(clientId === undefined ? {} : { clientId }),
      data: { kind },
    }),
  )
}
