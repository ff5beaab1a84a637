// A third party's app asks who somebody is, and maybe for more.
import { abilities, canGroup, chip, choicePair, facts, heading, monogram, softLine, textLink } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { type AskedScope, describeScopes } from './scopes.ts'
import { maskAddress, said } from './text.ts'

export interface ConsentView {
  readonly frame: PageFrame
  readonly form: FormTarget
  readonly app: { readonly name: string; readonly host?: string | undefined }
  readonly scopes: readonly AskedScope[]
  /** True when the app has no way to the accounts that the person connected; then the page says so. */
  readonly cannotUseAccounts: boolean
  readonly user: { readonly name: string; readonly address?: string | undefined }
  /** Where to sign out for somebody else. */
  readonly signOutUrl?: string | undefined
}

export function renderConsent(view: ConsentView): Html {
  const { frame, form: target, app } = view
  const no = { value: 'deny', words: say(frame, 'page.cancel') }
  const yes = { value: 'allow', words: say(frame, 'consent.allow') }
  const content = html`${heading(say(frame, 'consent.title', { app: app.name }), say(frame, 'consent.lead', { tenant: frame.tenantName }))}
${chip(monogram(app.name), html`<b>${said(app.name)}</b>`, app.host !== undefined && html`<span class="small soft">${say(frame, 'consent.at', { host: app.host })}</span>`)}
${whatItMay(view)}
${form(target, { name: 'consent' }, choicePair(no, yes))}
${softLine(signedInAs(view))}`
  return renderLetter(frame, { page: 'consent', title: sayPlain(frame, 'consent.title', { app: app.name }), content })
}

function whatItMay({ frame, scopes, cannotUseAccounts }: ConsentView): Html {
  const asked = describeScopes(scopes)
  const may =
    asked.items.length > 0 ? abilities(frame, asked) : html`<p class="can-nothing">${say(frame, 'consent.nothing')}</p>`
  const cannot = canGroup({
    shape: 'barred',
    title: say(frame, 'consent.cannot'),
    items: [say(frame, 'consent.cannot.accounts')],
  })
  return html`<section aria-labelledby="may"><h2 id="may">${say(frame, 'consent.what')}</h2>
${may}
${cannotUseAccounts && cannot}
${asked.whileAway && facts([[say(frame, 'can.away'), say(frame, 'can.away.yes')]], 'ruled')}
</section>`
}

function signedInAs({ frame, user, signOutUrl }: ConsentView): Html {
  const who =
    user.address === undefined
      ? say(frame, 'consent.signed-in-as-name', { name: user.name })
      : say(frame, 'consent.signed-in-as', { name: user.name, address: maskAddress(user.address) })
  return html`${who}${signOutUrl !== undefined && html` ${textLink(signOutUrl, say(frame, 'consent.not-you'))}`}`
}
