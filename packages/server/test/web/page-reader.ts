// Reads our own markup strictly: every element closed, every attribute quoted. Enough to judge pages by, not a browser.

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly (Element | string)[]
}

const VOID = new Set(['meta', 'link', 'input', 'br', 'hr', 'img'])
const TAG = /<!doctype html>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*(\/?)>/gy

/** @throws when the markup is not well formed, or a bare `<` or `>` stands in it. */
export function readPage(source: string): Element {
  const root: MutableElement = { name: '#root', attributes: new Map(), children: [] }
  const open = [root]
  let at = 0
  while (at < source.length) {
    const next = source.indexOf('<', at)
    const text = source.slice(at, next < 0 ? undefined : next)
    if (text.includes('>')) throw new Error(`a bare > in: ${text.slice(0, 80)}`)
    if (text !== '') top(open).children.push(unescapeHtml(text))
    if (next < 0) break
    at = next + readTag(source, next, open)
  }
  if (open.length > 1) throw new Error(`not closed: ${top(open).name}`)
  return root
}

interface MutableElement extends Element {
  readonly children: (Element | string)[]
}

function readTag(source: string, at: number, open: MutableElement[]): number {
  TAG.lastIndex = at
  const match = TAG.exec(source)
  if (!match) throw new Error(`not a tag of ours: ${source.slice(at, at + 80)}`)
  const [whole, closing, opening, attributes = '', selfClosed] = match
  if (closing !== undefined) {
    const last = open.pop()
    if (last?.name !== closing) throw new Error(`</${closing}> closes ${last?.name ?? 'nothing'}`)
  }
  if (opening !== undefined) {
    const element: MutableElement = { name: opening, attributes: readAttributes(attributes), children: [] }
    top(open).children.push(element)
    if (!VOID.has(opening) && selfClosed !== '/') open.push(element)
  }
  return whole.length
}

function readAttributes(source: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', value = ''] of source.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi)) {
    if (found.has(name)) throw new Error(`twice the attribute ${name}`)
    found.set(name, unescapeHtml(value))
  }
  return found
}

function top(open: readonly MutableElement[]): MutableElement {
  const last = open.at(-1)
  if (!last) throw new Error('more closed than opened')
  return last
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
}
const unescapeHtml = (text: string): string =>
  text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity)

/** Every element below, in document order, that fits a name or a test. */
export function all(root: Element, test: string | ((element: Element) => boolean)): readonly Element[] {
  const fits = typeof test === 'string' ? (one: Element) => one.name === test : test
  return root.children.flatMap((child) =>
    typeof child === 'string' ? [] : [...(fits(child) ? [child] : []), ...all(child, test)],
  )
}

export function textOf(element: Element): string {
  const read = (one: Element): string =>
    one.children.map((child) => (typeof child === 'string' ? child : read(child))).join('')
  return read(element).replace(/\s+/g, ' ').trim()
}

/** The one element that fits. */
export function only(root: Element, test: string | ((element: Element) => boolean)): Element {
  const [found, ...others] = all(root, test)
  if (!found || others.length > 0) throw new Error(`${others.length + (found ? 1 : 0)} elements fit ${test}`)
  return found
}
