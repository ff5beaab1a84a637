// A browser without a window: keeps cookies, follows redirects, fills in forms. It runs no scripts, and needs none.

import { CookieJar } from './cookies.ts'
import { bodyAttributes, findLink, formsOf, headingOf, textOf } from './markup.ts'
import type { Report } from './report.ts'
import { failureOf } from './trace.ts'

export interface Page {
  readonly url: string
  readonly status: number
  readonly markup: string
}

const BROWSER = 'browser'
const MOST_REDIRECTS = 20
const TIMEOUT_MS = 20_000

export class Browser {
  readonly #report: Report
  readonly #jar = new CookieJar()
  #page: Page | undefined

  constructor(report: Report) {
    this.#report = report
  }

  get page(): Page {
    if (!this.#page) throw new Error('no page is open')
    return this.#page
  }

  /** `data-page` of the page that is open. */
  get name(): string | undefined {
    return bodyAttributes(this.page.markup)['data-page']
  }

  get text(): string {
    return textOf(this.page.markup)
  }

  open(url: string): Promise<Page> {
    return this.#go({ url, method: 'GET' })
  }

  /** @throws {Error} the page has no such link. */
  follow(text: string): Promise<Page> {
    const href = findLink(this.page.markup, text)
    if (href === undefined) throw new Error(`page "${this.name}" has no link "${text}"`)
    return this.open(new URL(href, this.page.url).href)
  }

  /**
   * Submits the form with this `data-form`, and `data-connection` where given, by a button or none.
   *
   * @param how.change fields that a person fills in or chooses anew.
   * @throws {Error} the page has no such form or button.
   */
  submit(
    form: string,
    how: {
      readonly connection?: string
      readonly button?: { readonly name: string; readonly value: string }
      readonly change?: Readonly<Record<string, string>>
    } = {},
  ): Promise<Page> {
    const { connection, button, change = {} } = how
    const found = formsOf(this.page.markup).find(
      ({ attributes }) =>
        attributes['data-form'] === form && (connection === undefined || attributes['data-connection'] === connection),
    )
    if (!found) throw new Error(`page "${this.name}" has no form "${form}"`)
    if (button && !found.buttons.some(({ name, value }) => name === button.name && value === button.value)) {
      throw new Error(`form "${form}" has no button ${button.name}=${button.value}`)
    }
    const kept = found.fields.filter(({ name }) => change[name] === undefined).map(({ name, value }) => [name, value])
    const fields = new URLSearchParams([
      ...kept,
      ...Object.entries(change),
      ...(button ? [[button.name, button.value]] : []),
    ])
    const url = new URL(found.action, this.page.url)
    if (found.method === 'POST') return this.#go({ url: url.href, method: 'POST', fields })
    url.search = fields.toString()
    return this.open(url.href)
  }

  async #go(first: Ask): Promise<Page> {
    let ask = first
    for (let turn = 0; turn < MOST_REDIRECTS; turn++) {
      const { status, location, markup } = await this.#send(ask)
      if (location === undefined) {
        this.#page = { url: ask.url, status, markup }
        this.#report.answer({ from: BROWSER, status, answer: pageLine(markup) })
        return this.#page
      }
      this.#report.answer({ from: BROWSER, status, answer: `to ${this.#report.place(location)}` })
      // Nothing in the demo answers a form with 307 or 308: every redirect is followed by GET.
      ask = { url: location, method: 'GET' }
    }
    throw new Error('too many redirects')
  }

  async #send(ask: Ask): Promise<Received> {
    const { url, method, fields } = ask
    // What a form carries along is long and says nothing; what was chosen says all.
    const sent = fields && Object.fromEntries([...fields].filter(([name]) => SHOWN_FIELDS.has(name)))
    this.#report.request({ from: BROWSER, method, url, sent })
    try {
      const response = await this.#fetch(ask)
      const to = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
      const location = to === null ? undefined : new URL(to, url).href
      return { status: response.status, location, markup: await response.text() }
    } catch (error) {
      const failure = failureOf(error)
      this.#report.answer({ from: BROWSER, status: undefined, answer: failure })
      throw new Error(`${this.#report.place(url)} gave ${failure}`)
    }
  }

  async #fetch({ url, method, fields }: Ask): Promise<Response> {
    const cookie = this.#jar.header(url)
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(cookie !== '' && { cookie }),
        ...(method === 'POST' && { origin: new URL(this.page.url).origin }),
      },
      ...(fields && { body: fields }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    this.#jar.take(url, response.headers.getSetCookie())
    return response
  }
}

const SHOWN_FIELDS = new Set(['action', 'user', 'say', 'connection', 'prompt'])

interface Ask {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly fields?: URLSearchParams
}

interface Received {
  readonly status: number
  /** Where it leads, when it is a redirect. */
  readonly location: string | undefined
  readonly markup: string
}

function pageLine(markup: string): string {
  const { 'data-page': page, 'data-error': error } = bodyAttributes(markup)
  return `page ${page ?? '?'}${error === undefined ? '' : ` (${error})`}: ${headingOf(markup)}`
}
