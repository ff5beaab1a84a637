// A person's browser without scripts: cookies, redirects, forms. It stops where a client's callback begins.
import { all, type Element, readPage, textOf } from '../web/page-reader.ts'
import { type Cookie, CookieJar, fetchSite } from './cookies.ts'
import { encodeForm, type Fields, type Headers, request } from './http.ts'

/** Clients' callbacks by convention: nothing listens there, and the browser stops before calling one. */
export const CALLBACKS = 'http://127.0.0.1:9/'

const MAX_HOPS = 30

export interface Page {
  /** 0 when the browser stopped before asking. */
  readonly status: number
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly body: string
  readonly text: string
  /** `data-page` and `data-error` of the body. */
  readonly name: string | undefined
  readonly error: string | undefined
  readonly forms: readonly Form[]
  readonly links: readonly string[]
  /** The browser stands before a URL of `stopAt`; its parameters, of the query, the posted form or the fragment. */
  readonly stopped: boolean
  readonly params: URLSearchParams
}

export interface Form {
  /** `data-form`. */
  readonly name: string | undefined
  readonly attributes: ReadonlyMap<string, string>
  readonly action: string
  readonly method: string
  /** What would be sent without a button. */
  readonly fields: readonly (readonly [string, string])[]
  readonly buttons: readonly { readonly name: string; readonly value: string }[]
}

export interface Navigation {
  /** Where the navigation starts, for cookies and `Sec-Fetch-Site`; a URL of another site makes it cross-site. */
  readonly from?: string
  readonly headers?: Headers
  /** Further URL prefixes to stop before, such as an upstream callback. */
  readonly stopAt?: string | readonly string[]
}

export interface Submission extends Navigation {
  /** Over the form's own; undefined leaves a field out. */
  readonly fields?: Readonly<Record<string, string | undefined>>
  /** Value of the button `name=action` to press; the form's first button otherwise. */
  readonly action?: string
  /** `data-connection` of the form. */
  readonly connection?: string
}

export interface Hop {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly location: string | undefined
}

export class Browser {
  readonly jar = new CookieJar()
  readonly stopAt: readonly string[]
  readonly headers: Headers
  page: Page = stoppedAt('about:blank', undefined)
  /** Every hop of the last navigation. */
  chain: Hop[] = []
  /** Every answer ever, for what must hold of all of them. */
  readonly seen: Page[] = []

  constructor({ stopAt = [CALLBACKS], headers = {} }: { stopAt?: readonly string[]; headers?: Headers } = {}) {
    this.stopAt = stopAt
    this.headers = headers
  }

  /** Opens a URL as if it had been typed; give `from` for a link or a redirect of another page. */
  open(url: string, how: Navigation = {}): Promise<Page> {
    return this.#go('GET', url, undefined, how)
  }

  /** Posts a form that no page needs to hold. */
  post(url: string, fields: Fields, how: Navigation = {}): Promise<Page> {
    return this.#go('POST', url, encodeForm(fields).toString(), how)
  }

  /** Sends a form of the present page, by its `data-form`. */
  submit(name: string, how: Submission = {}): Promise<Page> {
    const form = this.form(name, how.connection, how.action)
    const button = how.action === undefined ? form.buttons[0] : form.buttons.find((one) => one.value === how.action)
    if (how.action !== undefined && button === undefined) throw new Error(`form ${name} has no button ${how.action}`)
    const changed = how.fields ?? {}
    const body = new URLSearchParams(form.fields.filter(([field]) => !(field in changed)).map(([a, b]) => [a, b]))
    for (const [field, value] of Object.entries(changed)) if (value !== undefined) body.append(field, value)
    if (button !== undefined && button.name !== '') body.append(button.name, button.value)
    const target = new URL(form.action, this.page.url).href
    return this.#go('POST', target, body.toString(), { from: this.page.url, ...how })
  }

  /** @throws {Error} that says what the page has instead. */
  form(name: string, connection?: string, action?: string): Form {
    const found = this.findForm(name, connection, action) ?? this.findForm(name, connection)
    if (found) return found
    const names = this.page.forms.map((form) => form.name).join(', ')
    throw new Error(`no form ${name} ${connection ?? ''} on ${describe(this.page)}; it has: ${names}`)
  }

  findForm(name: string, connection?: string, action?: string): Form | undefined {
    return this.page.forms.find(
      (form) =>
        form.name === name &&
        (connection === undefined || form.attributes.get('data-connection') === connection) &&
        (action === undefined || form.buttons.some(({ value }) => value === action)),
    )
  }

  /** Another browser that holds the same cookies now. */
  clone(): Browser {
    const copy = new Browser({ stopAt: this.stopAt, headers: this.headers })
    copy.jar.cookies = [...this.jar.cookies]
    return copy
  }

  cookie(name: string): Cookie | undefined {
    return this.jar.cookies.find((cookie) => cookie.name === name)
  }

  async #go(method: string, url: string, body: string | undefined, how: Navigation): Promise<Page> {
    this.chain = []
    let [verb, target, payload] = [method, url, body]
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      if ([...this.stopAt, ...[how.stopAt ?? []].flat()].some((prefix) => target.startsWith(prefix))) {
        this.page = stoppedAt(target, payload)
        return this.page
      }
      const where = new URL(target)
      const answer = await request(target, {
        method: verb,
        headers: this.#headersOf(verb, where, payload, how),
        ...(payload === undefined ? {} : { body: payload }),
      })
      for (const line of answer.setCookies) this.jar.take(line, where)
      const { location } = answer.headers
      this.chain.push({ method: verb, url: target, status: answer.status, location })
      const page = readAnswer(target, answer)
      this.seen.push(page)
      if (answer.status < 300 || answer.status >= 400 || location === undefined) {
        this.page = page
        return page
      }
      if (answer.status !== 307 && answer.status !== 308) [verb, payload] = ['GET', undefined]
      target = new URL(location, target).href
    }
    throw new Error(`more than ${MAX_HOPS} redirects, the last to ${target}`)
  }

  #headersOf(method: string, target: URL, payload: string | undefined, { from, headers }: Navigation): Headers {
    return {
      accept: 'text/html,*/*;q=0.8',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': fetchSite(from, target.href),
      cookie: this.jar.header(target, method, from),
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(from ?? target.href).origin }),
      ...this.headers,
      ...headers,
    }
  }
}

export const describe = ({ name, status, error, url }: Page): string =>
  `page ${name ?? url} (${status}${error === undefined ? '' : `, ${error}`})`

function stoppedAt(url: string, payload: string | undefined): Page {
  const { search, hash } = new URL(url)
  const params = new URLSearchParams(payload ?? (search || hash.slice(1)))
  const nothing = { name: undefined, error: undefined, forms: [], links: [], setCookies: [], headers: {} }
  return { ...nothing, status: 0, url, body: '', text: '', stopped: true, params }
}

function readAnswer(url: string, answer: Awaited<ReturnType<typeof request>>): Page {
  const { status, headers, setCookies, text: body } = answer
  // Pages of ours are read strictly; whatever else answers is only looked at as text.
  const root = body.includes(' data-page="') ? readPage(body) : undefined
  const mark = root && all(root, 'body')[0]
  return {
    status,
    url,
    headers,
    setCookies,
    body,
    text: mark === undefined ? body : textOf(mark),
    name: mark?.attributes.get('data-page'),
    error: mark?.attributes.get('data-error'),
    forms: root === undefined ? [] : all(root, 'form').map(readForm),
    links: root === undefined ? [] : all(root, 'a').flatMap((one) => one.attributes.get('href') ?? []),
    stopped: false,
    params: new URLSearchParams(),
  }
}

function readForm(node: Element): Form {
  const inputs = all(node, 'input').filter(({ attributes }) => {
    const type = attributes.get('type')
    return (type !== 'checkbox' && type !== 'radio') || attributes.has('checked')
  })
  return {
    name: node.attributes.get('data-form'),
    attributes: node.attributes,
    action: node.attributes.get('action') ?? '',
    method: node.attributes.get('method') ?? 'get',
    fields: inputs.flatMap(({ attributes }) => {
      const name = attributes.get('name')
      return name === undefined ? [] : [[name, attributes.get('value') ?? ''] as const]
    }),
    buttons: all(node, 'button').map(({ attributes }) => ({
      name: attributes.get('name') ?? '',
      value: attributes.get('value') ?? '',
    })),
  }
}
