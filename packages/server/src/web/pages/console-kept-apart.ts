// Pairs of users whom an operator keeps separate; from here they are listed again.
import { duplicatesPath } from '../../flows/console-wish.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { button, buttonLink } from './components.ts'
import {
  type ConsoleFrame,
  emptySheet,
  pageLinks,
  renderConsolePage,
  table,
  type UserName,
  userCell,
} from './console-frame.ts'
import { type LinkMaker, makerWords } from './console-links.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { day, pluralKey, say, sayPlain } from './locale.ts'

export interface ConsoleKeptApartView extends ConsoleFrame {
  /** Takes `user`, `other` and `action=undo`. */
  readonly form: FormTarget
  readonly pairs: readonly KeptApartView[]
  readonly total: number
  readonly olderUrl: string | undefined
}

export interface KeptApartView {
  readonly users: readonly UserName[]
  readonly keptAt: EpochSeconds
  readonly keptBy: LinkMaker
}

export function renderConsoleKeptApart(view: ConsoleKeptApartView): Html {
  const { frame, pairs, total, olderUrl } = view
  const columns = [
    say(frame, 'console.kept.one'),
    say(frame, 'console.kept.other'),
    say(frame, 'console.kept.since'),
    say(frame, 'console.kept.by'),
    html`<span class="sr">${say(frame, 'console.kept.undo')}</span>`,
  ]
  const content = html`${
    pairs.length === 0
      ? emptySheet(say(frame, 'console.kept.none'))
      : html`<section class="sheet stack" aria-labelledby="kept"><h2 id="kept">${say(frame, pluralKey(frame, 'console.kept.count', total), { count: total })}</h2>
${table(
  'kept',
  columns,
  pairs.map((pair) => pairRow(view, pair)),
)}</section>`
  }
${pageLinks(sayPlain(frame, 'console.nav.duplicates'), [
  buttonLink(duplicatesPath({ kept: false }), say(frame, 'console.kept.back'), { small: true }),
  olderUrl !== undefined && buttonLink(olderUrl, say(frame, 'console.kept.older'), { small: true }),
])}`
  return renderConsolePage(view, {
    page: 'console-duplicates',
    title: sayPlain(frame, 'console.kept.title'),
    heading: say(frame, 'console.kept.title'),
    lead: say(frame, 'console.kept.lead'),
    content,
  })
}

function pairRow({ frame, form: target }: ConsoleKeptApartView, { users, keptAt, keptBy }: KeptApartView): Html {
  const [one, other] = users
  if (one === undefined || other === undefined) return html``
  const again = form(
    target,
    { name: 'list-again', hidden: { user: one.userId, other: other.userId } },
    button('undo', say(frame, 'console.kept.undo'), { small: true }),
  )
  return html`<tr><td>${userCell(frame, one)}</td><td>${userCell(frame, other)}</td><td class="nowrap">${day(frame, keptAt)}</td><td>${makerWords(frame, keptBy)}</td><td>${again}</td></tr>`
}
