// What the pages of the console have in common.

import type { Grade } from '../../domain/user.ts'
import type { ConsoleNoticeCode } from '../../flows/console-changes.ts'
import { userPath } from '../../flows/console-wish.ts'
import { badge, notice, type Tone, textLink } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { brand, type ConsolePage, footer, type PageFrame, renderDocument } from './layout.ts'
import { type MessageKey, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export interface ConsoleFrame {
  readonly frame: PageFrame
  readonly operator: { readonly kind: 'user'; readonly name: string } | { readonly kind: 'link' }
  readonly leave: FormTarget
  /** What has just happened. */
  readonly said?: { readonly code: ConsoleNoticeCode; readonly thing: string } | undefined
}

const NAV = [
  { page: 'console-users', href: '/console/users', words: 'console.nav.users' },
  { page: 'console-duplicates', href: '/console/duplicates', words: 'console.nav.duplicates' },
  { page: 'console-agents', href: '/console/agents', words: 'console.nav.agents' },
  { page: 'console-endings', href: '/console/endings', words: 'console.nav.endings' },
  { page: 'console-simulate', href: '/console/simulate', words: 'console.nav.simulate' },
] as const satisfies readonly { page: ConsolePage; href: string; words: MessageKey }[]

export interface ConsoleSheet {
  readonly page: ConsolePage
  /** For the window. */
  readonly title: string
  readonly heading: HtmlValue
  readonly lead?: HtmlValue
  /** Beside the heading. */
  readonly badges?: HtmlValue
  readonly content: HtmlValue
}

/** A page of the console, with its navigation; what has just happened stands before its heading. */
export function renderConsolePage(
  view: ConsoleFrame,
  { page, title, heading, lead, badges, content }: ConsoleSheet,
): Html {
  const { frame, said: notes } = view
  const notes_ =
    notes && notice(say(frame, `console.notice.${notes.code}`, { thing: notes.thing }), { tone: 'ok', announce: true })
  const body = html`<header class="bar"><div class="wrap">
<a class="head" href="/console">${brand({ ...frame, tenantName: sayPlain(frame, 'console.name', { tenant: frame.tenantName }) })}</a>
<nav aria-label="${sayPlain(frame, 'console.nav')}">
${NAV.map((item) => html`<a href="${item.href}"${item.page === page && html` aria-current="page"`}>${say(frame, item.words)}</a>\n`)}</nav>
${whoIsThere(view)}
</div></header>
<main id="main" class="wrap stack">
${notes_}
<div><div class="line"><h1>${heading}</h1>${badges}</div>${lead !== undefined && html`<p class="soft">${lead}</p>`}</div>
${content}
</main>
<div class="wrap">${footer(frame)}</div>`
  return renderDocument(frame, {
    page,
    title: sayPlain(frame, 'console.title', { page: title }),
    area: 'console',
    body,
  })
}

function whoIsThere({ frame, operator, leave }: ConsoleFrame): Html {
  if (operator.kind === 'user')
    return html`<span class="small soft">${say(frame, 'console.as-user', { name: operator.name })}</span>
<a class="small soft out" href="/oidc/logout">${say(frame, 'account.sign-out')}</a>`
  return html`<span class="small soft">${say(frame, 'console.as-link')}</span>
${form(leave, { name: 'console-leave' }, html`<button class="link small" name="action" value="cancel">${say(frame, 'console.leave')}</button>`)}`
}

/** An id, as it is. */
export const id = (text: string): Html => html`<bdi class="id">${plainText(text, 300)}</bdi>`

/** A table that scrolls by itself where it is too wide. `labelledBy`: id of its heading. */
export const table = (labelledBy: string, columns: readonly HtmlValue[], rows: readonly Html[]): Html =>
  html`<div class="scroll" role="group" aria-labelledby="${labelledBy}" tabindex="0"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`${row}\n`)}</tbody>
</table></div>`

export interface UserName {
  readonly userId: string
  /** Undefined when the profile holds none. */
  readonly name: string | undefined
}

/** Their name leads to them, their id stands under it. */
export const userCell = (frame: PageFrame, { userId, name }: UserName): Html =>
  html`${textLink(userPath(userId), name === undefined ? say(frame, 'console.nameless') : said(name))}<br>${id(userId)}`

const GRADE_TONES: Readonly<Record<Grade, Tone>> = { 0: 'warn', 1: 'plain', 2: 'ok', 3: 'ok' }

/** How sure we are of an address: the grade, and what it means. */
export const gradeWords = (frame: PageFrame, grade: Grade): Html =>
  html`${badge(say(frame, 'console.grade', { grade }), GRADE_TONES[grade])} ${say(frame, `console.grade.${grade}`)}`

/** A count, as the reader's language writes it. */
export const number = ({ locale }: PageFrame, count: number): Html =>
  html`<span class="num">${new Intl.NumberFormat(locale.formats).format(count)}</span>`

/** Says that there is nothing. */
export const emptySheet = (words: HtmlValue): Html => html`<div class="sheet"><p>${words}</p></div>`

/** Where users are looked for. */
export function searchForm(frame: PageFrame, text: string | undefined): Html {
  return html`<form class="sheet inline" method="get" action="/console/users" role="search" aria-label="${sayPlain(frame, 'console.search')}">
<div class="field"><label for="q">${say(frame, 'console.search.label')}</label><input id="q" name="q" type="text" aria-describedby="q-hint" maxlength="512" spellcheck="false" autocapitalize="none" value="${plainText(text ?? '', 512)}"></div>
<button class="btn go"><span>${say(frame, 'console.search.do')}</span></button>
<p class="hint" id="q-hint">${say(frame, 'console.search.hint')}</p>
</form>`
}

/** Back and forth in a long list. */
export const pageLinks = (label: string, links: readonly (Html | false)[]): Html | undefined =>
  links.some(Boolean) ? html`<nav class="line" aria-label="${label}">${links}</nav>` : undefined
