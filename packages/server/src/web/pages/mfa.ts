// The second step: a code of an app, a passkey, or a recovery code.
import type { SecondStepPage } from '../../flows/outcome.ts'
import { button, heading, linkButton, notice } from './components.ts'
import { type FormTarget, field, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { passkeyForm } from './passkey-form.ts'

export interface MfaView extends Omit<SecondStepPage, 'name' | 'state'> {
  readonly frame: PageFrame
  /** Takes `code`, `recovery` or `passkey`, and `action=cancel`. */
  readonly form: FormTarget
}

export function renderMfa(view: MfaView): Html {
  const { frame, form: target, totp, passkey, recovery, problem, stepUp = false } = view
  const content = html`${heading(say(frame, 'mfa.title'), say(frame, stepUp ? 'mfa.lead.step-up' : 'mfa.lead'))}
${problem === 'passkey_refused' && notice(say(frame, 'mfa.passkey-refused'), { tone: 'warn', announce: true })}
${totp && codeForm(view)}
${passkey && passkeyPart(view, passkey)}
${recovery && recoveryPart(view)}
${form(target, {}, linkButton('action', 'cancel', say(frame, stepUp ? 'reauth.cancel' : 'mfa.cancel')))}`
  return renderLetter(frame, {
    page: 'mfa',
    title: sayPlain(frame, 'mfa.title'),
    hasError: problem !== undefined,
    scripts: passkey !== undefined,
    content,
  })
}

function codeForm({ frame, form: target, problem }: MfaView): Html {
  const input = field(frame, {
    name: 'code',
    label: say(frame, 'mfa.code'),
    type: 'text',
    autocomplete: 'one-time-code',
    inputmode: 'numeric',
    maxLength: 32,
    autofocus: true,
    error: problem === 'code_wrong' ? { code: 'factor_code_wrong' } : undefined,
  })
  return form(
    target,
    { name: 'mfa-code', stack: true },
    html`${input}
${button('continue', say(frame, 'page.continue'), { tone: 'go', full: true })}`,
  )
}

function passkeyPart({ frame, form: target, totp }: MfaView, options: NonNullable<MfaView['passkey']>): Html {
  const words = say(frame, 'mfa.passkey')
  const without = !totp && html`<p data-without-passkey>${say(frame, 'passkey.needs-script')}</p>`
  return html`${totp && html`<h2 class="or" data-with-passkey hidden>${say(frame, 'login.or-with')}</h2>`}
${passkeyForm(frame, target, { does: 'get', options }, button('continue', words, { full: true }))}
${without}`
}

/** For whoever lost the rest: out of the way, and open when it was just tried. */
function recoveryPart({ frame, form: target, totp, problem }: MfaView): Html {
  const wrong = problem === 'code_wrong' && !totp
  const input = field(frame, {
    name: 'recovery',
    label: say(frame, 'mfa.recovery.code'),
    type: 'text',
    autocomplete: 'off',
    maxLength: 64,
    hint: say(frame, 'mfa.recovery.hint'),
    error: wrong ? { code: 'factor_code_wrong' } : undefined,
  })
  const recoveryForm = form(
    target,
    { name: 'mfa-recovery', stack: true },
    html`${input}
${button('continue', say(frame, 'mfa.recovery.submit'))}`,
  )
  return html`<details${wrong && html` open`}><summary>${say(frame, 'mfa.recovery')}</summary><div class="panel stack">
${recoveryForm}
</div></details>`
}
