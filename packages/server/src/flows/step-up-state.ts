// What a person wanted when they were asked to show who they are: it travels along, sealed for this browser, session and
// hour, and is carried out afterwards.
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import { type Owner, requireOwner } from './account-owner.ts'
import { type AccountWish, parseWish } from './account-wish.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

const STEP_UP_SECONDS = 3600

/** Sends the browser to prove who is there, and keeps what was wanted. */
export function startStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { session }: Pick<Owner, 'session'>,
  wish: AccountWish,
): Outcome {
  const { uid, userId } = session
  const text = JSON.stringify({ wish, uid, userId, at: deps.clock() })
  const sealed = deps.keyring.seal(contextOf(request), Buffer.from(text))
  const state = Buffer.from(sealed).toString('base64url')
  return { kind: 'redirect', url: `/u/reauthenticate?state=${state}`, cookies: withBrowserCookie(request) }
}

export interface StepUp {
  readonly owner: Owner
  readonly wish: AccountWish
}

const contextOf = ({ browser }: BrowserRequest): string => `step-up:${browser.hash}`

/** @throws {FlowError} `interaction_expired`; `wrong_user` when the session is another one by now. */
export async function openStepUp(deps: FlowDeps, request: BrowserRequest, state: string | undefined): Promise<StepUp> {
  const { wish: wanted, uid, userId, at } = openState(deps, request, state)
  const wish = parseWish(wanted)
  if (wish === undefined || Number(at) + STEP_UP_SECONDS < deps.clock()) throw new FlowError('interaction_expired')
  const owner = await requireOwner(deps, request)
  if (owner.session.uid !== uid || owner.session.userId !== userId) throw new FlowError('wrong_user')
  return { owner, wish }
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
