// The first page of the console, and users as they are found.
import type { FoundBy } from '../../accounts/find-users.ts'
import type { LinkPolicy } from '../../domain/settings.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { badge, buttonLink, facts, notice, section } from './components.ts'
import {
  type ConsoleFrame,
  emptySheet,
  gradeWords,
  number,
  pageLinks,
  renderConsolePage,
  searchForm,
  table,
  type UserName,
  userCell,
} from './console-frame.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, pluralKey, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface ConsoleHomeView extends ConsoleFrame {
  readonly users: number
  readonly connections: number
  readonly policy: LinkPolicy
  /** Groups of addresses that are equal or alike and held by several users; undefined when nobody counted them. */
  readonly alike: number | undefined
  readonly namesOperators: boolean
}

export function renderConsoleHome(view: ConsoleHomeView): Html {
  const { frame, users, connections, policy, alike, namesOperators } = view
  const words =
    alike !== undefined && alike > 0 && say(frame, pluralKey(frame, 'console.home.alert', alike), { count: alike })
  const content = html`${words && notice(html`<p>${words}</p>${buttonLink('/console/duplicates', say(frame, 'console.home.look'), { small: true })}`, { tone: 'warn' })}
${!namesOperators && notice(say(frame, 'console.home.no-operators'), { tone: 'plain' })}
${searchForm(frame, undefined)}
${section(
  'now',
  say(frame, 'console.home.now'),
  html`${facts(
    [
      [say(frame, 'console.home.users'), number(frame, users)],
      [say(frame, 'console.home.connections'), number(frame, connections)],
      [
        say(frame, 'console.home.duplicates'),
        alike === undefined ? say(frame, 'console.home.not-counted') : number(frame, alike),
      ],
      [say(frame, 'console.home.policy'), say(frame, `console.policy.${policy}`)],
    ],
    'sheet',
  )}
<div class="line">${buttonLink('/console/users', say(frame, 'console.nav.users'), { small: true })}${buttonLink('/console/duplicates', say(frame, 'console.nav.duplicates'), { small: true })}${buttonLink('/console/simulate', say(frame, 'console.home.try'), { small: true })}</div>`,
)}`
  return renderConsolePage(view, {
    page: 'console-home',
    title: sayPlain(frame, 'console.home.title'),
    heading: say(frame, 'console.home.title'),
    lead: say(frame, 'console.home.lead'),
    content,
  })
}

export interface ConsoleUsersView extends ConsoleFrame {
  /** What was looked for; undefined on the list of everybody. */
  readonly text: string | undefined
  readonly users: readonly UserRowView[]
  /** Of the list of everybody. */
  readonly total: number
  readonly olderUrl: string | undefined
  readonly newestUrl: string | undefined
}

export interface UserRowView extends UserName {
  readonly address: string | undefined
  readonly blocked: boolean
  readonly createdAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
  readonly by: FoundBy | undefined
}

export function renderConsoleUsers(view: ConsoleUsersView): Html {
  const { frame, text, users, total, olderUrl, newestUrl } = view
  const count = text === undefined ? total : users.length
  const lead = say(frame, pluralKey(frame, text === undefined ? 'console.users.all' : 'console.users.found', count), {
    count,
  })
  const empty = say(frame, text === undefined ? 'console.users.empty' : 'console.users.none')
  const content = html`${searchForm(frame, text)}
${users.length === 0 ? emptySheet(empty) : html`<section class="stack" aria-labelledby="found"><h2 class="sr" id="found">${say(frame, 'console.users.table')}</h2>${userTable(view)}</section>`}
${pageLinks(sayPlain(frame, 'console.users.table'), [
  newestUrl !== undefined && buttonLink(newestUrl, say(frame, 'console.users.newest'), { small: true }),
  olderUrl !== undefined && buttonLink(olderUrl, say(frame, 'console.users.older'), { small: true }),
])}`
  return renderConsolePage(view, {
    page: 'console-users',
    title: sayPlain(frame, 'console.users.title'),
    heading: say(frame, 'console.users.title'),
    lead: users.length === 0 ? undefined : lead,
    content,
  })
}

function userTable({ frame, text, users }: ConsoleUsersView): Html {
  const searched = text !== undefined
  const columns = [
    say(frame, 'console.column.user'),
    say(frame, 'console.column.address'),
    ...(searched ? [say(frame, 'console.column.found')] : []),
    say(frame, 'console.column.made'),
    say(frame, 'console.column.last'),
  ]
  const rows = users.map(({ by, address, blocked, createdAt, lastLogin, ...name }) => {
    const found = searched && html`<td>${by && foundBy(frame, by)}</td>`
    return html`<tr><th scope="row">${userCell(frame, name)}${blocked && html` ${badge(say(frame, 'console.blocked'), 'stop')}`}</th><td>${address === undefined ? say(frame, 'console.none') : said(address, 320)}</td>${found}<td class="nowrap">${day(frame, createdAt)}</td><td class="nowrap">${lastLogin === undefined ? say(frame, 'console.never') : day(frame, lastLogin)}</td></tr>`
  })
  return table('found', columns, rows)
}

function foundBy(frame: PageFrame, by: FoundBy): Html {
  if (by.kind === 'address') return html`${say(frame, 'console.by.address')}: ${gradeWords(frame, by.grade)}`
  if (by.kind === 'identity') return say(frame, 'console.by.identity', { connection: by.connection })
  return say(frame, `console.by.${by.kind}`)
}
