// Setting up a second step: an authenticator app by its QR code, and the recovery codes that stand in for it.
import { encode } from 'uqr'
import type { AppSetup } from '../../flows/account-second-factor.ts'
import { button, buttonLink, heading, notice, softLine } from './components.ts'
import { type FormTarget, field, form } from './forms.ts'
import { type Html, html, joined } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

const BACK = '/account/connections'

export interface AppSetupView extends Omit<AppSetup, 'state'> {
  readonly frame: PageFrame
  readonly form: FormTarget
  readonly wrong: boolean
}

export function renderAppSetup({ frame, form: target, key, uri, wrong }: AppSetupView): Html {
  const input = field(frame, {
    name: 'code',
    label: say(frame, 'app-setup.code'),
    type: 'text',
    autocomplete: 'one-time-code',
    inputmode: 'numeric',
    maxLength: 32,
    error: wrong ? { code: 'factor_code_wrong' } : undefined,
  })
  const content = html`${heading(say(frame, 'app-setup.title'), say(frame, 'app-setup.lead'))}
<h2>${say(frame, 'app-setup.scan')}</h2>
${qrCode(uri, sayPlain(frame, 'app-setup.qr'))}
<p>${say(frame, 'app-setup.by-hand')}<br><code class="key">${joined(key.match(/.{1,4}/g) ?? [], ' ')}</code></p>
<h2>${say(frame, 'app-setup.type')}</h2>
${form(
  target,
  { name: 'second-step-app', stack: true },
  html`${input}
${button('confirm', say(frame, 'app-setup.submit'), { tone: 'go', full: true })}`,
)}
${softLine(say(frame, 'app-setup.signs-out'))}
<p><a href="${BACK}">${say(frame, 'mfa.setup.cancel')}</a></p>`
  const title = sayPlain(frame, 'app-setup.title')
  return renderLetter(frame, { page: 'second-step-app', title, hasError: wrong, content })
}

/** Dark on light whatever the colours of the page: cameras expect it. */
function qrCode(text: string, label: string): Html {
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"></rect><path d="${path}" fill="#000"></path></svg>`
}

export function renderRecoveryCodes(frame: PageFrame, codes: readonly string[]): Html {
  const content = html`${heading(say(frame, 'codes.title'), say(frame, 'codes.lead'))}
${notice(say(frame, 'codes.once'), { tone: 'warn' })}
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<div>${buttonLink(BACK, say(frame, 'codes.done'), { tone: 'go' })}</div>`
  return renderLetter(frame, { page: 'recovery-codes', title: sayPlain(frame, 'codes.title'), content })
}
