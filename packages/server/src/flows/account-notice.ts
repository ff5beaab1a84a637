// What has just happened, carried over the redirect that follows a form. Sealed for one browser and for a moment, so that
// no link makes a page of ours say what did not happen.
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'

/** `thing`: the connection, account, label or agent that it is about, by its name. */
export interface AccountNotice {
  readonly code: AccountNoticeCode
  readonly thing: string
}

export const ACCOUNT_NOTICES = [
  'linked',
  'already-linked',
  'connected',
  'reconnected',
  'other-account',
  'link-denied',
  'not-added',
  'unlinked',
  'last-way',
  'first-way',
  'disconnected',
  'labelled',
  'label-bad',
  'default-set',
  'agent-stopped',
  'agent-resumed',
  'gone',
] as const
export type AccountNoticeCode = (typeof ACCOUNT_NOTICES)[number]

const SHOWN_SECONDS = 120
const contextOf = ({ browser }: BrowserRequest): string => `account-notice:${browser.hash}`

/** The path of an account page that says it. */
export function withNotice(deps: FlowDeps, request: BrowserRequest, path: string, notice: AccountNotice): string {
  const text = JSON.stringify({ ...notice, at: deps.clock() })
  const sealed = deps.keyring.seal(contextOf(request), Buffer.from(text))
  return `${path}?said=${Buffer.from(sealed).toString('base64url')}`
}

/** Undefined when there is none, or none of this browser and moment. */
export function openNotice(
  deps: FlowDeps,
  request: BrowserRequest,
  said: string | undefined,
): AccountNotice | undefined {
  if (said === undefined) return undefined
  try {
    const opened = deps.keyring.open(contextOf(request), Buffer.from(said, 'base64url')).toString('utf8')
    const value: unknown = JSON.parse(opened)
    if (!isJsonObject(value) || Number(value.at) + SHOWN_SECONDS < deps.clock()) return undefined
    const code = ACCOUNT_NOTICES.find((one) => one === value.code)
    return code && isString(value.thing) ? { code, thing: value.thing } : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
