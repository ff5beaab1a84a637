// Forms of ours are sent by pages of ours (T-WEB-04): a token that only this browser's page could hold, and what the
// browser itself says of where the request comes from.
import { createHmac } from 'node:crypto'
import { equalSecrets } from '../crypto/hashing.ts'
import { FlowError } from '../flows/flow-error.ts'
import type { BrowserIdentity } from '../sessions/browser-cookies.ts'

/** The hidden field of a form: tied to the browser and to what it is doing. */
export const csrfToken = (browser: BrowserIdentity, state: string | undefined): string =>
  createHmac('sha256', browser.secret)
    .update(`csrf:${state ?? ''}`)
    .digest('base64url')

export interface FormOrigin {
  readonly csrf: string | undefined
  readonly state: string | undefined
  /** Headers as they came. */
  readonly origin: string | undefined
  readonly secFetchSite: string | undefined
}

/** @throws {FlowError} `cross_site_request`. */
export function requireOwnForm(browser: BrowserIdentity, form: FormOrigin, issuer: string): void {
  const { csrf, state, origin, secFetchSite } = form
  const sameSite =
    secFetchSite === undefined
      ? origin === undefined || origin === new URL(issuer).origin
      : ['same-origin', 'none'].includes(secFetchSite)
  const genuine = csrf !== undefined && browser.setCookie === undefined && equalSecrets(csrf, csrfToken(browser, state))
  if (!sameSite || !genuine) throw new FlowError('cross_site_request')
}

export interface FetchMetadata {
  readonly secFetchSite: string | undefined
  readonly secFetchMode: string | undefined
  readonly secFetchDest: string | undefined
}

/**
 * Other sites may lead a person here, and not fetch this in their place: by a picture, a frame or a script (T-AS-15),
 * which matters where cookies travel with such requests. Browsers that say nothing are let through.
 *
 * @throws {FlowError} `cross_site_request`.
 */
export function requireNavigation({ secFetchSite = 'none', secFetchMode, secFetchDest }: FetchMetadata): void {
  const isOwn = secFetchSite === 'none' || secFetchSite === 'same-origin'
  if (!isOwn && (secFetchMode !== 'navigate' || secFetchDest !== 'document')) throw new FlowError('cross_site_request')
}
