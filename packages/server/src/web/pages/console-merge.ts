// Joining two users by an operator's word: who remains, what becomes of each thing, and why, before anything happens.
import type { PlanReason } from '../../domain/link-reasons.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { button, buttonLink, notice, textLink } from './components.ts'
import { type ConsoleFrame, id, renderConsolePage } from './console-frame.ts'
import { type Source, sourceWords } from './console-user.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'
import { diffTable, type MergeOutcome, type MergeSideView, sideCard, whichRemains } from './merge-parts.ts'
import { said } from './text.ts'

export interface ConsoleMergeView extends ConsoleFrame {
  readonly pair: { readonly primary: string; readonly secondary: string }
  readonly swapUrl: string
  readonly outcome:
    | { readonly kind: 'refused'; readonly code: MergeRefusal }
    | {
        readonly kind: 'possible'
        /** Takes `action=confirm`, `action=cancel`, and `action=continue` to see it with another `primary`. */
        readonly form: FormTarget
        readonly primary: MergeSideView
        readonly secondary: MergeSideView
        readonly planHash: string
        readonly rows: readonly ConsoleMergeRow[]
        readonly ended: { readonly sessions: number; readonly grants: number; readonly tokens: number }
        /** Of who goes; undefined: they have none. */
        readonly secondStep?: 'replaced' | 'gone' | undefined
        readonly undoUntil: EpochSeconds
        /** Something changed between an earlier look and the yes. */
        readonly stale: boolean
      }
}

export const MERGE_REFUSALS = ['self_link', 'inexistent_user', 'address_unproven', 'user_blocked'] as const
export type MergeRefusal = (typeof MERGE_REFUSALS)[number]

export interface ConsoleMergeRow {
  readonly group: (typeof GROUPS)[number]
  readonly thing:
    | { readonly kind: 'id' | 'name'; readonly text: string }
    | { readonly kind: 'address'; readonly address: string; readonly source: Source }
  readonly from: 'primary' | 'secondary'
  readonly outcome: MergeOutcome
  readonly why: PlanReason
}

const GROUPS = ['identities', 'accounts', 'addresses', 'profile', 'metadata', 'stops'] as const

export function renderConsoleMerge(view: ConsoleMergeView): Html {
  const { frame, outcome } = view
  const possible = outcome.kind === 'possible'
  const lead = possible && say(frame, outcome.stale ? 'merge.stale' : 'console.merge.lead')
  return renderConsolePage(view, {
    page: 'console-merge',
    title: sayPlain(frame, 'console.merge.title'),
    heading: say(frame, possible ? 'console.merge.title' : 'console.merge.refused'),
    lead: lead === false ? undefined : lead,
    content: possible ? preview(view, outcome) : refusal(view, outcome.code),
  })
}

function refusal({ frame, pair, swapUrl }: ConsoleMergeView, code: MergeRefusal): Html {
  return html`<p>${id(pair.primary)}<br>${id(pair.secondary)}</p>
${notice(html`<p>${say(frame, `console.refusal.${code}`)}</p>`, { tone: 'stop' })}
<div class="line">${code === 'address_unproven' && buttonLink(swapUrl, say(frame, 'console.merge.swap'))}${textLink('/console/duplicates', say(frame, 'console.merge.back'))}</div>`
}

type Possible = Extract<ConsoleMergeView['outcome'], { kind: 'possible' }>

function preview({ frame, pair }: ConsoleMergeView, outcome: Possible): Html {
  const { form: target, primary, secondary, planHash, ended, secondStep, undoUntil } = outcome
  const hidden = { own: pair.primary, other: pair.secondary, plan_hash: planHash }
  return html`<div class="join">
${sideCard(frame, { id: 'remains', title: say(frame, 'merge.remains'), side: primary, address: whole(primary, pair.primary) })}
${sideCard(frame, { id: 'becomes', title: say(frame, 'merge.becomes'), side: secondary, address: whole(secondary, pair.secondary) })}
</div>
${notice(say(frame, 'console.merge.ended', { user: id(pair.secondary), ...ended }), { tone: 'warn' })}
${secondStep !== undefined && notice(say(frame, `merge.second-step.${secondStep}`), { tone: 'warn' })}
${form(
  target,
  { name: 'merge-preview', stack: true, hidden },
  html`${whichRemains(frame, outcome, (side) => nameOf(side, pair))}
${diffTable(
  frame,
  GROUPS.map((group) => ({
    title: say(frame, `console.merge.group.${group}`),
    rows: outcome.rows
      .filter((row) => row.group === group)
      .map((row) => ({
        thing: thingWords(frame, row),
        outcome: row.outcome,
        why: say(frame, `console.why.${row.why}`),
      })),
  })),
)}
<p class="notice">${say(frame, 'merge.undo', { day: day(frame, undoUntil) })}</p>
<div class="choice">${button('cancel', say(frame, 'page.cancel'))}${button('confirm', say(frame, 'merge.confirm'))}</div>`,
)}`
}

/** What tells two of one name apart. */
const nameOf = ({ side }: MergeSideView, { primary, secondary }: ConsoleMergeView['pair']): Html =>
  id(side === 'own' ? primary : secondary)

/** The operator sees addresses in full, and the id that tells two of one name apart. */
const whole = ({ address }: MergeSideView, userId: string): Html =>
  html`${address !== undefined && html`${said(address, 320)}<br>`}${id(userId)}`

function thingWords(frame: PageFrame, { thing, from }: ConsoleMergeRow): Html {
  const words =
    thing.kind === 'address'
      ? say(frame, 'console.merge.address', {
          address: said(thing.address, 320),
          source: sourceWords(frame, thing.source),
        })
      : thing.kind === 'id'
        ? id(thing.text)
        : said(thing.text)
  return html`${words} <span class="aside small">${say(frame, `console.merge.of-${from}`)}</span>`
}
