// What every page shares: the document around it, who speaks, and how it is styled.
import { type Html, html, isOwnPath, nothing, safeUrl } from './html.ts'
import { mark } from './icons.ts'
import { type MessageKey, type Speaker, say, sayPlain } from './locale.ts'
import { plainText } from './text.ts'

/** The same for every page of one answer: language, tenant, assets. */
export interface PageFrame extends Speaker {
  /** The tenant's friendly name. */
  readonly tenantName: string
  /** Host of the issuer, as a person reads it in the address bar. */
  readonly host: string
  /** Hrefs from `loadAssets`. */
  readonly assets: { readonly stylesheet: string; readonly icon: string; readonly passkeys?: string }
  /** Path on this server of the operator's colours, from `decideTheme`. */
  readonly themePath?: string | undefined
  /** Path on this server of the operator's logo; another host is never asked (T-WEB-05). */
  readonly logoPath?: string | undefined
}

export type LetterPage =
  | 'login'
  | 'signup'
  | 'verify-email'
  | 'reset-password'
  | 'reauthenticate'
  | 'mfa'
  | 'second-step-app'
  | 'recovery-codes'
  | 'account-passkey'
  | 'consent'
  | 'link-confirm'
  | 'enter-credential'
  | 'which-account'
  | 'link-suggest'
  | 'link-choose'
  | 'link-conflict'
  | 'merge-preview'
  | 'approve'
  | 'activate'
  | 'not-me'
  | 'account-deleted'
  | 'error'
  | 'logout'
  | 'go-upstream'
  | 'console-enter'
  | 'console-closed'
  | 'api-docs'

export interface Letter {
  readonly page: LetterPage
  /** For the window; the tenant's name is added. */
  readonly title: string
  /** Something on the page wants to be mended: said first in the title. */
  readonly hasError?: boolean
  /** Stable code, on `error` pages. */
  readonly errorCode?: string
  /** `one` decides, `two` compares two accounts, `long` holds a table. */
  readonly width?: 'one' | 'two' | 'long'
  /** It asks for a passkey, which takes a script of ours. */
  readonly scripts?: boolean
  readonly content: Html
}

const WIDTHS = { one: 'letter', two: 'letter two', long: 'letter long' } as const

/** A page with one thing to decide. */
export function renderLetter(
  frame: PageFrame,
  { page, title, hasError, errorCode, width = 'one', scripts = false, content }: Letter,
): Html {
  const shown = hasError ? sayPlain(frame, 'page.title.error', { page: title }) : title
  const body = html`<div class="${WIDTHS[width]}">
<header class="head">${brand(frame)}</header>
<main id="main" class="sheet stack">
${content}
</main>
${footer(frame)}
</div>`
  return renderDocument(frame, { page, title: shown, errorCode, scripts, body })
}

type NavPage = 'account' | 'account-connections' | 'account-agents' | 'account-activity'
/** Those that lead to something, besides. */
export type AccountPage = NavPage | 'account-delete' | 'account-undo'

export interface AccountNavItem {
  readonly page: NavPage
  readonly href: string
}

export interface AccountSheet {
  readonly page: AccountPage
  readonly title: string
  /** The pages that exist, this one included. */
  readonly nav: readonly AccountNavItem[]
  readonly signOutUrl: string
  readonly content: Html
}

const NAV_WORDS: Readonly<Record<NavPage, MessageKey & `account.nav.${string}`>> = {
  account: 'account.nav.profile',
  'account-connections': 'account.nav.connections',
  'account-agents': 'account.nav.agents',
  'account-activity': 'account.nav.activity',
}

/** A page of the person's own account, with its navigation. */
export function renderAccountSheet(frame: PageFrame, { page, title, nav, signOutUrl, content }: AccountSheet): Html {
  const home = nav.find((item) => item.page === 'account')
  const body = html`<header class="bar"><div class="wrap">
${home ? html`<a class="head" href="${safeUrl(home.href)}">${brand(frame)}</a>` : html`<span class="head">${brand(frame)}</span>`}
<nav aria-label="${sayPlain(frame, 'account.nav')}">
${nav.map((item) => html`<a href="${safeUrl(item.href)}"${item.page === page && html` aria-current="page"`}>${say(frame, NAV_WORDS[item.page])}</a>\n`)}</nav>
<a class="small soft out" href="${safeUrl(signOutUrl)}">${say(frame, 'account.sign-out')}</a>
</div></header>
<main id="main" class="wrap stack">
${content}
</main>
<div class="wrap">${footer(frame)}</div>`
  return renderDocument(frame, { page, title, body })
}

export type ConsolePage =
  | 'console-home'
  | 'console-users'
  | 'console-user'
  | 'console-duplicates'
  | 'console-merge'
  | 'console-undo'
  | 'console-simulate'
  | 'console-agents'
  | 'console-agent'
  | 'console-endings'

interface Document {
  readonly page: LetterPage | AccountPage | ConsolePage
  readonly title: string
  readonly errorCode?: string | undefined
  /** The area whose widths and parts the stylesheet gives it. */
  readonly area?: 'console'
  readonly scripts?: boolean
  readonly body: Html
}

export function renderDocument(frame: PageFrame, { page, title, errorCode, area, scripts, body }: Document): Html {
  const { lang, dir } = frame.locale
  const theme = frame.themePath !== undefined && isOwnPath(frame.themePath) ? frame.themePath : undefined
  return html`<!doctype html>
<html lang="${lang}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${sayPlain(frame, 'page.title', { page: title, tenant: frame.tenantName })}</title>
<link rel="icon" href="${safeUrl(frame.assets.icon)}" type="image/svg+xml">
<link rel="stylesheet" href="${safeUrl(frame.assets.stylesheet)}">${
    theme &&
    html`
<link rel="stylesheet" href="${theme}">`
  }${
    scripts &&
    frame.assets.passkeys !== undefined &&
    html`
<script src="${safeUrl(frame.assets.passkeys)}" defer></script>`
  }
</head>
<body${area && html` class="${area}"`} data-page="${page}"${errorCode !== undefined && html` data-error="${errorCode}"`}>
<a class="skip" href="#main">${say(frame, 'page.skip')}</a>
${body}
</body>
</html>`
}

export function brand({ tenantName, logoPath }: PageFrame): Html {
  const own = logoPath !== undefined && isOwnPath(logoPath)
  // The name stands beside the picture, so the picture itself says nothing.
  return html`${own ? html`<img class="logo" src="${logoPath}" alt="">` : mark}<span>${plainText(tenantName)}</span>`
}

export function footer(frame: PageFrame): Html {
  return frame.host === ''
    ? nothing
    : html`<footer class="foot"><span>${say(frame, 'page.identity-by', { host: frame.host })}</span></footer>`
}
