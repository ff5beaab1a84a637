// "Download everything": a file of what is held about a person, for a session that was proven a moment ago.
import { collectHeld } from '../accounts/held.ts'
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import { backTo, isFreshlyProven, requireOwner } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account'
/** From the form's answer to the file: one redirect. */
const TICKET_SECONDS = 120
const NEXT = { next: { kind: 'account', url: PAGE } } as const

/** The way to the file; undefined when the person has to show first who they are. */
export async function startDownload(deps: FlowDeps, request: BrowserRequest): Promise<Outcome | undefined> {
  const { session } = await requireOwner(deps, request)
  if (!isFreshlyProven(deps, session)) return undefined
  const text = JSON.stringify({ uid: session.uid, userId: session.userId, at: deps.clock() })
  const ticket = Buffer.from(deps.keyring.seal(contextOf(request), Buffer.from(text))).toString('base64url')
  return { kind: 'redirect', url: `/account/download?ticket=${ticket}`, cookies: withBrowserCookie(request) }
}

/** They have just shown it; the file comes with the next press, so that a page stands there meanwhile. */
export const downloadProven = async (deps: FlowDeps, request: BrowserRequest): Promise<Outcome> =>
  backTo(deps, request, PAGE, { code: 'download-ready', thing: '' })

/** @throws {FlowError} `interaction_expired`, `wrong_user`. */
export async function takeDownload(
  deps: FlowDeps,
  request: BrowserRequest,
  ticket: string | undefined,
): Promise<JsonObject> {
  const { user, session } = await requireOwner(deps, request)
  const { uid, userId, at } = openTicket(deps, request, ticket)
  if (uid !== session.uid || userId !== user.userId) throw new FlowError('wrong_user')
  if (Number(at) + TICKET_SECONDS < deps.clock()) throw new FlowError('interaction_expired', NEXT)
  const held = await collectHeld(deps.storage, user, {
    now: deps.clock(),
    sessions: await deps.sessions.listOfUser(user.userId),
  })
  await deps.storage.transaction((tx) =>
    tx.events.append({
      type: 'user.data_downloaded',
      at: deps.clock(),
      outcome: 'ok',
      userId: user.userId,
      actor: user.userId,
    }),
  )
  return held
}

function openTicket({ keyring }: FlowDeps, request: BrowserRequest, ticket = ''): JsonObject {
  try {
    const opened = keyring.open(contextOf(request), Buffer.from(ticket, 'base64url')).toString('utf8')
    const value: unknown = JSON.parse(opened)
    return isJsonObject(value) ? value : {}
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw new FlowError('interaction_expired', { cause, ...NEXT })
    throw cause
  }
}

const contextOf = ({ browser }: BrowserRequest): string => `account-download:${browser.hash}`
