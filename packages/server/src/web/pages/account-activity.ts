// What was done with a person's account, in words: by whom, with which account, what for, and what came of it.
import { type EpochSeconds, toIso } from '../../lib/time.ts'
import { type AccountFrame, accountHeading, renderAccountPage } from './account-frame.ts'
import { type ActivityEntry, entryWords } from './activity-words.ts'
import { badge, buttonLink } from './components.ts'
import { longDay, timeOfDay } from './dates.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { plainText } from './text.ts'

export interface AccountActivityView extends AccountFrame {
  /** The newest first. */
  readonly entries: readonly ActivityEntry[]
  readonly filters: ActivityFilters
  readonly isFiltered: boolean
  /** Path of the next page, when there is more. */
  readonly olderUrl: string | undefined
  readonly newestUrl: string | undefined
}

export interface ActivityFilters {
  /** One's own doing is chosen. */
  readonly you: boolean
  readonly who: readonly ActivityOption[]
  readonly account: readonly ActivityOption[]
  readonly outcome: 'ok' | 'refused' | undefined
}

export interface ActivityOption {
  readonly value: string
  readonly name: string
  readonly chosen: boolean
}

export function renderAccountActivity(view: AccountActivityView): Html {
  const { frame, entries, isFiltered } = view
  const empty = say(frame, isFiltered ? 'activity.none-found' : 'activity.none')
  const content = html`${accountHeading(view, say(frame, 'activity.heading'), say(frame, 'activity.lead'))}
${filterForm(view)}
${entries.length === 0 ? html`<div class="sheet"><p>${empty}</p></div>` : byDay(entries).map((some) => daySection(frame, some))}
${pages(view)}`
  return renderAccountPage(view, { page: 'account-activity', title: sayPlain(frame, 'activity.title'), content })
}

function filterForm({ frame, filters }: AccountActivityView): Html {
  const chosen = (outcome: 'ok' | 'refused') => filters.outcome === outcome && html` selected`
  return html`<form class="sheet inline" method="get" action="/account/activity" role="search" aria-label="${sayPlain(frame, 'activity.filter')}">
<div class="field"><label for="who">${say(frame, 'activity.who')}</label><select id="who" name="who"><option value="">${say(frame, 'activity.who.all')}</option><option value="you"${filters.you && html` selected`}>${say(frame, 'activity.who.you')}</option>${filters.who.map(option)}</select></div>
<div class="field"><label for="account">${say(frame, 'activity.account')}</label><select id="account" name="account"><option value="">${say(frame, 'activity.account.all')}</option>${filters.account.map(option)}</select></div>
<div class="field"><label for="outcome">${say(frame, 'activity.outcome')}</label><select id="outcome" name="outcome"><option value="">${say(frame, 'activity.outcome.all')}</option><option value="ok"${chosen('ok')}>${say(frame, 'activity.outcome.ok')}</option><option value="refused"${chosen('refused')}>${say(frame, 'activity.outcome.refused')}</option></select></div>
<button class="btn"><span>${say(frame, 'activity.show')}</span></button>
</form>`
}

const option = ({ value, name, chosen }: ActivityOption): Html =>
  html`<option value="${value}"${chosen && html` selected`}>${plainText(name)}</option>`

const DAY_SECONDS = 86_400

function byDay(entries: readonly ActivityEntry[]): readonly (readonly ActivityEntry[])[] {
  const days = Map.groupBy(entries, ({ at }) => Math.floor(at / DAY_SECONDS))
  return [...days.values()]
}

function daySection(frame: PageFrame, entries: readonly ActivityEntry[]): Html {
  const at: EpochSeconds = entries[0]?.at ?? 0
  const id = `day-${toIso(at).slice(0, 10)}`
  return html`<section aria-labelledby="${id}">
<h2 class="day" id="${id}">${longDay(frame, at)}</h2>
<ol class="time">${entries.map((entry) => line(frame, entry))}</ol>
</section>
`
}

const line = (frame: PageFrame, entry: ActivityEntry): Html =>
  html`
<li>${timeOfDay(frame, entry.at)}<div><p>${entryWords(frame, entry)}</p><div class="badges">${outcomeBadge(frame, entry)}</div></div></li>`

function outcomeBadge(frame: PageFrame, { outcome, by }: ActivityEntry): Html {
  if (outcome === 'refused') return badge(say(frame, 'activity.badge.refused'), 'stop')
  if (by === 'agent') return badge(say(frame, 'activity.badge.ok'), 'ok')
  return badge(say(frame, by === 'you' ? 'activity.badge.you' : 'activity.badge.other'))
}

function pages({ frame, olderUrl, newestUrl }: AccountActivityView): Html {
  if (olderUrl === undefined && newestUrl === undefined) return html``
  const newest = newestUrl !== undefined && buttonLink(newestUrl, say(frame, 'activity.newest'), { small: true })
  const older = olderUrl !== undefined && buttonLink(olderUrl, say(frame, 'activity.older'), { small: true })
  return html`<nav class="line" aria-label="${sayPlain(frame, 'activity.heading')}">${newest}${older}</nav>`
}
