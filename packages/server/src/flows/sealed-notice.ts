// What has just happened, carried over the redirect that follows a form. Sealed for one browser, one area of pages and a
// moment, so that no link makes a page of ours say what did not happen.
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'

/** `thing`: what it is about, by its name. */
export interface SealedNotice<Code extends string = string> {
  readonly code: Code
  readonly thing: string
}

export type NoticeArea = 'account-notice' | 'console-notice'

const SHOWN_SECONDS = 120
const contextOf = (area: NoticeArea, { browser }: BrowserRequest): string => `${area}:${browser.hash}`

/** The query `said` of the page that says it. */
export function sealNotice(deps: FlowDeps, request: BrowserRequest, area: NoticeArea, notice: SealedNotice): string {
  const text = JSON.stringify({ ...notice, at: deps.clock() })
  const sealed = deps.keyring.seal(contextOf(area, request), Buffer.from(text))
  return `said=${Buffer.from(sealed).toString('base64url')}`
}

/** Undefined when there is none, or none of this browser, area and moment. */
export function openSealedNotice<Code extends string>(
  deps: FlowDeps,
  request: BrowserRequest,
  {
    area,
    codes,
    said,
  }: { readonly area: NoticeArea; readonly codes: readonly Code[]; readonly said?: string | undefined },
): SealedNotice<Code> | undefined {
  if (said === undefined) return undefined
  try {
    const opened = deps.keyring.open(contextOf(area, request), Buffer.from(said, 'base64url')).toString('utf8')
    const value: unknown = JSON.parse(opened)
    if (!isJsonObject(value) || Number(value.at) + SHOWN_SECONDS < deps.clock()) return undefined
    const code = codes.find((one) => one === value.code)
    return code && isString(value.thing) ? { code, thing: value.thing } : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
