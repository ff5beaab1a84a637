/** People with something in their calendars and something to review, so that an agent has real answers to give. */
import type { UserDetails } from './users.ts'

export interface CalendarEvent {
  /** 0 is today, 1 tomorrow. */
  readonly inDays: number
  /** Local time, `HH:MM`. */
  readonly at: string
  readonly minutes: number
  readonly summary: string
  readonly location?: string
  /** Keys of the other people. */
  readonly attendees: readonly string[]
}

export interface PullRequest {
  readonly repository: string
  readonly number: number
  readonly title: string
  readonly state: 'open' | 'closed'
  /** Key of who wrote it. */
  readonly author: string
  /** Keys of those whose review it waits for. */
  readonly reviewers: readonly string[]
  readonly openedHoursAgo: number
}

const NAMES: Readonly<Record<string, string>> = {
  ada: 'Ada Lovelace',
  grace: 'Grace Hopper',
  mary: 'Mary Somerville',
  charles: 'Charles Babbage',
}

/** The same four people, with addresses at `domain`. */
export function sampleUsers(domain: string): Readonly<Record<string, UserDetails>> {
  const entries = Object.entries(NAMES)
  return Object.fromEntries(
    entries.map(([key, name]) => [key, { name, email: `${key}@${domain}`, emailVerified: true }]),
  )
}

export const SAMPLE_EVENTS: Readonly<Record<string, readonly CalendarEvent[]>> = {
  ada: [
    { inDays: 0, at: '14:00', minutes: 45, summary: 'Notes on the Bernoulli numbers', attendees: ['mary'] },
    { inDays: 1, at: '10:00', minutes: 60, summary: 'Design review', location: 'Room 2', attendees: ['grace', 'mary'] },
    { inDays: 1, at: '15:30', minutes: 30, summary: 'Talk about the engine', attendees: ['charles'] },
    { inDays: 2, at: '09:15', minutes: 15, summary: 'Weekly stand-up', attendees: ['grace', 'mary', 'charles'] },
  ],
  grace: [
    { inDays: 1, at: '10:00', minutes: 60, summary: 'Design review', location: 'Room 2', attendees: ['ada', 'mary'] },
    { inDays: 1, at: '13:00', minutes: 90, summary: 'Compiler working group', location: 'Room 7', attendees: ['mary'] },
  ],
  mary: [
    { inDays: 1, at: '10:00', minutes: 60, summary: 'Design review', location: 'Room 2', attendees: ['ada', 'grace'] },
  ],
  charles: [{ inDays: 1, at: '15:30', minutes: 30, summary: 'Talk about the engine', attendees: ['ada'] }],
}

export const SAMPLE_PULL_REQUESTS: readonly PullRequest[] = [
  {
    repository: 'analytical/engine',
    number: 128,
    title: 'Carry the tens in one turn of the handle',
    state: 'open',
    author: 'charles',
    reviewers: ['ada'],
    openedHoursAgo: 26,
  },
  {
    repository: 'analytical/cards',
    number: 41,
    title: 'Check punched cards before they are fed',
    state: 'open',
    author: 'grace',
    reviewers: ['ada', 'mary'],
    openedHoursAgo: 5,
  },
  {
    repository: 'analytical/engine',
    number: 131,
    title: 'Document the operation cards for note G',
    state: 'open',
    author: 'ada',
    reviewers: ['charles', 'grace'],
    openedHoursAgo: 3,
  },
  {
    repository: 'analytical/engine',
    number: 119,
    title: 'Replace the brass wheel of the third column',
    state: 'closed',
    author: 'charles',
    reviewers: ['ada'],
    openedHoursAgo: 190,
  },
]
