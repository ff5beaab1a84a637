// Adding a passkey: what it is called, and the browser's own question.
import type { JsonObject } from '../../lib/json.ts'
import { button, heading, notice, softLine } from './components.ts'
import { type FormTarget, field } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { passkeyForm } from './passkey-form.ts'

export interface NewPasskeyView {
  readonly frame: PageFrame
  /** Takes `label` and `passkey`. */
  readonly form: FormTarget
  readonly options: JsonObject
  /** Which connection it is for. */
  readonly connection: string
  readonly label: string
}

export function renderNewPasskey({ frame, form: target, options, connection, label }: NewPasskeyView): Html {
  const input = field(frame, {
    name: 'label',
    label: say(frame, 'passkey.label'),
    type: 'text',
    autocomplete: 'off',
    maxLength: 40,
    value: label,
    hint: say(frame, 'passkey.label.hint'),
  })
  const parts = html`${input}
${button('confirm', say(frame, 'passkey.add.submit'), { tone: 'go', full: true })}`
  const content = html`${heading(say(frame, 'passkey.add.title'), say(frame, 'passkey.add.lead'))}
${passkeyForm(frame, target, { does: 'create', options, hidden: { connection } }, parts)}
<div data-without-passkey>${notice(say(frame, 'passkey.needs-script'), { tone: 'warn' })}</div>
${softLine(say(frame, 'passkey.add.what'))}
<p><a href="/account/connections">${say(frame, 'mfa.setup.cancel')}</a></p>`
  const title = sayPlain(frame, 'passkey.add.title')
  return renderLetter(frame, { page: 'account-passkey', title, scripts: true, content })
}
