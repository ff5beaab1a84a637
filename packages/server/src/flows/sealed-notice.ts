// What has just happened, carried over the redirect that follows a form. Sealed for one browser, one area of pages and a
// moment, so that no link makes a page of ours say what did not happen.
import { isString } from '../lib/json.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { openSealedState, sealState } from './sealed-state.ts'

/** `thing`: what it is about, by its name. */
export interface SealedNotice<Code extends string = string> {
  readonly code: Code
  readonly thing: string
}

export type NoticeArea = 'account-notice' | 'console-notice'

const SHOWN_SECONDS = 120

/** The query `said` of the page that says it. */
export const sealNotice = (deps: FlowDeps, request: BrowserRequest, area: NoticeArea, notice: SealedNotice): string =>
  `said=${sealState(deps, request, area, { ...notice })}`

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
  const value = openSealedState(deps, request, { area, state: said, seconds: SHOWN_SECONDS })
  const code = codes.find((one) => one === value?.code)
  return code && isString(value?.thing) ? { code, thing: value.thing } : undefined
}
