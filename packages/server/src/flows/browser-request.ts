// What a step knows of the browser in front of it.
import type { BrowserIdentity } from '../sessions/browser-cookies.ts'
import type { Session } from '../sessions/sessions.ts'

export interface BrowserRequest {
  readonly browser: BrowserIdentity
  /** The live session, if any, and the cookie that opened it. */
  readonly session: Session | undefined
  readonly sessionCookie: string | undefined
  /** Of a console that was entered by a link. */
  readonly consoleCookie?: string | undefined
  readonly ip: string | undefined
  /** What the browser says that it is. */
  readonly userAgent: string | undefined
}

/** Cookies of a step's answer: the browser's own where it is new, and those of the step. */
export const withBrowserCookie = ({ browser }: BrowserRequest, cookies: readonly string[] = []): readonly string[] =>
  browser.setCookie === undefined ? cookies : [browser.setCookie, ...cookies]
