// What went wrong, that nothing was changed when that is so, and what to do next.
import { buttonLink, softLine } from './components.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { type MessageKey, say, sayPlain } from './locale.ts'
import { en } from './messages/en.ts'
import { plainText, said } from './text.ts'

/** Codes with words of their own; others get general ones and still show their code. */
export type WordedErrorCode = MessageKey extends infer Key
  ? Key extends `error.${infer Code}.title`
    ? Code
    : never
  : never

export interface ErrorView {
  readonly frame: PageFrame
  /** Stable, see docs/reference/errors.md. */
  readonly code: string
  readonly requestId: string
  /** True only when it is known that nothing was written. */
  readonly nothingChanged: boolean
  readonly next?: ErrorNext | undefined
  /** Text of an upstream provider: quoted, and said to be its own. */
  readonly providerSaid?: { readonly connection: string; readonly text: string } | undefined
  /** A public description that helps whoever makes the client; holds no secret and no address. */
  readonly developerHint?: string | undefined
}

/** The one thing to do now. */
export type ErrorNext =
  | { readonly kind: 'start-again' | 'sign-in' | 'account'; readonly url: string }
  | { readonly kind: 'app'; readonly url: string; readonly appName: string }

export function renderError(view: ErrorView): Html {
  const { frame, code, nothingChanged, next } = view
  const worded = wordedCode(code)
  const content = html`<h1>${say(frame, `error.${worded}.title`)}</h1>
<p>${say(frame, `error.${worded}.text`)}${nothingChanged && html` <b>${say(frame, 'error.nothing-changed')}</b>`}</p>
${providerSaid(view)}
${next && nextStep(frame, next)}
${(code === 'wrong_browser' || code === 'transaction_invalid') && softLine(say(frame, 'error.close'))}
<hr>
${reference(view)}`
  return renderLetter(frame, {
    page: 'error',
    title: sayPlain(frame, `error.${worded}.title`),
    errorCode: code,
    content,
  })
}

function wordedCode(code: string): WordedErrorCode {
  // The key exists, so the code is one of those with words.
  return Object.hasOwn(en, `error.${code}.title`) ? (code as WordedErrorCode) : 'other'
}

function nextStep(frame: PageFrame, next: ErrorNext): Html {
  const words =
    next.kind === 'app' ? say(frame, 'error.next.app', { app: next.appName }) : say(frame, `error.next.${next.kind}`)
  return html`<div>${buttonLink(next.url, words, { tone: 'go' })}</div>`
}

function providerSaid({ frame, providerSaid: it }: ErrorView): Html | undefined {
  if (it === undefined || plainText(it.text) === '') return undefined
  return html`<figure><figcaption class="kicker">${say(frame, 'error.provider-said', { connection: it.connection })}</figcaption><blockquote class="says" dir="auto">${plainText(it.text, 256)}</blockquote></figure>`
}

function reference({ frame, code, requestId, developerHint }: ErrorView): Html {
  const id = (text: string) => html`<span class="id">${plainText(text, 128)}</span>`
  const line = say(frame, 'error.reference', { code: id(code), request: id(requestId) })
  const hint = developerHint !== undefined && say(frame, 'error.developer', { hint: said(developerHint, 256) })
  return html`${hint && softLine(hint)}
${softLine(line)}`
}
