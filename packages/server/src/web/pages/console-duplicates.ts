// Users who may be one person, by how sure that is; from here two of them are joined, after another look.
import type { Duplicate } from '../../domain/duplicates.ts'
import type { Grade } from '../../domain/user.ts'
import { duplicatesPath, mergePath } from '../../flows/console-wish.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { badge, button, buttonLink, type Tone } from './components.ts'
import {
  type ConsoleFrame,
  emptySheet,
  gradeWords,
  pageLinks,
  renderConsolePage,
  table,
  type UserName,
  userCell,
} from './console-frame.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { day, listOf, pluralKey, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface ConsoleDuplicatesView extends ConsoleFrame {
  /** Takes `user`, `other` and `action=keep_separate`. */
  readonly form: FormTarget
  /** How many pairs are kept separate. */
  readonly kept: number
  readonly duplicates: readonly DuplicateView[]
  readonly nextUrl: string | undefined
  readonly firstUrl: string | undefined
}

export interface DuplicateView extends Pick<Duplicate, 'match' | 'reasons'> {
  readonly users: readonly DuplicateUserView[]
  /** The oldest of them. */
  readonly suggestedPrimary: string | undefined
}

export interface DuplicateUserView extends UserName {
  readonly address: string
  readonly grade: Grade
  readonly blocked: boolean
  /** Names of connections. */
  readonly ways: readonly string[]
  readonly createdAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
}

const MATCHES = ['proven', 'canonical', 'soft'] as const
const TONES: Readonly<Record<Duplicate['match'], Tone>> = { proven: 'ok', canonical: 'warn', soft: 'plain' }

export function renderConsoleDuplicates(view: ConsoleDuplicatesView): Html {
  const { frame, duplicates, kept, nextUrl, firstUrl } = view
  const numbered = duplicates.map((one, at) => ({ one, id: `pair-${at + 1}` }))
  const content = html`${duplicates.length === 0 && emptySheet(say(frame, 'console.duplicates.none'))}
${MATCHES.map((match) => {
  const some = numbered.filter(({ one }) => one.match === match)
  if (some.length === 0) return undefined
  return html`<section class="stack" aria-labelledby="match-${match}"><h2 id="match-${match}">${say(frame, `console.duplicates.${match}`)}</h2>
${some.map(({ one, id }) => sheet(view, id, one))}</section>
`
})}
${pageLinks(sayPlain(frame, 'console.nav.duplicates'), [
  kept > 0 &&
    buttonLink(
      duplicatesPath({ kept: true }),
      say(frame, pluralKey(frame, 'console.kept.look', kept), { count: kept }),
      { small: true },
    ),
  firstUrl !== undefined && buttonLink(firstUrl, say(frame, 'console.duplicates.first'), { small: true }),
  nextUrl !== undefined && buttonLink(nextUrl, say(frame, 'console.duplicates.next'), { small: true }),
])}`
  return renderConsolePage(view, {
    page: 'console-duplicates',
    title: sayPlain(frame, 'console.nav.duplicates'),
    heading: say(frame, 'console.duplicates.title'),
    lead: say(frame, 'console.duplicates.lead'),
    content,
  })
}

function sheet(view: ConsoleDuplicatesView, id: string, duplicate: DuplicateView): Html {
  const { frame } = view
  const { match, reasons, users } = duplicate
  const addresses = [...new Set(users.map(({ address }) => address))]
  const sentences = reasons.map((reason) => html`${say(frame, `console.alike.${reason}`)} `)
  const effect = match === 'canonical' && say(frame, 'console.duplicates.canonical.effect')
  return html`<section class="sheet stack" aria-labelledby="${id}">
<div class="line"><h3 id="${id}">${listOf(
    frame,
    addresses.map((address) => said(address, 320)),
  )}</h3>${badge(say(frame, `console.duplicates.badge.${match}`), TONES[match])}</div>
<p>${sentences}${effect}</p>
${table(
  id,
  [
    say(frame, 'console.column.user'),
    say(frame, 'console.column.ways'),
    say(frame, 'console.duplicates.evidence'),
    say(frame, 'console.column.made'),
    say(frame, 'console.column.last'),
    html`<span class="sr">${say(frame, 'console.duplicates.merge')}</span>`,
  ],
  users.map((user) => userRow(view, duplicate, user)),
)}
</section>
`
}

function userRow(view: ConsoleDuplicatesView, duplicate: DuplicateView, user: DuplicateUserView): Html {
  const { frame } = view
  const { ways, grade, address, createdAt, lastLogin, blocked } = user
  const names =
    ways.length === 0
      ? say(frame, 'console.none')
      : listOf(
          frame,
          ways.map((way) => said(way)),
        )
  // Alike addresses differ: whose is whose is said beside the grade.
  const which = duplicate.match === 'soft' && html`${said(address, 320)}<br>`
  return html`<tr><th scope="row">${userCell(frame, user)}${blocked && html` ${badge(say(frame, 'console.blocked'), 'stop')}`}</th><td>${names}</td><td>${which}${gradeWords(frame, grade)}</td><td class="nowrap">${day(frame, createdAt)}</td><td class="nowrap">${lastLogin === undefined ? say(frame, 'console.never') : day(frame, lastLogin)}</td><td>${offer(view, duplicate, user)}</td></tr>`
}

function offer(
  { frame, form: target }: ConsoleDuplicatesView,
  { match, suggestedPrimary }: DuplicateView,
  { userId, name }: DuplicateUserView,
): Html | false {
  if (userId === suggestedPrimary)
    return html`<span class="small soft">${say(frame, 'console.duplicates.oldest')}</span>`
  if (suggestedPrimary === undefined) return false
  const who = html`<span class="sr"> ${said(name ?? userId)}</span>`
  const joining =
    match !== 'canonical' &&
    buttonLink(
      mergePath({ primaryUserId: suggestedPrimary, secondaryUserId: userId }),
      html`${say(frame, 'console.duplicates.merge')}${who}`,
      { small: true },
    )
  const apart = form(
    target,
    { name: 'keep-separate', hidden: { user: suggestedPrimary, other: userId } },
    button('keep_separate', html`${say(frame, 'console.kept.keep')}${who}`, { small: true }),
  )
  return html`<div class="line">${joining}${apart}</div>`
}
