// A new password: ask for the address, say that a mail may be on its way, take the new one, say that it is done.
import { button, buttonLink, heading, softLine, textLink } from './components.ts'
import { addressField, type FieldError, type FormTarget, form, newPasswordField } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { type Notice, renderNotice } from './notices.ts'

export type ResetPasswordView = { readonly frame: PageFrame; readonly notice?: Notice | undefined } & ResetStep

export type ResetStep = AskStep | SentStep | ChooseStep | DoneStep

interface AskStep {
  readonly step: 'ask'
  readonly form: FormTarget
  readonly email?: string | undefined
  readonly error?: FieldError | undefined
  readonly loginUrl?: string | undefined
}

/** The same for known and unknown addresses. */
interface SentStep {
  readonly step: 'sent'
  /** As it was typed. */
  readonly address: string
  readonly loginUrl?: string | undefined
}

/** Opened by the mailed link. */
interface ChooseStep {
  readonly step: 'choose'
  readonly form: FormTarget
  /** Known to whoever holds the link, since the mail went there. */
  readonly address: string
  readonly error?: FieldError | undefined
  readonly passwordMinLength: number
  /** Saving ends every session and the page says so. */
  readonly endsSessions: boolean
}

interface DoneStep {
  readonly step: 'done'
  readonly endsSessions: boolean
  /** None when the person began in another browser and no sign-in waits here. */
  readonly loginUrl?: string | undefined
}

export function renderResetPassword(view: ResetPasswordView): Html {
  const { frame, notice, step } = view
  const content = html`${heading(say(frame, `reset.${step}.title`), lead(view))}
${notice && renderNotice(frame, notice)}
${stepContent(view)}`
  const hasError = 'error' in view && view.error !== undefined
  return renderLetter(frame, {
    page: 'reset-password',
    title: sayPlain(frame, `reset.${step}.title`),
    hasError,
    content,
  })
}

function lead(view: ResetPasswordView): Html | undefined {
  const { frame } = view
  if (view.step === 'ask') return say(frame, 'reset.ask.lead')
  if (view.step === 'done') return say(frame, view.endsSessions ? 'reset.done.lead-ended' : 'reset.done.lead')
  // On `sent` the sentence is the message itself, not a line under the title.
  return view.step === 'choose' ? say(frame, 'reset.choose.lead', { address: view.address }) : undefined
}

function stepContent(view: ResetPasswordView): Html {
  const { frame } = view
  switch (view.step) {
    case 'ask':
      return html`${askForm(frame, view)}
${back(frame, view.loginUrl)}`
    case 'sent':
      return html`<p role="status">${say(frame, 'reset.sent.lead', { address: view.address })}</p>
${softLine(say(frame, 'reset.sent.more'))}
${back(frame, view.loginUrl)}`
    case 'choose':
      return chooseForm(frame, view)
    case 'done':
      return html`${view.loginUrl !== undefined && buttonLink(view.loginUrl, say(frame, 'login.submit'), { tone: 'go', full: true })}`
  }
}

const askForm = (frame: PageFrame, { form: target, email, error }: AskStep): Html =>
  form(
    target,
    { name: 'reset', stack: true },
    html`${addressField(frame, { name: 'email', value: email, error })}
${button('continue', say(frame, 'reset.ask.submit'), { tone: 'go', full: true })}`,
  )

const chooseForm = (
  frame: PageFrame,
  { form: target, address, error, passwordMinLength, endsSessions }: ChooseStep,
): Html =>
  form(
    target,
    { name: 'reset', stack: true },
    html`<input type="text" name="username" value="${address}" autocomplete="username" hidden readonly aria-label="${sayPlain(frame, 'field.address')}">
${newPasswordField(frame, { label: say(frame, 'field.new-password'), minLength: passwordMinLength, error })}
<div>${button('continue', say(frame, 'reset.choose.submit'), { tone: 'go', full: true })}${endsSessions && softLine(say(frame, 'reset.choose.effect'))}</div>`,
  )

const back = (frame: PageFrame, url: string | undefined): Html =>
  html`${url !== undefined && html`<p class="small">${textLink(url, say(frame, 'reset.back'))}</p>`}`
