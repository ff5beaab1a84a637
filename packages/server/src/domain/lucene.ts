// The part of Lucene's query syntax that searches here understand (auth0-wire.md §6.1): terms, phrases, AND, OR, NOT and
// `-`, parentheses, `_exists_`, ranges, `*`. Words one after another are joined by AND. What it does not know it refuses.
import type { Range, Search } from './search.ts'

/** `field:value`, with the field cut at its dots. */
export interface LuceneTerm {
  readonly field: readonly string[]
  readonly value: LuceneValue
}

export type LuceneValue =
  | { readonly kind: 'text'; readonly text: string }
  /** At least two parts; a `*` stands between each and the next. */
  | { readonly kind: 'wildcard'; readonly parts: readonly string[] }
  | ({ readonly kind: 'range' } & Range<string>)
  /** `_exists_:field`, and a `*` alone. */
  | { readonly kind: 'exists' }

/** The text is no search; the message says what is, and quotes nothing. */
export class LuceneError extends Error {}

const MAX_TERMS = 50
const MAX_DEPTH = 20
const MAX_STARS = 3
/** A search for an ending looks at every row, and finds most of them when the ending is short. */
const MIN_ENDING = 3

/** @throws {LuceneError} */
export function parseLucene(text: string): Search<LuceneTerm> {
  const reader = new Reader(text)
  const search = reader.either(0, () => reader.clause(0))
  if (!reader.isAtEnd()) throw new LuceneError('it goes on behind its end')
  return search
}

const FIELD = /((?:[\p{L}\p{N}_.@$-]|\\.)+):/uy
const EXISTS = /_exists_:((?:[\p{L}\p{N}_.@$-]|\\.)+)/uy
const PHRASE = /"((?:[^"\\]|\\.)*)"/uy
const WORD = /(?:[^\s"\\()[\]{}*?^~]|\\.|\*)+/uy
const RANGE = /([[{])\s*("(?:[^"\\]|\\.)*"|[^\s"[\]{}]+)\s+TO\s+("(?:[^"\\]|\\.)*"|[^\s"[\]{}]+)\s*([\]}])/uy

type Primary = () => Search<LuceneTerm>

class Reader {
  readonly #text: string
  #at = 0
  #terms = 0

  constructor(text: string) {
    this.#text = text
    this.#skipSpace()
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** `a AND b OR c`: AND binds closer. */
  either(depth: number, primary: Primary): Search<LuceneTerm> {
    if (depth > MAX_DEPTH) throw new LuceneError('it is nested too deeply')
    const choices = [this.#every(depth, primary)]
    while (this.#takesWord('OR')) choices.push(this.#every(depth, primary))
    return joined('any', choices)
  }

  #every(depth: number, primary: Primary): Search<LuceneTerm> {
    const parts = [this.#negation(depth, primary)]
    for (;;) {
      if (this.#takesWord('AND')) parts.push(this.#negation(depth, primary))
      else if (this.isAtEnd() || this.#sees(')') || this.#seesWord('OR')) return joined('all', parts)
      else parts.push(this.#negation(depth, primary))
    }
  }

  #negation(depth: number, primary: Primary): Search<LuceneTerm> {
    if (depth > MAX_DEPTH) throw new LuceneError('it is nested too deeply')
    if (this.#takesWord('NOT') || this.#takes('-')) return { kind: 'not', of: this.#negation(depth + 1, primary) }
    if (!this.#takes('(')) return primary()
    const inner = this.either(depth + 1, primary)
    if (!this.#takes(')')) throw new LuceneError('a parenthesis is not closed')
    return inner
  }

  clause(depth: number): Search<LuceneTerm> {
    const [, existing] = this.#match(EXISTS) ?? []
    if (existing !== undefined) return this.#term(fieldOf(existing), { kind: 'exists' })
    const [, name] = this.#match(FIELD) ?? []
    if (name === undefined) throw new LuceneError('field:value is expected')
    const field = fieldOf(name)
    const value = () => this.#term(field, this.#value())
    // `field:(a OR b)`: each value is of that field.
    return this.#sees('(') ? this.#negation(depth, value) : value()
  }

  #term(field: readonly string[], value: LuceneValue): Search<LuceneTerm> {
    this.#terms += 1
    if (this.#terms > MAX_TERMS) throw new LuceneError(`it has more than ${MAX_TERMS} terms`)
    return { kind: 'test', test: { field, value } }
  }

  #value(): LuceneValue {
    const [, phrase] = this.#match(PHRASE) ?? []
    if (phrase !== undefined) return { kind: 'text', text: unescaped(phrase) }
    const range = this.#match(RANGE)
    if (range !== undefined) return rangeOf(range)
    const [word] = this.#match(WORD) ?? []
    if (word === undefined) throw new LuceneError('a word, a phrase or a range is expected behind the colon')
    return wordOf(word)
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    this.#skipSpace()
    return found
  }

  #sees(sign: string): boolean {
    return this.#text.startsWith(sign, this.#at)
  }

  #takes(sign: string): boolean {
    if (!this.#sees(sign)) return false
    this.#at += sign.length
    this.#skipSpace()
    return true
  }

  #seesWord(word: string): boolean {
    return this.#sees(word) && /^[\s(]|^$/.test(this.#text.slice(this.#at + word.length).slice(0, 1))
  }

  #takesWord(word: string): boolean {
    return this.#seesWord(word) && this.#takes(word)
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1
  }
}

const joined = (kind: 'all' | 'any', of: readonly Search<LuceneTerm>[]): Search<LuceneTerm> => {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind, of }
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gu, '$1')

/** Cuts at the dots that no backslash protects. */
function fieldOf(name: string): readonly string[] {
  const parts = name.match(/(?:[^.\\]|\\.)+/gu) ?? []
  // Dots at the ends, or two in a row, stand for members without a name.
  if (parts.join('.') !== name) throw new LuceneError('a field is not a name')
  return parts.map(unescaped)
}

/** A backslash takes the meaning from a `*`. */
function wordOf(word: string): LuceneValue {
  const parts = starParts(word).map(unescaped)
  if (parts.length === 1) return { kind: 'text', text: parts[0] ?? '' }
  if (word === '*') return { kind: 'exists' }
  if (parts.length - 1 > MAX_STARS) throw new LuceneError(`a word has more than ${MAX_STARS} wildcards`)
  if (parts[0] === '' && parts.join('').length < MIN_ENDING)
    throw new LuceneError(`a word that begins with * needs ${MIN_ENDING} more characters`)
  return { kind: 'wildcard', parts }
}

function starParts(word: string): readonly string[] {
  const parts = ['']
  for (const piece of word.match(/(?:[^*\\]|\\.)+|\*/gu) ?? []) {
    if (piece === '*') parts.push('')
    else parts[parts.length - 1] = piece
  }
  return parts
}

function rangeOf([, open, low = '', high = '', close]: RegExpExecArray): LuceneValue {
  const from = boundOf(low, open === '[')
  const to = boundOf(high, close === ']')
  return { kind: 'range', ...(from && { from }), ...(to && { to }) }
}

const boundOf = (text: string, inclusive: boolean) =>
  text === '*' ? undefined : { value: unescaped(text.startsWith('"') ? text.slice(1, -1) : text), inclusive }
