// Create an account with an address and a password.
import { button, heading, softLine, textLink } from './components.ts'
import { addressField, type FieldError, type FormTarget, field, form, newPasswordField } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { type Notice, renderNotice } from './notices.ts'

export interface SignupView {
  readonly frame: PageFrame
  readonly form: FormTarget
  readonly appName?: string | undefined
  /** What was typed. A password is never sent back. */
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** An address that has an account is no error: the answer is the same, and the mail says so (no enumeration). */
  readonly errors?:
    | {
        readonly email?: FieldError | undefined
        readonly password?: FieldError | undefined
        readonly name?: FieldError | undefined
      }
    | undefined
  readonly passwordMinLength: number
  readonly loginUrl: string
  readonly notice?: Notice | undefined
}

export function renderSignup(view: SignupView): Html {
  const { frame, appName, errors, notice } = view
  const values = { tenant: frame.tenantName }
  const lead = appName === undefined ? undefined : say(frame, 'signup.for-app', { app: appName })
  const content = html`${heading(say(frame, 'signup.title', values), lead)}
${notice && renderNotice(frame, notice)}
${signupForm(view)}
${softLine(say(frame, 'signup.have', { link: textLink(view.loginUrl, say(frame, 'login.submit')) }))}`
  return renderLetter(frame, {
    page: 'signup',
    title: sayPlain(frame, 'signup.title', values),
    hasError: Boolean(errors),
    content,
  })
}

function signupForm({ frame, form: target, email, name, errors, passwordMinLength }: SignupView): Html {
  const nameInput = field(frame, {
    name: 'name',
    label: html`${say(frame, 'field.name')} <span class="aside">${say(frame, 'field.optional')}</span>`,
    type: 'text',
    autocomplete: 'name',
    value: name,
    required: false,
    error: errors?.name,
  })
  return form(
    target,
    { name: 'signup', stack: true },
    html`${addressField(frame, { name: 'email', value: email, error: errors?.email })}
${newPasswordField(frame, { label: say(frame, 'field.password'), minLength: passwordMinLength, error: errors?.password })}
${nameInput}
<div>${button('continue', say(frame, 'signup.submit'), { tone: 'go', full: true })}${softLine(say(frame, 'signup.next'))}</div>`,
  )
}
