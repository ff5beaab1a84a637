// What a person wanted when they were asked to show who they are: it travels along, sealed for this browser, session and
// hour, and is carried out afterwards.
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import { type Owner, requireOwner } from './account-owner.ts'
import { type AccountWish, parseWish } from './account-wish.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { MailedCode } from './mailed-code.ts'
import type { Outcome } from './outcome.ts'
import { HALF_PROVEN_SECONDS } from './second-step-state.ts'

const STEP_UP_SECONDS = 3600

/** What was shown already, when the account asks for more. */
export interface HalfProven {
  readonly identityKey: string
  readonly amr: readonly string[]
}

/** Sends the browser to prove who is there, and keeps what was wanted. */
export function startStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { session }: Pick<Owner, 'session'>,
  wish: AccountWish,
): Outcome {
  const url = `/u/reauthenticate?state=${sealState(deps, request, session, { wish })}`
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

/** Sends the browser to the second step of it. */
export function startSecondStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { session }: Pick<Owner, 'session'>,
  { wish, half }: { readonly wish: AccountWish; readonly half: HalfProven },
): Outcome {
  const url = `/u/reauthenticate/second?state=${sealState(deps, request, session, { wish, half })}`
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

/** A code that was mailed to a mailbox of the person's. */
export interface MailedStepUp extends MailedCode {
  readonly address: string
}

/** Sends the browser to the page that takes the code. */
export function startMailedStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { session }: Pick<Owner, 'session'>,
  { wish, mailed }: { readonly wish: AccountWish; readonly mailed: MailedStepUp },
): Outcome {
  const url = `/u/reauthenticate/mail?state=${sealState(deps, request, session, { wish, mailed })}`
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

function sealState(
  deps: FlowDeps,
  request: BrowserRequest,
  { uid, userId }: Owner['session'],
  members: { readonly wish: AccountWish; readonly half?: HalfProven; readonly mailed?: MailedStepUp },
): string {
  const text = JSON.stringify({ ...members, uid, userId, at: deps.clock() })
  return Buffer.from(deps.keyring.seal(contextOf(request), Buffer.from(text))).toString('base64url')
}

export interface StepUp {
  readonly owner: Owner
  readonly wish: AccountWish
  readonly half: HalfProven | undefined
  readonly mailed: MailedStepUp | undefined
}

const contextOf = ({ browser }: BrowserRequest): string => `step-up:${browser.hash}`

/** @throws {FlowError} `interaction_expired`; `wrong_user` when the session is another one by now. */
export async function openStepUp(deps: FlowDeps, request: BrowserRequest, state: string | undefined): Promise<StepUp> {
  const { wish: wanted, half, mailed, uid, userId, at } = openState(deps, request, state)
  const wish = parseWish(wanted)
  if (wish === undefined || Number(at) + STEP_UP_SECONDS < deps.clock()) throw new FlowError('interaction_expired')
  const owner = await requireOwner(deps, request)
  if (owner.session.uid !== uid || owner.session.userId !== userId) throw new FlowError('wrong_user')
  const isRecent = Number(at) + HALF_PROVEN_SECONDS > deps.clock()
  return { owner, wish, half: parseHalf(half, isRecent), mailed: parseMailed(mailed) }
}

function parseMailed(value: JsonValue | undefined): MailedStepUp | undefined {
  if (!isJsonObject(value) || !isString(value.address) || !isString(value.codeHash)) return undefined
  return { address: value.address, codeHash: value.codeHash, expiresAt: Number(value.expiresAt) }
}

function parseHalf(value: JsonValue | undefined, isRecent: boolean): HalfProven | undefined {
  if (!isRecent || !isJsonObject(value) || !isString(value.identityKey)) return undefined
  return { identityKey: value.identityKey, amr: stringsOf(value.amr) }
}

function openState({ keyring }: FlowDeps, request: BrowserRequest, state = ''): JsonObject {
  try {
    const value: unknown = JSON.parse(
      keyring.open(contextOf(request), Buffer.from(state, 'base64url')).toString('utf8'),
    )
    return isJsonObject(value) ? value : {}
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw new FlowError('interaction_expired', { cause })
    throw cause
  }
}
