// Markup that cannot forget to escape: Hono's template, narrowed to values that are safe to place and known at once.
import { html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Finished markup. */
export type Html = HtmlEscapedString

/** What may stand in a template: strings are escaped; `undefined` and `false` leave nothing. */
export type HtmlValue = string | number | Html | false | undefined | readonly HtmlValue[]

/** Markup from a template; every string in it is escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const made = template(strings, ...values)
  if (made instanceof Promise) throw new TypeError('a page template waits for nothing')
  return made
}

export const nothing: Html = html``

/** Several pieces with `separator` between them. */
export function joined(parts: readonly HtmlValue[], separator: HtmlValue): Html {
  return html`${parts.map((part, at) => (at === 0 ? part : html`${separator}${part}`))}`
}

/**
 * A link target that a browser only ever navigates to: a path of ours, or an http(s) URL.
 * Anything else, such as `javascript:`, becomes `#` (T-WEB-03).
 */
export function safeUrl(url: string): string {
  if (isOwnPath(url)) return url
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed?.protocol === 'https:' || parsed?.protocol === 'http:' ? parsed.href : '#'
}

/** True for a path on this server; `//host` and `/\host` lead elsewhere. */
export function isOwnPath(url: string): boolean {
  return /^\/(?![/\\])/.test(url) && !/\p{Cc}/u.test(url)
}
