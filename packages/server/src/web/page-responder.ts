// Turns what a step leads to into an answer of the HTTP layer.
import type { Context } from 'hono'
import type { Settings } from '../domain/settings.ts'
import type { FlowError } from '../flows/flow-error.ts'
import type { ErrorPage, FlowPage, Outcome } from '../flows/outcome.ts'
import type { BrowserIdentity } from '../sessions/browser-cookies.ts'
import type { Assets } from './assets.ts'
import type { Html } from './pages/html.ts'
import type { PageFrame } from './pages/layout.ts'
import { english } from './pages/messages/en.ts'
import { decideTheme } from './pages/theme.ts'
import { present } from './present.ts'
import { type PageKind, pageHeaders } from './security-headers.ts'

export interface PageResponderDeps {
  readonly issuer: string
  readonly settings: () => Settings
  readonly assets: Assets
}

export interface PageOptions {
  readonly kind?: PageKind
  /** Has a form for a passkey. */
  readonly scripts?: boolean
  readonly status?: number
  readonly cookies?: readonly string[]
}

export interface PageResponder {
  /** What every page of this deployment shares. */
  frame(): PageFrame
  /** The operator's accent as a stylesheet; empty without one. */
  themeCss(): string
  answer(c: Context, browser: BrowserIdentity, outcome: Outcome): Response
  page(c: Context, html: Html, options?: PageOptions): Response
  /** The error page as text and headers, for answers that are not Hono's. */
  errorPage(
    page: ErrorPage,
    browser: BrowserIdentity,
    requestId: string,
  ): { headers: Readonly<Record<string, string>>; body: string }
}

export function createPageResponder({ issuer, settings, assets }: PageResponderDeps): PageResponder {
  const https = issuer.startsWith('https:')
  const themeCss = () => {
    const { accentColor } = settings()
    const theme = accentColor === undefined ? undefined : decideTheme(accentColor)
    // An accent that cannot be read leaves ours in its place.
    return theme?.kind === 'ok' ? theme.css : ''
  }
  const frame = (): PageFrame => ({
    locale: english,
    tenantName: settings().friendlyName,
    host: new URL(issuer).host,
    assets: assets.hrefs,
    themePath: themeCss() === '' ? undefined : '/assets/theme.css',
  })
  const page: PageResponder['page'] = (
    c,
    html,
    { kind = 'interaction', scripts = false, status = 200, cookies = [] } = {},
  ) => {
    const headers = new Headers(pageHeaders({ kind, scripts, https }))
    for (const cookie of cookies) headers.append('set-cookie', cookie)
    return new Response(c.req.method === 'HEAD' ? null : String(html), { status, headers })
  }
  const markup = (shown: FlowPage, browser: BrowserIdentity, requestId: string) =>
    present(shown, { frame: frame(), browser, requestId })
  return {
    frame,
    themeCss,
    page,
    answer(c, browser, outcome) {
      if (outcome.kind === 'page') {
        // A form needs the browser's name: the page that holds it brings the cookie.
        const cookies = outcome.cookies ?? (browser.setCookie === undefined ? [] : [browser.setCookie])
        const scripts = 'passkey' in outcome.page && outcome.page.passkey !== undefined
        return page(c, markup(outcome.page, browser, requestIdOf(c)), {
          scripts,
          status: outcome.status ?? 200,
          cookies,
        })
      }
      const headers = new Headers({
        location: outcome.url,
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
      })
      for (const cookie of outcome.cookies ?? []) headers.append('set-cookie', cookie)
      return new Response(null, { status: outcome.status ?? 303, headers })
    },
    errorPage(shown, browser, requestId) {
      return { headers: pageHeaders({ kind: 'interaction', https }), body: String(markup(shown, browser, requestId)) }
    },
  }
}

/** The id that the request was named at the entrance. */
export const requestIdOf = (c: Context): string => String(c.env?.outgoing?.getHeader('x-request-id') ?? '')

/** The error page that a refusal ends on. */
export const pageOfError = (error: FlowError): Outcome => ({
  kind: 'page',
  page: { name: 'error', code: error.code, hint: error.hint, next: error.next },
  status: error.status,
})
