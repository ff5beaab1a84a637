// Where the code of a device is typed.
import { button, heading, softLine } from './components.ts'
import { type FieldError, type FormTarget, field, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

export interface ActivateView {
  readonly frame: PageFrame
  /** Takes `user_code` and `action=continue`. */
  readonly form: FormTarget
  readonly typed: string | undefined
  readonly error: FieldError | undefined
}

export function renderActivate({ frame, form: target, typed, error }: ActivateView): Html {
  const input = field(frame, {
    name: 'user_code',
    label: say(frame, 'activate.field'),
    type: 'text',
    autocomplete: 'off',
    value: typed,
    maxLength: 64,
    error,
    autofocus: true,
  })
  const content = html`${heading(say(frame, 'activate.title'), say(frame, 'activate.lead'))}
${form(
  target,
  { name: 'activate', stack: true },
  html`${input}
${button('continue', say(frame, 'activate.submit'), { tone: 'go', full: true })}`,
)}
${softLine(say(frame, 'activate.warning'))}`
  return renderLetter(frame, {
    page: 'activate',
    title: sayPlain(frame, 'activate.title'),
    hasError: error !== undefined,
    content,
  })
}
