// Letting a device in: its code is typed here, or came along in a link, and leads to the question (RFC 8628 §3.3).
import { findByUserCode } from '../accounts/approvals.ts'
import { isOpen, parseUserCode } from '../domain/approval.ts'
import { approvePath } from './approve.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

/** The page that asks for the code; a code that is known leads on at once, and is shown there to be compared. */
export async function activatePage(
  deps: FlowDeps,
  request: BrowserRequest,
  code: string | undefined,
): Promise<Outcome> {
  if (code === undefined || code === '') return page(undefined, undefined)
  return (await leadOn(deps, request, code)) ?? page(code, 'code_unknown')
}

export async function submitActivation(
  deps: FlowDeps,
  request: BrowserRequest,
  code: string | undefined,
): Promise<Outcome> {
  if (code === undefined || code.trim() === '') return page(undefined, 'code_missing')
  return (await leadOn(deps, request, code)) ?? page(code, 'code_unknown')
}

/** Who tries codes is stopped long before one fits (T-AS-13). @throws {FlowError} `rate_limited`. */
async function leadOn(deps: FlowDeps, request: BrowserRequest, typed: string): Promise<Outcome | undefined> {
  const by = { browser: request.browser.hash, ip: request.ip }
  const limited = await deps.codeLimits.attempt(by)
  if (limited !== undefined) throw new FlowError('rate_limited', limited)
  const code = parseUserCode(typed)
  const found = code === undefined ? undefined : await findByUserCode(deps.storage, code)
  if (found === undefined || !isOpen(found.approval, deps.clock())) return undefined
  await deps.codeLimits.succeeded(by)
  return { kind: 'redirect', url: approvePath(found.approval.id), cookies: withBrowserCookie(request) }
}

const page = (typed: string | undefined, problem: 'code_unknown' | 'code_missing' | undefined): Outcome => ({
  kind: 'page',
  page: { name: 'activate', typed, problem },
  status: problem === undefined ? 200 : 400,
})
