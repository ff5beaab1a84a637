// What joining two proven accounts would change, before it happens: both side by side, then each thing with its fate.
import type { EpochSeconds } from '../../lib/time.ts'
import type { SignInWay } from './account.ts'
import { badge, button, chip, choicePair, dots, heading, maskedAddress, monogram, type Tone } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html, nothing } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, listOf, pluralKey, say, sayPlain } from './locale.ts'
import { maskAddress, plainText, said } from './text.ts'

export interface MergePreviewView {
  readonly frame: PageFrame
  /** Takes `action=confirm`, `action=cancel`, and `action=continue` to see it with another `primary`. */
  readonly form: FormTarget
  readonly primary: MergeSideView
  readonly secondary: MergeSideView
  readonly planHash: string
  readonly rows: readonly MergeRowView[]
  readonly ended: { readonly sessions: number; readonly apps: number }
  readonly undoUntil: EpochSeconds
  /** Something changed between an earlier look and the yes. */
  readonly stale: boolean
}

export interface MergeSideView {
  /** How the form names it. */
  readonly side: 'own' | 'other'
  readonly mayRemain: boolean
  readonly name: string
  /** Whole; shown masked. */
  readonly address?: string | undefined
  readonly createdAt: EpochSeconds
  readonly lastLogin?: EpochSeconds | undefined
  readonly ways: readonly SignInWay[]
  /** Labels of connected accounts. */
  readonly accounts: readonly string[]
}

export interface MergeRowView {
  readonly group: (typeof GROUPS)[number]
  /** A name, a label or a key; an address is shown masked. */
  readonly thing: string
  readonly outcome: keyof typeof TONES
  readonly why: MergeWhy
}

export type MergeWhy =
  | 'primary_stays'
  | 'identity_conserved'
  | 'follows_identity'
  | 'newer_tokenset_stays'
  | 'evidence_follows_person'
  | 'better_word_counts'
  | 'policy_keep_primary'
  | 'policy_deep_merge'
  | 'primary_wins'

const GROUPS = ['ways', 'accounts', 'addresses', 'metadata'] as const
const TONES = { kept: 'plain', moved: 'ok', merged: 'ok', dropped: 'stop' } as const satisfies Record<string, Tone>

export function renderMergePreview(view: MergePreviewView): Html {
  const { frame, form: target, primary, secondary, planHash, undoUntil } = view
  const no = { value: 'cancel', words: say(frame, 'page.cancel') }
  const yes = { value: 'confirm', words: say(frame, 'merge.confirm') }
  const content = html`${heading(say(frame, 'merge.title'), say(frame, view.stale ? 'merge.stale' : 'merge.lead'))}
${warnings(view)}
<div class="join">
${sideCard(frame, 'remains', say(frame, 'merge.remains'), primary)}
${sideCard(frame, 'becomes', say(frame, 'merge.becomes'), secondary)}
</div>
${form(
  target,
  { name: 'merge-preview', stack: true, hidden: { plan_hash: planHash } },
  html`${whichRemains(view)}
${diff(view)}
<p class="notice">${say(frame, 'merge.undo', { day: day(frame, undoUntil) })}</p>
${choicePair(no, yes)}`,
)}`
  return renderLetter(frame, { page: 'merge-preview', title: sayPlain(frame, 'merge.title'), width: 'long', content })
}

function warnings({ frame, ended }: MergePreviewView): Html {
  const { sessions, apps } = ended
  const lines = [
    sessions > 0 && say(frame, pluralKey(frame, 'merge.sessions', sessions), { count: sessions }),
    apps > 0 && say(frame, pluralKey(frame, 'merge.apps', apps), { count: apps }),
  ].filter((line) => line !== false)
  if (lines.length === 0) return nothing
  return html`<section class="notice warn" aria-labelledby="again"><h2 id="again">${say(frame, 'merge.again')}</h2>${dots(lines)}</section>`
}

function sideCard(frame: PageFrame, id: string, title: Html, side: MergeSideView): Html {
  const { name, address, createdAt, lastLogin, ways, accounts } = side
  const words = ways.map((way) =>
    way.kind === 'password' ? say(frame, 'account.way.password') : said(way.displayName),
  )
  const facts: readonly (readonly [HtmlValue, HtmlValue] | false)[] = [
    [say(frame, 'merge.made'), day(frame, createdAt)],
    lastLogin !== undefined && [say(frame, 'merge.last-used'), day(frame, lastLogin)],
    words.length > 0 && [say(frame, 'merge.ways'), listOf(frame, words)],
    accounts.length > 0 && [
      say(frame, 'merge.accounts'),
      listOf(
        frame,
        accounts.map((label) => said(label)),
      ),
    ],
  ]
  return html`<section class="card" aria-labelledby="${id}">
<h2 class="kicker" id="${id}">${title}</h2>
${chip(monogram(name), html`<b>${said(name)}</b>`, address !== undefined && maskedAddress(address))}
<dl>${facts.map((fact) => fact && html`<dt>${fact[0]}</dt><dd>${fact[1]}</dd>`)}</dl>
</section>`
}

/** Without a script the other way round is another look at the page. */
function whichRemains({ frame, primary, secondary }: MergePreviewView): Html {
  if (!secondary.mayRemain) return html`<input type="hidden" name="primary" value="${primary.side}">`
  return html`<fieldset><legend>${say(frame, 'merge.which')}</legend>
${[primary, secondary].map((side) => html`<label class="pick"><input type="radio" name="primary" value="${side.side}"${side === primary && html` checked`}> ${said(side.name)}${side.address !== undefined && html` ${maskedAddress(side.address)}`}</label>\n`)}
${button('continue', say(frame, 'merge.which.do'), { small: true })}</fieldset>`
}

function diff({ frame, rows }: MergePreviewView): Html {
  const count = (...outcomes: readonly MergeRowView['outcome'][]) =>
    rows.filter(({ outcome }) => outcomes.includes(outcome)).length
  const caption = say(frame, pluralKey(frame, 'merge.caption', rows.length), {
    count: rows.length,
    kept: count('kept'),
    moved: count('moved', 'merged'),
    dropped: count('dropped'),
  })
  return html`<table class="diff" role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${say(frame, 'merge.column.thing')}</th><th role="columnheader" scope="col">${say(frame, 'merge.column.outcome')}</th><th role="columnheader" scope="col">${say(frame, 'merge.column.why')}</th></tr></thead>
${GROUPS.map((group) => groupOf(frame, group, rows))}</table>`
}

function groupOf(frame: PageFrame, group: MergeRowView['group'], all: readonly MergeRowView[]): Html {
  const rows = all.filter((row) => row.group === group)
  if (rows.length === 0) return nothing
  return html`<tbody role="rowgroup">
<tr role="row" class="group"><th role="columnheader" scope="rowgroup" colspan="3">${say(frame, `merge.group.${group}`)}</th></tr>
${rows.map((row) => html`<tr role="row"><th role="rowheader" scope="row">${thing(row)}</th><td role="cell">${badge(say(frame, `merge.outcome.${row.outcome}`), TONES[row.outcome])}</td><td role="cell">${say(frame, `merge.why.${row.why}`)}</td></tr>\n`)}</tbody>
`
}

const thing = ({ group, thing: name }: MergeRowView): Html =>
  group === 'addresses' ? html`<bdi>${plainText(maskAddress(name), 120)}</bdi>` : said(name)
