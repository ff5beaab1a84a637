// Days and times as the reader's language writes them, where `day` of `locale.ts` says too much.
import { type EpochSeconds, toIso } from '../../lib/time.ts'
import { type Html, html } from './html.ts'
import type { Speaker } from './locale.ts'

/** `09:14`, in the reader's zone. */
export const timeOfDay = (speaker: Speaker, at: EpochSeconds): Html =>
  html`<time datetime="${toIso(at)}">${formatted(speaker, at, { hour: '2-digit', minute: '2-digit' })}</time>`

/** `Mon`. */
export const weekday = (speaker: Speaker, at: EpochSeconds): string => formatted(speaker, at, { weekday: 'short' })

/** `Sunday 22 November`. */
export const longDay = (speaker: Speaker, at: EpochSeconds): Html =>
  html`<time datetime="${toIso(at).slice(0, 10)}">${formatted(speaker, at, { weekday: 'long', day: 'numeric', month: 'long' })}</time>`

/** `22 Nov 2026, 09:14`, in the reader's zone. */
export const moment = (speaker: Speaker, at: EpochSeconds): Html =>
  html`<time datetime="${toIso(at)}">${formatted(speaker, at, { dateStyle: 'medium', timeStyle: 'short' })}</time>`

function formatted({ locale, timeZone }: Speaker, at: EpochSeconds, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale.formats, { ...options, timeZone: timeZone ?? 'UTC' }).format(at * 1000)
}
