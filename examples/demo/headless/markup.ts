// Reads as much of a page as a browser without scripts needs: its name, its heading, its links and its forms.

export interface Form {
  readonly attributes: Attributes
  readonly method: 'GET' | 'POST'
  /** As written; relative to the page. */
  readonly action: string
  /** What would be sent without touching anything: hidden and prefilled fields, chosen radios and boxes. */
  readonly fields: readonly Field[]
  readonly buttons: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly value: string
}

export type Attributes = Readonly<Record<string, string>>

export function bodyAttributes(markup: string): Attributes {
  return attributesOf(/<body\b([^>]*)>/i.exec(markup)?.[1] ?? '')
}

export function headingOf(markup: string): string {
  return textOf(/<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(markup)?.[1] ?? '')
}

export function textOf(markup: string): string {
  return linesOf(markup).join(' ')
}

const UNSEEN = /<head\b[\s\S]*?<\/head>|<(\w+)\b[^>]*aria-hidden="true"[^>]*>[^<]*<\/\1>/gi
const BLOCK = /<\/?(?:p|div|li|ol|ul|h[1-6]|section|form|button|time|header|nav|main|label)\b[^>]*>/gi

/** What a person reads, block by block. */
export function linesOf(markup: string): readonly string[] {
  return markup
    .replace(UNSEEN, '')
    .replace(/\s+/g, ' ')
    .replace(BLOCK, '\n')
    .replace(/<[^>]*>/g, '')
    .split('\n')
    .map((line) => unescaped(line).trim())
    .filter((line) => line !== '')
}

/** The link with this text. */
export function findLink(markup: string, text: string): string | undefined {
  const links = [...markup.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi)]
  const found = links.find(([, , content = '']) => textOf(content) === text)
  return found && attributesOf(found[1] ?? '').href
}

export function formsOf(markup: string): readonly Form[] {
  return [...markup.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = '', content = '']) => {
    const attributes = attributesOf(head)
    return {
      attributes,
      method: attributes.method?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      action: attributes.action ?? '',
      fields: inputsOf(content),
      buttons: tagsOf(content, 'button').filter(hasName).map(fieldOf),
    }
  })
}

const UNSENT = new Set(['submit', 'button', 'reset', 'image', 'file'])

function inputsOf(markup: string): readonly Field[] {
  return tagsOf(markup, 'input')
    .filter(hasName)
    .filter(({ type = 'text' }) => !UNSENT.has(type))
    .filter(({ type, checked }) => (type !== 'radio' && type !== 'checkbox') || checked !== undefined)
    .map(fieldOf)
}

const tagsOf = (markup: string, tag: string): readonly Attributes[] =>
  [...markup.matchAll(new RegExp(`<${tag}\\b([^>]*)>`, 'gi'))].map(([, attributes = '']) => attributesOf(attributes))

const hasName = ({ name }: Attributes): boolean => name !== undefined && name !== ''

const fieldOf = ({ name = '', value = '' }: Attributes): Field => ({ name, value })

function attributesOf(text: string): Attributes {
  const found = [...text.matchAll(/([a-z][\w-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi)]
  return Object.fromEntries(
    found.map(([, name = '', double, single, bare]) => [name.toLowerCase(), unescaped(double ?? single ?? bare ?? '')]),
  )
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

const unescaped = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return ENTITIES[name] ?? whole
  })
