/** The *Calendar* provider: Google-shaped, with an API for events. */
import type { Caller } from './bearer.ts'
import { type Answer, type Json, jsonAnswer } from './http.ts'
import { startOidcProvider } from './oidc.ts'
import type { OidcOptions } from './options.ts'
import type { Provider } from './provider.ts'
import { type CalendarEvent, SAMPLE_EVENTS, sampleUsers } from './samples.ts'
import type { Call } from './shape.ts'

export interface CalendarProvider extends Provider {
  /** Events by user key; change them as you like. */
  readonly events: Map<string, CalendarEvent[]>
  /** `GET` with `day=today`, `tomorrow` or `YYYY-MM-DD` needs the scope `calendar.read`. */
  readonly eventsUrl: string
}

const PATH = '/calendar/v1/events'

/** Starts an OpenID provider with `GET /calendar/v1/events`; unless told otherwise, its users are the sample people. */
export async function startCalendarProvider(options: OidcOptions = {}): Promise<CalendarProvider> {
  const name = options.name ?? 'calendar'
  const provider = await startOidcProvider({
    users: sampleUsers(`${name}.test`),
    scope: 'openid profile email offline_access calendar.read',
    rotation: 'rotating',
    graceSeconds: 10,
    ...options,
    name,
  })
  const events = new Map(Object.entries(SAMPLE_EVENTS).map(([userKey, list]) => [userKey, [...list]]))
  const answer = (_provider: Provider, call: Call, caller: Caller) => listEvents(provider, events, call, caller)
  provider.addApi({ path: PATH, method: 'GET', scope: 'calendar.read', answer })
  return Object.assign(provider, { events, eventsUrl: provider.url + PATH })
}

function listEvents(provider: Provider, events: Map<string, CalendarEvent[]>, call: Call, { user }: Caller): Answer {
  const now = new Date(provider.nowMs())
  const today = dayAfter(now, 0)
  const day = parseDay(call.url.searchParams.get('day') ?? 'today', now)
  if (day === undefined)
    return jsonAnswer(400, { error: 'invalid_request', message: 'day is today, tomorrow or YYYY-MM-DD' })
  const items = (events.get(user.key) ?? [])
    .filter(({ inDays }) => dayAfter(today, inDays).getTime() === day.getTime())
    .sort((one, other) => one.at.localeCompare(other.at))
    .map((event, index) => serializeEvent(provider, event, day, index))
  return jsonAnswer(200, {
    kind: 'calendar#events',
    summary: user.name,
    day: isoDay(day),
    timeZone: localTimeZone(),
    items,
  })
}

/** Midnight, local time, of the day that is meant. */
function parseDay(text: string, now: Date): Date | undefined {
  if (text === 'today') return dayAfter(now, 0)
  if (text === 'tomorrow') return dayAfter(now, 1)
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []
  if (year === undefined) return undefined
  const date = new Date(Number(year), Number(month) - 1, Number(day))
  return isoDay(date) === text ? date : undefined
}

function dayAfter(date: Date, days: number): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days)
}

function serializeEvent(provider: Provider, event: CalendarEvent, day: Date, index: number): Json {
  const [hours = 0, minutes = 0] = event.at.split(':').map(Number)
  const start = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes)
  const end = new Date(start.getTime() + event.minutes * 60_000)
  const attendees = event.attendees.map((key) => provider.users.find(key)).filter((one) => one !== undefined)
  return {
    id: `${isoDay(day)}-${index + 1}`,
    status: 'confirmed',
    summary: event.summary,
    location: event.location,
    start: { dateTime: isoLocal(start), timeZone: localTimeZone() },
    end: { dateTime: isoLocal(end), timeZone: localTimeZone() },
    attendees: attendees.map(({ name, email }) => ({ displayName: name, email })),
  }
}

function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

function isoDay(date: Date): string {
  return `${date.getFullYear().toString().padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** RFC 3339 with the local offset, so that the hour reads as people mean it. */
function isoLocal(date: Date): string {
  const offset = -date.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${isoDay(date)}T${two(date.getHours())}:${two(date.getMinutes())}:00${zone}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
