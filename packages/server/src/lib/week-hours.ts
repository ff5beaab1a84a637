// Hours that come again each week, by the clocks of one place.
import type { EpochSeconds } from './time.ts'

export const WEEK_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type WeekDay = (typeof WEEK_DAYS)[number]

export interface WeekHours {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string
  /** Days on which a stretch begins. */
  readonly days: readonly WeekDay[]
  /** Minutes after midnight; a stretch that ends before it begins ends on the next day. */
  readonly from: number
  readonly to: number
}

const DAY_MINUTES = 1440
const WEEK_MINUTES = 7 * DAY_MINUTES

/** `HH:MM` as minutes after midnight, `24:00` being the end of the day; undefined for anything else. */
export function parseMinutes(text: string): number | undefined {
  const [, hours = '', minutes = ''] = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) ?? []
  const total = Number(hours) * 60 + Number(minutes)
  return hours === '' || total > DAY_MINUTES ? undefined : total
}

export const shownMinutes = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Seconds until the hours begin; 0 within them. Exact but for a change of the clocks in between. */
export function secondsUntilOpen(hours: WeekHours, now: EpochSeconds): number {
  const { days, from, to } = hours
  const minute = minuteOfWeek(hours.timeZone, now)
  const length = to > from ? to - from : to - from + DAY_MINUTES
  const waits = days.map((day) => {
    const start = WEEK_DAYS.indexOf(day) * DAY_MINUTES + from
    const since = (minute - start + WEEK_MINUTES) % WEEK_MINUTES
    return since < length ? 0 : WEEK_MINUTES - since
  })
  const wait = Math.min(...waits)
  return wait === 0 ? 0 : wait * 60 - (now % 60)
}

/** Minutes since Monday began there. */
function minuteOfWeek(timeZone: string, now: EpochSeconds): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const parts = new Map(format.formatToParts(now * 1000).map(({ type, value }) => [type, value]))
  const names: readonly string[] = WEEK_DAYS
  const day = names.indexOf(parts.get('weekday')?.toLowerCase() ?? '')
  return day * DAY_MINUTES + Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
}
