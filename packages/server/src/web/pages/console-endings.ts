// Accounts that will stop working by themselves, as an operator sees them.
import type { EndReason } from '../../domain/account-end.ts'
import type { Purpose } from '../../domain/tokenset.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { section, softLine } from './components.ts'
import {
  type ConsoleFrame,
  emptySheet,
  number,
  renderConsolePage,
  table,
  type UserName,
  userCell,
} from './console-frame.ts'
import { moment } from './dates.ts'
import { type Html, html } from './html.ts'
import { day, pluralKey, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface ConsoleEndingsView extends ConsoleFrame {
  /** How far ahead it looks. */
  readonly days: number
  readonly total: number
  readonly counts: readonly { readonly connection: string | undefined; readonly count: number }[]
  /** The soonest. */
  readonly accounts: readonly EndingRow[]
}

export interface EndingRow {
  readonly user: UserName
  readonly connection: string | undefined
  readonly label: string
  readonly purpose: Purpose
  readonly endsAt: EpochSeconds
  readonly why: EndReason
  readonly lastUsedAt: EpochSeconds | undefined
}

export function renderConsoleEndings(view: ConsoleEndingsView): Html {
  const { frame, total, days } = view
  const content =
    total === 0
      ? emptySheet(say(frame, 'console.endings.none', { days }))
      : html`${section('counts', say(frame, 'console.endings.counts'), countTable(view))}
${section('ending', say(frame, 'console.endings.soonest'), accountTable(view))}
${softLine(say(frame, 'console.user.utc'))}`
  return renderConsolePage(view, {
    page: 'console-endings',
    title: sayPlain(frame, 'console.nav.endings'),
    heading: say(frame, 'console.endings.title'),
    lead: say(frame, 'console.endings.lead'),
    content,
  })
}

const nameOf = ({ frame }: ConsoleEndingsView, connection: string | undefined): Html =>
  connection === undefined ? say(frame, 'console.user.gone-connection') : said(connection)

function countTable(view: ConsoleEndingsView): Html {
  const { frame, counts, total, days } = view
  const rows = counts.map(
    ({ connection, count }) =>
      html`<tr><th scope="row">${nameOf(view, connection)}</th><td class="num">${number(frame, count)}</td></tr>`,
  )
  const columns = [say(frame, 'console.user.connection'), say(frame, 'console.simulate.count')]
  return html`<p>${say(frame, pluralKey(frame, 'console.endings.total', total), { count: total, days })}</p>
${table('counts', columns, rows)}`
}

function accountTable(view: ConsoleEndingsView): Html {
  const { frame, accounts, total } = view
  const rows = accounts.map(({ user, connection, label, purpose, endsAt, why, lastUsedAt }) => {
    const use = lastUsedAt === undefined ? say(frame, 'console.never') : day(frame, lastUsedAt)
    return html`<tr><th scope="row">${userCell(frame, user)}</th><td>${nameOf(view, connection)}<br>${said(label)}</td><td>${say(frame, `console.endings.purpose.${purpose}`)}</td><td class="nowrap">${moment(frame, endsAt)}</td><td>${say(frame, `console.endings.why.${why}`)}</td><td class="nowrap">${use}</td></tr>`
  })
  const columns = [
    say(frame, 'console.column.user'),
    say(frame, 'console.endings.account'),
    say(frame, 'console.user.purpose'),
    say(frame, 'console.endings.at'),
    say(frame, 'console.simulate.reason'),
    say(frame, 'console.endings.used'),
  ]
  return html`${table('ending', columns, rows)}
${accounts.length < total && softLine(say(frame, 'console.simulate.found.cut', { count: accounts.length }))}`
}
