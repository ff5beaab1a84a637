// What joining two proven accounts would change, before it happens: both side by side, then each thing with its fate.
import type { EpochSeconds } from '../../lib/time.ts'
import { choicePair, dots, heading, maskedAddress } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html, nothing } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, pluralKey, say, sayPlain } from './locale.ts'
import {
  type DiffGroup,
  diffTable,
  type MergeOutcome,
  type MergeSideView,
  sideCard,
  whichRemains,
} from './merge-parts.ts'
import { maskAddress, plainText, said } from './text.ts'

export interface MergePreviewView {
  readonly frame: PageFrame
  /** Takes `action=confirm`, `action=cancel`, and `action=continue` to see it with another `primary`. */
  readonly form: FormTarget
  readonly primary: MergeSideView
  readonly secondary: MergeSideView
  readonly planHash: string
  readonly rows: readonly MergeRowView[]
  readonly ended: {
    readonly sessions: number
    readonly apps: number
    /** Of the account that goes; undefined: it has none. */
    readonly secondStep?: 'replaced' | 'gone' | undefined
  }
  readonly undoUntil: EpochSeconds
  /** Something changed between an earlier look and the yes. */
  readonly stale: boolean
}

export interface MergeRowView {
  readonly group: (typeof GROUPS)[number]
  /** A name, a label or a key; an address is shown masked. */
  readonly thing: string
  readonly outcome: MergeOutcome
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

export function renderMergePreview(view: MergePreviewView): Html {
  const { frame, form: target, primary, secondary, planHash, undoUntil } = view
  const no = { value: 'cancel', words: say(frame, 'page.cancel') }
  const yes = { value: 'confirm', words: say(frame, 'merge.confirm') }
  const content = html`${heading(say(frame, 'merge.title'), say(frame, view.stale ? 'merge.stale' : 'merge.lead'))}
${warnings(view)}
<div class="join">
${sideCard(frame, { id: 'remains', title: say(frame, 'merge.remains'), side: primary, address: masked(primary) })}
${sideCard(frame, { id: 'becomes', title: say(frame, 'merge.becomes'), side: secondary, address: masked(secondary) })}
</div>
${form(
  target,
  { name: 'merge-preview', stack: true, hidden: { plan_hash: planHash } },
  html`${whichRemains(frame, view, masked)}
${diffTable(frame, groupsOf(view))}
<p class="notice">${say(frame, 'merge.undo', { day: day(frame, undoUntil) })}</p>
${choicePair(no, yes)}`,
)}`
  return renderLetter(frame, { page: 'merge-preview', title: sayPlain(frame, 'merge.title'), width: 'long', content })
}

const masked = ({ address }: MergeSideView) => address !== undefined && maskedAddress(address)

function warnings({ frame, ended }: MergePreviewView): Html {
  const { sessions, apps, secondStep } = ended
  const lines = [
    sessions > 0 && say(frame, pluralKey(frame, 'merge.sessions', sessions), { count: sessions }),
    apps > 0 && say(frame, pluralKey(frame, 'merge.apps', apps), { count: apps }),
    secondStep !== undefined && say(frame, `merge.second-step.${secondStep}`),
  ].filter((line) => line !== false)
  if (lines.length === 0) return nothing
  return html`<section class="notice warn" aria-labelledby="again"><h2 id="again">${say(frame, 'merge.again')}</h2>${dots(lines)}</section>`
}

const groupsOf = ({ frame, rows }: MergePreviewView): readonly DiffGroup[] =>
  GROUPS.map((group) => ({
    title: say(frame, `merge.group.${group}`),
    rows: rows
      .filter((row) => row.group === group)
      .map((row) => ({ thing: thing(row), outcome: row.outcome, why: say(frame, `merge.why.${row.why}`) })),
  }))

const thing = ({ group, thing: name }: MergeRowView): Html =>
  group === 'addresses' ? html`<bdi>${plainText(maskAddress(name), 120)}</bdi>` : said(name)
