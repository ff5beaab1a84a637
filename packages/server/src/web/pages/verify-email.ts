// Prove an address with the code that was mailed to it.
import type { VerifyPage } from '../../flows/outcome.ts'
import { button, heading, linkButton, softLine } from './components.ts'
import { type FieldError, type FormTarget, field, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { type Notice, renderNotice } from './notices.ts'

export interface VerifyEmailView {
  readonly frame: PageFrame
  /** Takes `action=continue` with `code`, `resend=yes`, and `action=cancel` where that may be. */
  readonly form: FormTarget
  /** As it shall be shown: in full when it was typed in this browser, else masked by the caller. */
  readonly address: string
  /** Why it is asked: nothing to say after signing up, a sentence before another account is connected. */
  readonly reason: VerifyPage['reason']
  /** What the field holds already. */
  readonly code?: string | undefined
  readonly error?: FieldError | undefined
  readonly mayCancel: boolean
  readonly notice?: Notice | undefined
}

export function renderVerifyEmail(view: VerifyEmailView): Html {
  const { frame, form: target, address, reason, code, error, mayCancel, notice } = view
  const codeForm = form(
    target,
    { name: 'verify', stack: true },
    html`${codeField(frame, { code, error })}
${button('continue', say(frame, 'verify.submit'), { tone: 'go', full: true })}`,
  )
  const resend = form(target, {}, linkButton('resend', 'yes', say(frame, 'verify.resend')))
  const cancel = form(target, {}, linkButton('action', 'cancel', say(frame, 'verify.cancel')))
  const content = html`${heading(say(frame, reason === 'sign-in' ? 'mail-code.title' : 'verify.title'), say(frame, reason === 'sign-in' ? 'mail-code.sent' : 'verify.sent', { address }))}
${notice && renderNotice(frame, notice)}
${reason !== 'signup' && html`<p>${say(frame, `verify.why-${reason}`)}</p>`}
${codeForm}
<hr>
${softLine(say(frame, 'verify.nothing-came'))}
<div class="line">${resend}${mayCancel && cancel}</div>`
  return renderLetter(frame, {
    page: 'verify-email',
    title: sayPlain(frame, 'verify.title'),
    hasError: Boolean(error),
    content,
  })
}

const codeField = (frame: PageFrame, { code, error }: Pick<VerifyEmailView, 'code' | 'error'>): Html =>
  field(frame, {
    name: 'code',
    label: say(frame, 'field.code'),
    type: 'text',
    autocomplete: 'one-time-code',
    inputmode: 'numeric',
    maxLength: 32,
    value: code,
    error,
  })
