// What was added to an account, or joined with it: when, how it was proven, and until when it can be taken back.
import type { EpochSeconds } from '../../lib/time.ts'
import { type AccountFrame, accountHeading, renderAccountPage } from './account-frame.ts'
import { badge, button, buttonLink, dots, row, rows, section } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, type MessageKey, say, sayPlain } from './locale.ts'

export interface HistoryView {
  /** The newest first. */
  readonly links: readonly LinkView[]
  readonly olderUrl: string | undefined
  readonly newestUrl: string | undefined
  /** Takes `action=undo` with `link`. */
  readonly undo: FormTarget
}

export interface LinkView {
  readonly id: string
  /** `away`: this account was the one that was joined into another, and is back. */
  readonly kind: 'identity' | 'merge' | 'away'
  readonly connection: string | undefined
  readonly rule: string
  /** The app that asked, where one did. */
  readonly app: string | undefined
  readonly at: EpochSeconds
  readonly undoneAt: EpochSeconds | undefined
  readonly undoUntil: EpochSeconds
  readonly canUndo: boolean
}

export function historySection(frame: PageFrame, { links, olderUrl, newestUrl, undo }: HistoryView): Html {
  const list =
    links.length === 0
      ? html`<div class="sheet"><p>${say(frame, 'history.none')}</p></div>`
      : rows(links.map((link) => linkRow(frame, link, undo)))
  const newest = newestUrl !== undefined && buttonLink(newestUrl, say(frame, 'history.newest'), { small: true })
  const older = olderUrl !== undefined && buttonLink(olderUrl, say(frame, 'history.older'), { small: true })
  const pages =
    (newest || older) &&
    html`<nav class="line" aria-label="${sayPlain(frame, 'history.section')}">${newest}${older}</nav>`
  return section('history', say(frame, 'history.section'), html`${list}${pages}`)
}

function linkRow(frame: PageFrame, link: LinkView, undo: FormTarget): Html {
  const { at, undoneAt, undoUntil, canUndo } = link
  const ends = endOf(frame, { undoneAt, undoUntil, canUndo, kind: link.kind })
  const content = html`<b>${whatWords(frame, link)}</b>
<p class="small soft">${say(frame, 'history.on', { day: day(frame, at), how: howWords(frame, link) })} ${ends}</p>
${undoneAt !== undefined && html`<div class="badges">${badge(say(frame, 'history.undone'))}</div>`}`
  return row(content, { side: canUndo ? undoPanel(frame, link, undo) : undefined })
}

function endOf(
  frame: PageFrame,
  { undoneAt, undoUntil, canUndo, kind }: Pick<LinkView, 'undoneAt' | 'undoUntil' | 'canUndo' | 'kind'>,
): HtmlValue {
  if (undoneAt !== undefined) return say(frame, 'history.undone-on', { day: day(frame, undoneAt) })
  if (kind === 'away') return undefined
  return canUndo ? say(frame, 'history.until', { day: day(frame, undoUntil) }) : say(frame, 'history.over')
}

function whatWords(frame: PageFrame, { kind, connection }: LinkView): Html {
  if (kind === 'away') return say(frame, 'history.away')
  if (kind === 'identity')
    return connection === undefined
      ? say(frame, 'history.identity.unnamed')
      : say(frame, 'history.identity', { connection })
  return connection === undefined ? say(frame, 'history.merge') : say(frame, 'history.merge.by', { connection })
}

const RULES = ['account', 'S2', 'S5', 'S7', 'S8'] as const satisfies readonly RuleOf<MessageKey>[]
type RuleOf<Key> = Key extends `history.rule.${infer Rule}` ? Rule : never

function howWords(frame: PageFrame, { rule, app }: LinkView): Html {
  if (rule === 'client' || rule === 'link_with')
    return app === undefined ? say(frame, `history.rule.${rule}`) : say(frame, `history.rule.${rule}-named`, { app })
  if (rule === 'management') return say(frame, 'history.rule.management', { tenant: frame.tenantName })
  return say(frame, `history.rule.${RULES.find((one) => one === rule) ?? 'other'}`)
}

function undoPanel(frame: PageFrame, link: LinkView, undo: FormTarget): Html {
  const submit = button('undo', say(frame, 'history.undo.submit'), { tone: 'end' })
  const keep = html`<a href="/account/connections">${say(frame, 'history.undo.keep')}</a>`
  return html`<details><summary class="side btn s">${say(frame, 'history.undo')}<span class="sr"> ${whatWords(frame, link)}</span></summary><div class="panel stack">
<h3>${say(frame, 'history.undo.title')}</h3>
${dots(effects(frame, link))}
${form(undo, { name: 'undo-link', hidden: { link: link.id } }, html`<div class="line">${submit}${keep}</div>`)}
</div></details>`
}

function effects(frame: PageFrame, { kind, connection }: LinkView): readonly Html[] {
  if (kind === 'merge') return [say(frame, 'history.undo.merge'), say(frame, 'history.undo.merge-sessions')]
  const named = connection ?? say(frame, 'activity.someone')
  return [say(frame, 'history.undo.identity', { connection: named }), say(frame, 'history.undo.identity-sessions')]
}

export interface UndoConflictsView extends AccountFrame {
  readonly linkId: string
  readonly conflicts: readonly UndoConflictView[]
  /** Takes `action=undo` with `link` and `keep_changes`. */
  readonly undo: FormTarget
}

export interface UndoConflictView {
  readonly code: 'identity_gone' | 'account_gone' | 'metadata_changed' | 'address_withdrawn'
  readonly connection: string | undefined
  readonly key: string | undefined
}

/** Undoing found things that have changed: what would stay, and a choice. */
export function renderUndoConflicts(view: UndoConflictsView): Html {
  const { frame, linkId, conflicts, undo } = view
  const hidden = { link: linkId, keep_changes: 'yes' }
  const submit = button('undo', say(frame, 'undo.submit'), { tone: 'end' })
  const cancel = html`<a href="/account/connections">${say(frame, 'undo.cancel')}</a>`
  const lead = conflicts.length === 0 ? say(frame, 'undo.none') : say(frame, 'undo.lead')
  const content = html`${accountHeading(view, say(frame, 'undo.title'), lead)}
<div class="sheet stack">
${conflicts.length > 0 && dots(conflicts.map((one) => conflictWords(frame, one)))}
${form(undo, { name: 'undo-link', hidden }, html`<div class="line">${submit}${cancel}</div>`)}
</div>`
  return renderAccountPage(view, { page: 'account-undo', title: sayPlain(frame, 'undo.title'), content })
}

function conflictWords(frame: PageFrame, { code, connection, key }: UndoConflictView): Html {
  switch (code) {
    case 'identity_gone':
      return say(frame, 'undo.identity_gone', { connection: connection ?? say(frame, 'activity.someone') })
    case 'metadata_changed':
      return say(frame, 'undo.metadata_changed', { key: key ?? '' })
    default:
      return say(frame, `undo.${code}`)
  }
}
