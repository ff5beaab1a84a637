// Where a person is signed in: each browser, since when and by what; this one is marked.
import type { EpochSeconds } from '../../lib/time.ts'
import { badge, button, row, rows, section } from './components.ts'
import { timeOfDay } from './dates.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, say } from './locale.ts'
import { said } from './text.ts'

export interface SessionsView {
  /** This one first, then the one that began last. */
  readonly sessions: readonly SessionView[]
  /** There are more than those that are shown. */
  readonly more: boolean
  /** Takes `session`. */
  readonly end: FormTarget
  readonly endOthers: FormTarget
}

export interface SessionView {
  readonly uid: string
  readonly isThis: boolean
  readonly browser: string | undefined
  readonly system: string | undefined
  readonly since: EpochSeconds
  /** By which it began. */
  readonly connection: string | undefined
}

export function sessionsSection(frame: PageFrame, { sessions, more, end, endOthers }: SessionsView): Html {
  const list = rows(sessions.map((one) => sessionRow(frame, one, end)))
  const alone = sessions.length < 2
  const others = form(
    endOthers,
    { name: 'end-other-sessions' },
    button('stop', say(frame, 'sessions.end-others'), { small: true }),
  )
  return section(
    'sessions',
    say(frame, 'sessions.section'),
    html`${list}
${more && html`<p class="small soft">${say(frame, 'sessions.many', { count: sessions.length })}</p>`}
${alone ? html`<p class="small soft">${say(frame, 'sessions.only')}</p>` : others}`,
  )
}

function sessionRow(frame: PageFrame, session: SessionView, end: FormTarget): Html {
  const { uid, isThis, since, connection } = session
  const when = { day: day(frame, since), time: timeOfDay(frame, since) }
  const line =
    connection === undefined
      ? say(frame, 'sessions.since', when)
      : say(frame, 'sessions.since-by', { ...when, connection })
  const words = html`${say(frame, 'sessions.end')}<span class="sr"> ${deviceWords(frame, session)}</span>`
  const side = isThis
    ? undefined
    : form(end, { name: 'end-session', side: true, hidden: { session: uid } }, button('stop', words, { small: true }))
  return row(
    html`<b>${deviceWords(frame, session)}</b>
<p class="small soft">${line}</p>
${isThis && html`<div class="badges">${badge(say(frame, 'sessions.this'), 'ok')}</div>`}`,
    { side },
  )
}

function deviceWords(frame: PageFrame, { browser, system }: SessionView): Html {
  if (browser !== undefined && system !== undefined)
    return say(frame, 'sessions.device', { browser: said(browser), system: said(system) })
  if (browser !== undefined) return say(frame, 'sessions.browser-only', { browser: said(browser) })
  return system === undefined
    ? say(frame, 'sessions.unknown')
    : say(frame, 'sessions.system-only', { system: said(system) })
}
