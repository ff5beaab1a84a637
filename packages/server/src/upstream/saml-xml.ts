// The part of XML that SAML messages need, and nothing more. Parsers disagree about the rest: document types, comments,
// processing instructions, CDATA (threats T-SAML-02, T-SAML-08). What is not read here is refused before any library
// sees it, in one pass over a text whose size, depth and number of parts are bounded.
import { UpstreamRefused } from './errors.ts'

export interface XmlElement {
  /** Namespace URI; empty for none. */
  readonly namespace: string
  readonly name: string
  /** By their name as written; declarations of namespaces are left out. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Own text, the children's left out. */
  readonly text: string
}

export const MAX_XML_LENGTH = 256 * 1024
const MAX_ELEMENTS = 1000
const MAX_DEPTH = 24
const MAX_ATTRIBUTES = 32
/** Different ones in a document: canonicalization looks through all that are in scope, at each element. */
const MAX_PREFIXES = 24

const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?'
const DECLARATION =
  /^<\?xml version=(["'])1\.0\1(?: encoding=(["'])utf-8\2)?(?: standalone=(["'])(?:yes|no)\3)?\s*\?>\s*/i
const TAG = new RegExp(
  `<(/?)(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^<"]*"|'[^<']*')){0,${MAX_ATTRIBUTES}})\\s*(/?)>`,
  'y',
)
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^<"]*)"|'([^<']*)')`, 'g')
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
// Controls that XML forbids, halves of surrogate pairs, and two that are no characters.
const FORBIDDEN = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** @throws {UpstreamRefused} `saml_xml_refused`: not the XML of a SAML message. */
export function readXml(text: string): XmlElement {
  if (text.length > MAX_XML_LENGTH) throw refused('size')
  if (FORBIDDEN.test(text)) throw refused('characters')
  const body = text.replace(DECLARATION, '')
  if (/<[!?]/.test(body)) throw refused('markup')
  return new Reader(body).read()
}

interface Open {
  readonly tag: string
  readonly namespace: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly scope: ReadonlyMap<string, string>
  readonly children: XmlElement[]
  text: string
}

/** Reads one document from its first tag to its last. */
class Reader {
  readonly #text: string
  readonly #open: Open[] = []
  #root: XmlElement | undefined
  #elements = 0
  readonly #prefixes = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  read(): XmlElement {
    for (let at = 0; at < this.#text.length; ) {
      const next = this.#text.indexOf('<', at)
      this.#takeText(this.#text.slice(at, next < 0 ? undefined : next))
      if (next < 0) break
      TAG.lastIndex = next
      const tag = TAG.exec(this.#text)
      if (tag === null) throw refused('tag')
      at = next + tag[0].length
      this.#takeTag(tag)
    }
    if (this.#root === undefined || this.#open.length > 0) throw refused('incomplete')
    return this.#root
  }

  #takeText(raw: string): void {
    const parent = this.#open.at(-1)
    if (parent !== undefined) parent.text += unescapeText(raw)
    else if (/[^\t\n\r ]/.test(raw)) throw refused('text outside')
  }

  #takeTag([, end, tag = '', attributes = '', empty]: RegExpExecArray): void {
    if (end === '/') {
      if (attributes.trim() !== '' || empty === '/') throw refused('tag')
      this.#close(tag)
      return
    }
    this.#begin(tag, attributes)
    if (empty === '/') this.#close(tag)
  }

  #begin(tag: string, raw: string): void {
    if (this.#root !== undefined) throw refused('second root')
    if (++this.#elements > MAX_ELEMENTS || this.#open.length >= MAX_DEPTH) throw refused('size')
    const { scope, attributes } = readAttributes(raw, this.#open.at(-1)?.scope ?? new Map([['xml', XML_NAMESPACE]]))
    for (const prefix of scope.keys()) this.#prefixes.add(prefix)
    if (this.#prefixes.size > MAX_PREFIXES) throw refused('size')
    const [prefix, name] = split(tag)
    const namespace = scope.get(prefix)
    if (namespace === undefined && prefix !== '') throw refused('namespace')
    this.#open.push({ tag, namespace: namespace ?? '', name, attributes, scope, children: [], text: '' })
  }

  #close(tag: string): void {
    const open = this.#open.pop()
    if (open?.tag !== tag) throw refused('nesting')
    const { namespace, name, attributes, children, text } = open
    const element = { namespace, name, attributes, children, text }
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#root = element
    else parent.children.push(element)
  }
}

function readAttributes(raw: string, outer: ReadonlyMap<string, string>) {
  const attributes = new Map<string, string>()
  const declared = new Map<string, string>()
  for (const [, name = '', double, single] of raw.matchAll(ATTRIBUTE)) {
    const value = unescapeText(double ?? single ?? '')
    const isDeclaration = name === 'xmlns' || name.startsWith('xmlns:')
    const [into, key] = isDeclaration
      ? ([declared, name.slice('xmlns:'.length)] as const)
      : ([attributes, name] as const)
    if (into.has(key)) throw refused('attribute twice')
    if (isDeclaration && (key === 'xml' || key === 'xmlns' || (value === '' && key !== ''))) throw refused('namespace')
    into.set(key, value)
  }
  return { attributes, scope: declared.size === 0 ? outer : new Map([...outer, ...declared]) }
}

/** Only the five names that need no document type, and numbers of characters that XML allows. */
function unescapeText(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w+))?;?/g, (whole, decimal, hex, name) => {
    if (!whole.endsWith(';')) throw refused('entity')
    const known = name === undefined ? undefined : Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    const character = known ?? (code <= 0x10ffff ? String.fromCodePoint(code) : undefined)
    if (character === undefined || FORBIDDEN.test(character)) throw refused('entity')
    return character
  })
}

function split(tag: string): readonly [prefix: string, name: string] {
  const cut = tag.indexOf(':')
  return cut < 0 ? ['', tag] : [tag.slice(0, cut), tag.slice(cut + 1)]
}

/** The children of this name, in order. */
export const childrenOf = (parent: XmlElement, namespace: string, name: string): readonly XmlElement[] =>
  parent.children.filter((child) => child.namespace === namespace && child.name === name)

/** The element and everything in it. */
export function* everyElement(root: XmlElement): Generator<XmlElement> {
  yield root
  for (const child of root.children) yield* everyElement(child)
}

const refused = (detail: string): UpstreamRefused => new UpstreamRefused('saml_xml_refused', { detail })
