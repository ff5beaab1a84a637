// Text that came from outside (names, labels, addresses, purposes), made fit to be shown (T-WEB-06).
import { maskAddress as maskPlain } from '../../domain/address.ts'
import { type Html, html } from './html.ts'

const SHOWN_LENGTH = 80

// Controls, format characters (bidi overrides, zero-width), private use, surrogates, unassigned; fillers and selectors
// that are drawn as nothing; the blank of Braille.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu
const SPACES = /[\s\p{Z}]+/gu

/**
 * One line without control, bidi-override, zero-width or blank characters, at most `length` characters with an
 * ellipsis for what was cut. Empty when nothing visible remains.
 */
export function plainText(text: string, length: number = SHOWN_LENGTH): string {
  // The cut before the work keeps a megabyte of name from costing more than a name.
  const start = text.slice(0, length * 16).replace(SPACES, ' ')
  const visible = start.replace(INVISIBLE, '').replace(STACKED_MARKS, '$1').replace(SPACES, ' ').trim()
  const characters = Array.from(visible.normalize('NFC'))
  if (characters.length <= length) return characters.join('')
  return `${characters
    .slice(0, length - 1)
    .join('')
    .trimEnd()}…`
}

/** Text from outside, as markup: cleaned, capped, escaped, and isolated for bidi. */
export function said(text: string, length?: number): Html {
  return html`<bdi>${plainText(text, length) || '?'}</bdi>`
}

/** A masked address, cleaned like all text from outside. */
export const maskAddress = (address: string): string => maskPlain(plainText(address, 320))

export type Hue = 1 | 2 | 3 | 4 | 5 | 6

/** The colour of a monogram: always the same for the same name. */
export function hueOf(name: string): Hue {
  // FNV-1a: small, and spreads short names well.
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  // The remainder of six is between 0 and 5.
  return ((hash % 6) + 1) as Hue
}

/** Two letters for a name: initials of its first and last word, or the first two letters of its only one. */
export function monogramLetters(name: string): string {
  const words = plainText(name).match(/[\p{L}\p{N}]+/gu) ?? []
  const [first, last] = [Array.from(words[0] ?? '?'), Array.from(words.at(-1) ?? '')]
  const second = words.length > 1 ? last[0] : first[1]
  return `${first[0]?.toUpperCase() ?? ''}${second ?? ''}`
}
