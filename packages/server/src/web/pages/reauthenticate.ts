// Showing once more that it is still the same person, before a change to the account.
import type { AccountWish } from '../../flows/account-wish.ts'
import type { JsonObject } from '../../lib/json.ts'
import { button, chip, heading, linkButton, maskedAddress, monogram, notice } from './components.ts'
import { type FormTarget, field, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { pluralKey, say, sayPlain } from './locale.ts'
import { passkeyForm } from './passkey-form.ts'
import { plainText, said } from './text.ts'

export interface ReauthenticateView {
  readonly frame: PageFrame
  readonly form: FormTarget
  readonly wish: AccountWish['kind']
  readonly minutes: number
  readonly user: { readonly name: string; readonly address: string | undefined }
  readonly connections: readonly { readonly name: string; readonly displayName: string }[]
  readonly password: { readonly username: string; readonly wrong: boolean } | undefined
  /** Masked; where a code can be mailed to. */
  readonly mail: string | undefined
  /** What the browser is asked for. */
  readonly passkey: JsonObject | undefined
  readonly passkeyRefused: boolean
}

export function renderReauthenticate(view: ReauthenticateView): Html {
  const { frame, user, minutes, password, connections, mail, passkey } = view
  const hasOther = connections.length > 0 || mail !== undefined
  const time = say(frame, pluralKey(frame, 'reauth.minutes', minutes), { count: minutes })
  const lead = say(frame, 'reauth.lead', { wish: say(frame, `reauth.wish.${view.wish}`), time })
  const address = user.address === undefined ? undefined : maskedAddress(user.address)
  const content = html`${heading(say(frame, 'reauth.title'), lead)}
${view.passkeyRefused && notice(say(frame, 'mfa.passkey-refused'), { tone: 'warn', announce: true })}
${chip(monogram(user.name), html`<b>${said(user.name)}</b>`, address)}
${connections.map((one) => connectionForm(view, one))}
${passkey && passkeyForm(frame, view.form, { does: 'get', options: passkey }, button('continue', say(frame, 'reauth.passkey'), { full: true }))}
${mail !== undefined && form(view.form, { name: 'mail' }, button('mail', say(frame, 'reauth.mail', { address: html`<bdi>${plainText(mail)}</bdi>` }), { full: true }))}
${password && (hasOther || passkey) && html`<h2 class="or"${!hasOther && html` data-with-passkey hidden`}>${say(frame, 'reauth.or-password')}</h2>`}
${password && passwordForm(view, password)}
${!password && !hasOther && html`<p${passkey && html` data-without-passkey`}>${say(frame, passkey ? 'passkey.needs-script' : 'reauth.none')}</p>`}
${form(view.form, {}, linkButton('action', 'cancel', say(frame, 'reauth.cancel')))}`
  return renderLetter(frame, {
    page: 'reauthenticate',
    title: sayPlain(frame, 'reauth.title'),
    hasError: view.passkeyRefused || (password?.wrong ?? false),
    scripts: passkey !== undefined,
    content,
  })
}

function connectionForm(
  { frame, form: target }: ReauthenticateView,
  { name, displayName }: ReauthenticateView['connections'][number],
): Html {
  const mark = monogram(displayName, { small: true, hueBy: name })
  const words = html`${mark}<span>${say(frame, 'reauth.use', { connection: displayName })}</span>`
  return form(
    target,
    { name: 'connection', connection: name, hidden: { connection: name } },
    html`<button class="btn full left" name="action" value="continue">${words}</button>`,
  )
}

function passwordForm(
  { frame, form: target }: ReauthenticateView,
  { username, wrong }: NonNullable<ReauthenticateView['password']>,
): Html {
  const input = field(frame, {
    name: 'password',
    label: say(frame, 'field.password'),
    type: 'password',
    autocomplete: 'current-password',
    error: wrong ? { code: 'password_wrong' } : undefined,
  })
  return form(
    target,
    { name: 'login', stack: true },
    html`<input type="hidden" name="username" value="${username}" autocomplete="username">
${input}
${button('continue', say(frame, 'page.continue'), { tone: 'go', full: true })}`,
  )
}
