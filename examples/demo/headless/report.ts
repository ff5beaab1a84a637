// What the headless demo prints: each request and its answer, with hosts by name and secrets cut to a few characters.

export interface Request {
  /** Who asks: `browser`, `agent`. */
  readonly from: string
  readonly method: string
  readonly url: string
  /** Body of the request: form fields or JSON. */
  readonly sent?: Fields | undefined
}

export interface Answer {
  /** Who asked. */
  readonly from: string
  /** Undefined when there was no answer at all. */
  readonly status: number | undefined
  /** Where the answer leads, what it holds, which page it is, or why there is none. */
  readonly answer: string | Fields
}

type Fields = Readonly<Record<string, unknown>>

/** Members whose values open something, or are long and say nothing. */
const SECRET =
  /^(?:access_token|refresh_token|id_token|subject_token|code|connect_code|ticket|auth_session|client_secret|code_verifier|code_challenge|state|nonce|_?csrf\w*)$/
const SHOWN_CHARACTERS = 6
const LONGEST_VALUE = 160

export class Report {
  readonly #print: (line: string) => void
  readonly #names = new Map<string, string>()

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  /** From now on this origin is shown by a name. */
  nameOrigin(url: string, name: string): void {
    const { origin } = new URL(url)
    this.#names.set(origin, name)
    this.#print(`${name.padEnd(9)} ${origin}`)
  }

  step(number: number, title: string): void {
    this.#print(`\n${number}. ${title}`)
  }

  /** A request leaves. Those that are made to answer it come between it and its answer. */
  request({ from, method, url, sent }: Request): void {
    const body = sent ? `  ${this.#fields(sent)}` : ''
    this.#print(`   ${from.padEnd(7)} → ${method.padEnd(4)} ${this.url(url)}${body}`)
  }

  answer({ from, status, answer }: Answer): void {
    const what = typeof answer === 'string' ? answer : this.#fields(answer)
    this.#print(`   ${from.padEnd(7)} ← ${status === undefined ? '' : `${status} `}${what}`)
  }

  note(text: string): void {
    this.#print(`   ${text}`)
  }

  /** The last word on the whole. */
  verdict(text: string): void {
    this.#print(`\n${text}`)
  }

  /** `http://127.0.0.1:4000/authorize?state=x1y2z3w4…` → `tenon/authorize?state=x1y2z3…`. */
  url(text: string): string {
    const query = [...new URL(text).searchParams].map(([key, value]) => `${key}=${this.#value(key, value)}`).join('&')
    return query === '' ? this.place(text) : `${this.place(text)}?${query}`
  }

  /** The same without the query. */
  place(text: string): string {
    const { origin, pathname } = new URL(text)
    return (this.#names.get(origin) ?? origin) + pathname.split('/').map(readable).join('/')
  }

  #fields(fields: Fields): string {
    return Object.entries(fields)
      .map(([key, value]) => `${key}=${this.#value(key, value)}`)
      .join(' ')
  }

  #value(key: string, value: unknown): string {
    if (typeof value !== 'string') return cut(JSON.stringify(value, masked) ?? '')
    if (SECRET.test(key)) return shortened(value)
    const isOurs = URL.canParse(value) && this.#names.has(new URL(value).origin)
    return isOurs ? this.url(value) : cut(readable(value))
  }
}

/** Inside an answer `code` is the name of a refusal; on its own it is an authorization code. */
const masked = (key: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value
  return SECRET.test(key) && key !== 'code' ? shortened(value) : readable(value)
}

const shortened = (text: string): string =>
  text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text

/** Long random words are cut, and of a long name for a grant or a kind of token the end says it. */
function readable(text: string): string {
  if (/^(?=.*[A-Z\d])[\w+/-]{30,}={0,2}$/.test(text)) return shortened(text)
  const [, end] = /^(?:urn:|http:\/\/auth0\.com\/).*[:/]([\w-]+)$/.exec(text) ?? []
  return end === undefined ? text : `…${end}`
}

const cut = (text: string): string => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text)
