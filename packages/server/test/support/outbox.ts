// Mails as their receivers see them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface ReceivedMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** The links in it. */
  readonly links: readonly string[]
}

/** Every mail in the folder, oldest first. */
export function readOutbox(folder: string): readonly ReceivedMail[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.eml'))
    .map((name) => join(folder, name))
    .map((path) => ({ path, at: statSync(path, { bigint: true }).mtimeNs }))
    .sort((one, other) => (one.at < other.at ? -1 : 1))
    .map(({ path }) => parseMail(readFileSync(path, 'utf8')))
}

function parseMail(source: string): ReceivedMail {
  const cut = source.indexOf('\r\n\r\n')
  const head = source.slice(0, cut).replaceAll(/\r\n[ \t]+/g, ' ')
  const text = quotedPrintable(source.slice(cut + 4))
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
  return {
    to: field('to').replace(/^.*<|>$/g, ''),
    subject: field('subject'),
    text,
    links: text.match(/https?:\/\/[^\s>]+/g) ?? [],
  }
}

function quotedPrintable(text: string): string {
  const bytes = text
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
