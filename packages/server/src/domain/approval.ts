// What an agent or a device asks a person to say yes to, apart from any browser: rules that need nothing but their facts.
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { type AskedUse, useAsJson } from './asked-use.ts'

/**
 * `ciba`: an agent asks a person whom it names. `device`: something without a browser asks whoever types its code. `use`: an
 * agent is about to use an account, and its policy wants the person's yes for that.
 */
export type ApprovalKind = 'ciba' | 'device' | 'use'

export interface Approval {
  /** What the row is found by: SHA-256 of what the client polls with. Opens nothing by itself. */
  readonly id: string
  readonly kind: ApprovalKind
  readonly clientId: string
  /** Who is asked; for a device nobody before somebody answered. */
  readonly userId: string | undefined
  /** As it was asked, under the engine's names. */
  readonly scope: string
  readonly resource: string | undefined
  /** The client's own words. */
  readonly message: string | undefined
  /** What stands on the device, as the person types it. */
  readonly userCode: string | undefined
  /** Of the kind `use`. */
  readonly use: AskedUse | undefined
  readonly askedAt: EpochSeconds
  /** From then on nobody can answer. */
  readonly expiresAt: EpochSeconds
  readonly answer: 'allowed' | 'denied' | undefined
}

/** How often a client may ask for the answer, in seconds. */
export const POLL_SECONDS = 5
/** A request that names no life of its own. */
export const APPROVAL_SECONDS = 300
/** The longest that an agent may wait: the question is mailed, and mail is read when it is read. */
export const LONGEST_APPROVAL_SECONDS = 259_200
export const DEVICE_SECONDS = 900

/** At most so many questions of one client stand before one person (T-AGT-04). */
export const PENDING_AT_ONCE = 3
/** So many refusals in a row, and the client may not ask this person for a while. */
export const DENIALS_BEFORE_PAUSE = 2
export const PAUSE_SECONDS = 600
/** Mails about questions of one client to one person, in that time; further ones stand on the account page alone. */
export const MAILS_IN_PAUSE = 3

const MESSAGE = /^(?=.*[\p{L}\p{N}\p{P}\p{S}])[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]{1,64}$/u
const HIDDEN = /\p{Default_Ignorable_Code_Point}/u

/** One line of at most 64 visible characters; nothing that hides or turns text (T-AGT-07). */
export const isBindingMessage = (text: string): boolean => MESSAGE.test(text) && !HIDDEN.test(text)

/** True when the person may still answer. */
export const isOpen = ({ answer, expiresAt }: Approval, now: EpochSeconds): boolean =>
  answer === undefined && expiresAt > now

/**
 * What a person was shown, as one text to be hashed: an answer counts for exactly this (T-AGT-05). Whoever renames a
 * client, or changes what its scopes reach, between the page and the answer makes it another question.
 */
export function shownAs(
  approval: Approval,
  shown: { readonly client: string; readonly audience: string | undefined; readonly scopes: readonly string[] },
): string {
  const { id, clientId, message, userCode, use, expiresAt } = approval
  const facts: JsonObject = {
    id,
    clientId,
    expiresAt,
    message: message ?? null,
    userCode: userCode ?? null,
    use: use === undefined ? null : useAsJson(use),
    client: shown.client,
    audience: shown.audience ?? null,
    scopes: [...shown.scopes],
  }
  return canonicalJson(facts)
}

const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE = new RegExp(`^[${CODE_LETTERS}]{8}$`)

/** The code that a person typed, as it is kept; undefined when it cannot be one (RFC 8628 §6.1). */
export function parseUserCode(typed: string): string | undefined {
  const code = typed
    .slice(0, 64)
    .toUpperCase()
    .replace(/[\s\p{P}]/gu, '')
  return CODE.test(code) ? code : undefined
}

/** As a device shows it: `ABCD-EFGH`. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`
