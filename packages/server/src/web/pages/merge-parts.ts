// What every page shares that shows a merge before it happens: both sides, which one remains, each thing with its fate.
import type { EpochSeconds } from '../../lib/time.ts'
import type { SignInWay } from './account.ts'
import { badge, button, chip, monogram, type Tone } from './components.ts'
import { type Html, type HtmlValue, html, nothing } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, listOf, pluralKey, say } from './locale.ts'
import { said } from './text.ts'

export interface MergeSideView {
  /** How the form names it. */
  readonly side: 'own' | 'other'
  readonly mayRemain: boolean
  readonly name: string
  /** Whole; the page that shows it decides whether it is masked. */
  readonly address?: string | undefined
  readonly createdAt: EpochSeconds
  readonly lastLogin?: EpochSeconds | undefined
  readonly ways: readonly SignInWay[]
  /** Labels of connected accounts. */
  readonly accounts: readonly string[]
}

/** @param address as this page shows addresses. */
export function sideCard(
  frame: PageFrame,
  { id, title, side, address }: { id: string; title: Html; side: MergeSideView; address: HtmlValue },
): Html {
  const { name, createdAt, lastLogin, ways, accounts } = side
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
${chip(monogram(name), html`<b>${said(name)}</b>`, address)}
<dl>${facts.map((fact) => fact && html`<dt>${fact[0]}</dt><dd>${fact[1]}</dd>`)}</dl>
</section>`
}

/** Without a script the other way round is another look at the page. */
export function whichRemains(
  frame: PageFrame,
  { primary, secondary }: { readonly primary: MergeSideView; readonly secondary: MergeSideView },
  /** What tells them apart beside the name. */
  more: (side: MergeSideView) => HtmlValue,
): Html {
  if (!secondary.mayRemain) return html`<input type="hidden" name="primary" value="${primary.side}">`
  return html`<fieldset><legend>${say(frame, 'merge.which')}</legend>
${[primary, secondary].map((side) => html`<label class="pick"><input type="radio" name="primary" value="${side.side}"${side === primary && html` checked`}> <span>${said(side.name)} ${more(side)}</span></label>\n`)}
${button('continue', say(frame, 'merge.which.do'), { small: true })}</fieldset>`
}

export type MergeOutcome = keyof typeof TONES
const TONES = { kept: 'plain', moved: 'ok', merged: 'ok', dropped: 'stop' } as const satisfies Record<string, Tone>

export interface DiffGroup {
  readonly title: Html
  readonly rows: readonly { readonly thing: Html; readonly outcome: MergeOutcome; readonly why: Html }[]
}

/** The fate of each thing, counted above, group by group. */
export function diffTable(frame: PageFrame, groups: readonly DiffGroup[]): Html {
  const all = groups.flatMap(({ rows }) => rows)
  const count = (...outcomes: readonly MergeOutcome[]) => all.filter(({ outcome }) => outcomes.includes(outcome)).length
  const caption = say(frame, pluralKey(frame, 'merge.caption', all.length), {
    count: all.length,
    kept: count('kept'),
    moved: count('moved', 'merged'),
    dropped: count('dropped'),
  })
  return html`<table class="diff" role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${say(frame, 'merge.column.thing')}</th><th role="columnheader" scope="col">${say(frame, 'merge.column.outcome')}</th><th role="columnheader" scope="col">${say(frame, 'merge.column.why')}</th></tr></thead>
${groups.map((group) => groupOf(frame, group))}</table>`
}

function groupOf(frame: PageFrame, { title, rows }: DiffGroup): Html {
  if (rows.length === 0) return nothing
  return html`<tbody role="rowgroup">
<tr role="row" class="group"><th role="columnheader" scope="rowgroup" colspan="3">${title}</th></tr>
${rows.map(({ thing, outcome, why }) => html`<tr role="row"><th role="rowheader" scope="row">${thing}</th><td role="cell">${badge(say(frame, `merge.outcome.${outcome}`), TONES[outcome])}</td><td role="cell">${why}</td></tr>\n`)}</tbody>
`
}
