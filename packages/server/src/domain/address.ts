// E-mail addresses: their one canonical form, and how sure a connection's word about them makes us (linking.md §1).
import { domainToASCII, domainToUnicode } from 'node:url'
import { stringsOf } from '../lib/json.ts'
import type { Connection } from './connection.ts'
import type { Grade } from './user.ts'

const MAX_ADDRESS_LENGTH = 254
const MAX_LOCAL_LENGTH = 64
// RFC 5322 atoms, with letters, digits and marks of any script (RFC 6531). What is invisible is none of these.
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The form in which an address is stored and compared: NFC, ASCII letters in lower case, the domain as A-labels.
 * Dots and `+tags` stay: another spelling is another mailbox. Nothing is trimmed or mapped; what is not an address
 * already is `undefined`: white space, controls, invisible characters, quoted parts, address lists, domains that a
 * name server would have to guess at (`ｘ.com`, `x.com.`, `127.1`).
 */
export function canonicalAddress(text: string): string | undefined {
  const address = lowerAscii(text.normalize('NFC'))
  const at = address.indexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  const domain = canonicalDomain(address.slice(at + 1))
  if (domain === undefined || local.length > MAX_LOCAL_LENGTH || !LOCAL_PART.test(local)) return undefined
  const canonical = `${local}@${domain}`
  return canonical.length <= MAX_ADDRESS_LENGTH ? canonical : undefined
}

/** A domain as A-labels, or `undefined` when it is none, or is not written in its own normal form. */
export function canonicalDomain(text: string): string | undefined {
  const domain = lowerAscii(text.normalize('NFC'))
  const ascii = domainToASCII(domain)
  const unicode = domainToUnicode(ascii)
  // An A-label that decodes to nothing stays as it is, and would be a second spelling of what a browser shows.
  const isNormal =
    ascii === domain ? domainToASCII(unicode) === ascii && !/(^|\.)xn--/.test(unicode) : unicode === domain
  const labels = ascii.split('.')
  if (!isNormal || labels.length < 2 || !labels.every((label) => LABEL.test(label))) return undefined
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : ascii
}

export function domainOf(canonical: string): string {
  return canonical.slice(canonical.lastIndexOf('@') + 1)
}

/** `ada.lovelace@gmail.com` → `a•••e@gmail.com`: recognised by its owner, of little use to anybody else. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@')
  if (at < 0) return '•••'
  const local = Array.from(address.slice(0, at))
  const first = local.length > 1 ? local[0] : ''
  const last = local.length > 3 ? local.at(-1) : ''
  return `${first}•••${last}${address.slice(at)}`
}

export interface AddressClaim {
  readonly email: string | undefined
  /** The connection's `email_verified` as it came: only JSON `true` counts. */
  readonly emailVerified: unknown
  readonly connection: Pick<Connection, 'options'>
  /** Domains that the provider itself gives out, whatever the connection's options say (`gmail.com` at Google). */
  readonly authoritativeDomains?: readonly string[]
}

/**
 * How sure a sign-in's claim about an address makes us. G3 is never a connection's to give: it means that we proved the
 * mailbox. `trust_email` and `email_domains` are the connection's options; a domain counts exactly, not its subdomains.
 */
export function gradeOf({ email, emailVerified, connection, authoritativeDomains = [] }: AddressClaim): Grade {
  const address = email === undefined ? undefined : canonicalAddress(email)
  if (address === undefined || emailVerified !== true) return 0
  const domain = domainOf(address)
  if (authoritativeDomains.includes(domain)) return 2
  if (connection.options.trust_email !== true) return 0
  const owned = stringsOf(connection.options.email_domains).map(canonicalDomain)
  return owned.includes(domain) ? 2 : 1
}

// Locale-independent, and blind to letters such as the Turkish dotted I that lower-case into ASCII.
function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
