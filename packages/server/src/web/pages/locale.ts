// Sentences by key, with their values; numbers, dates and lists as the reader's language writes them.
import type { EpochSeconds } from '../../lib/time.ts'
import { toIso } from '../../lib/time.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { en } from './messages/en.ts'
import { plainText, said } from './text.ts'

export type MessageKey = keyof typeof en
export type Messages = Readonly<Record<MessageKey, string>>

export interface Locale {
  /** BCP 47, for `<html lang>`. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  /** BCP 47, for numbers and dates; may be more exact than `lang`. */
  readonly formats: string
  readonly messages: Messages
}

/** Where sentences are said: in a language, in the reader's time zone. */
export interface Speaker {
  readonly locale: Locale
  /** IANA name; UTC when not known. */
  readonly timeZone?: string | undefined
}

/** The `{names}` in a message. */
type Names<Message> = Message extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Values<Key extends MessageKey, Value> = [Names<(typeof en)[Key]>] extends [never]
  ? []
  : [values: Readonly<Record<Names<(typeof en)[Key]>, Value>>]

/**
 * A sentence as markup. A string given as a value counts as text from outside: it is cleaned, capped and isolated.
 * Markup stays as it is. `<b>` is the only element that a message may hold.
 */
export function say<Key extends MessageKey>(
  speaker: Speaker,
  key: Key,
  ...[values]: Values<Key, string | number | Html>
): Html {
  // The compiler has checked the names; here they are looked up by the message's own text.
  const given: Readonly<Record<string, string | number | Html>> = values ?? {}
  return html`${parts(speaker, key).map((part) => {
    if (part.kind === 'text') return part.text
    if (part.kind === 'bold') return part.opens ? html`<b>` : html`</b>`
    const value = given[part.name]
    if (typeof value === 'number') return new Intl.NumberFormat(speaker.locale.formats).format(value)
    return typeof value === 'string' ? said(value) : (value ?? '')
  })}`
}

/** The same without markup, for `<title>` and attributes; still to be escaped by the template that takes it. */
export function sayPlain<Key extends MessageKey>(
  speaker: Speaker,
  key: Key,
  ...[values]: Values<Key, string | number>
): string {
  const given: Readonly<Record<string, string | number>> = values ?? {}
  return parts(speaker, key)
    .map((part) => (part.kind === 'text' ? part.text : part.kind === 'bold' ? '' : plainText(String(given[part.name]))))
    .join('')
}

/** Picks `one` or `other` of a key by number, in this language. */
export function pluralKey<Key extends PluralKey>(
  speaker: Speaker,
  key: Key,
  count: number,
): `${Key}.one` | `${Key}.other` {
  return new Intl.PluralRules(speaker.locale.formats).select(count) === 'one' ? `${key}.one` : `${key}.other`
}

type PluralKey<Key extends MessageKey = MessageKey> = Key extends `${infer Base}.other` ? Base : never

/** A day in the reader's zone, as `<time>`. */
export function day(speaker: Speaker, at: EpochSeconds): Html {
  const format = new Intl.DateTimeFormat(speaker.locale.formats, {
    dateStyle: 'long',
    timeZone: speaker.timeZone ?? 'UTC',
  })
  return html`<time datetime="${toIso(at)}">${format.format(at * 1000)}</time>`
}

/** “A, B and C”, from markup. */
export function listOf(speaker: Speaker, items: readonly HtmlValue[]): Html {
  const format = new Intl.ListFormat(speaker.locale.formats, { type: 'conjunction' })
  const pieces = format.formatToParts(items.map((_, at) => String(at)))
  return html`${pieces.map((piece) => (piece.type === 'element' ? items[Number(piece.value)] : piece.value))}`
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bold'; readonly opens: boolean }
  | { readonly kind: 'value'; readonly name: string }

function parts({ locale }: Speaker, key: MessageKey): readonly Part[] {
  return locale.messages[key].split(/(\{\w+\}|<\/?b>)/).map((piece): Part => {
    if (piece === '<b>' || piece === '</b>') return { kind: 'bold', opens: piece === '<b>' }
    if (/^\{\w+\}$/.test(piece)) return { kind: 'value', name: piece.slice(1, -1) }
    return { kind: 'text', text: piece }
  })
}
