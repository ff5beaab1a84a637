// The headers of everything that a browser shows (contract.md "Browser certainties").

/**
 * - `interaction`: sign-in, link, consent, connect leg, logout, error: whatever `/authorize` or a ticket can reach.
 * - `account`, `console`: the person's and the operator's own pages.
 * - `account-upstream`: an account page with a form that leads upstream.
 * - `engine`: the protocol engine's two answers that run a script. The engine adds the script's hash to `script-src`,
 *   and for `web_message` takes `frame-ancestors` away; see `frameableBy`.
 */
export type PageKind = 'interaction' | 'account' | 'account-upstream' | 'console' | 'engine'

export interface PageHeaderOptions {
  readonly kind: PageKind
  /** It asks for a passkey, by a script of ours. */
  readonly scripts?: boolean
  /** The public URL is https. */
  readonly https: boolean
}

export const HTML_CONTENT_TYPE = 'text/html; charset=utf-8'

const YEAR_SECONDS = 31_536_000

/** The whole set, `Content-Type` included. */
export function pageHeaders({ kind, scripts = false, https }: PageHeaderOptions): Readonly<Record<string, string>> {
  return {
    'Content-Type': HTML_CONTENT_TYPE,
    'Content-Security-Policy': contentSecurityPolicy(kind, scripts),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // Any value on a page that a popup passes through cuts it from its opener, and the app then goes on too early.
    ...(isOwnArea(kind) ? { 'Cross-Origin-Opener-Policy': 'same-origin' } : {}),
    ...(https ? { 'Strict-Transport-Security': `max-age=${YEAR_SECONDS}` } : {}),
  }
}

/**
 * The policy with `frame-ancestors` for the origins of a client that asked by `web_message`; nobody when there are none.
 *
 * @param webOrigins the client's `web_origins`, as registered; anything that is not an http(s) origin is left out.
 */
export function frameableBy(policy: string, webOrigins: readonly string[]): string {
  const kept = policy
    .split(';')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !/^frame-ancestors\b/i.test(directive))
  const origins = webOrigins.filter(isOrigin)
  return [...kept, `frame-ancestors ${origins.length > 0 ? origins.join(' ') : "'none'"}`].join('; ')
}

const isOwnArea = (kind: PageKind): boolean => kind === 'account' || kind === 'account-upstream' || kind === 'console'

function contentSecurityPolicy(kind: PageKind, scripts: boolean): string {
  const sources =
    kind === 'engine'
      ? ["default-src 'none'", 'script-src']
      : ["default-src 'none'", ...(scripts ? ["script-src 'self'"] : []), "style-src 'self'", "img-src 'self'"]
  // `form-action` also governs redirects after a post, so a page whose form leads to a provider or an app sends none.
  const formAction = kind === 'account' || kind === 'console' ? ["form-action 'self'"] : []
  return [...sources, ...formAction, "base-uri 'none'", "frame-ancestors 'none'"].join('; ')
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { origin, protocol } = new URL(text)
  return origin === text && (protocol === 'https:' || protocol === 'http:')
}
