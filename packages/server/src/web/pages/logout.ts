// Sign out: asked first when nobody vouches for the question, then said.
import { buttonLink, choicePair, heading } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { maskAddress } from './text.ts'

export type LogoutView = { readonly frame: PageFrame } & (AskLogout | LoggedOut)

interface AskLogout {
  readonly step: 'ask'
  /** Takes `action=confirm` and `action=cancel`. */
  readonly form: FormTarget
  readonly user?: { readonly name: string; readonly address?: string | undefined } | undefined
  /** The provider where the person stays signed in. */
  readonly connectionDisplayName?: string | undefined
}

interface LoggedOut {
  /** `kept`: the person said no, and no app waits for them. */
  readonly step: 'done' | 'kept'
  /** Where to sign in again, or the account when nothing was ended. */
  readonly nextUrl?: string | undefined
}

export function renderLogout(view: LogoutView): Html {
  return view.step === 'ask' ? renderAsk(view.frame, view) : renderAfter(view.frame, view)
}

function renderAsk(frame: PageFrame, { form: target, user, connectionDisplayName }: AskLogout): Html {
  const values = { tenant: frame.tenantName }
  const no = { value: 'cancel', words: say(frame, 'logout.cancel') }
  const yes = { value: 'confirm', words: say(frame, 'logout.confirm') }
  const upstream =
    connectionDisplayName !== undefined && say(frame, 'logout.upstream', { connection: connectionDisplayName })
  const content = html`${heading(say(frame, 'logout.title', values), user && who(frame, user))}
<p>${say(frame, 'logout.effect')} ${upstream}</p>
${form(target, { name: 'logout' }, choicePair(no, yes))}`
  return renderLetter(frame, { page: 'logout', title: sayPlain(frame, 'logout.title', values), content })
}

function who(frame: PageFrame, { name, address }: { name: string; address?: string | undefined }): Html {
  if (address === undefined) return say(frame, 'consent.signed-in-as-name', { name })
  return say(frame, 'consent.signed-in-as', { name, address: maskAddress(address) })
}

function renderAfter(frame: PageFrame, { step, nextUrl }: LoggedOut): Html {
  const lead =
    step === 'done' ? say(frame, 'logout.done.lead', { tenant: frame.tenantName }) : say(frame, 'logout.kept.lead')
  const words = say(frame, step === 'done' ? 'logout.again' : 'error.next.account')
  const content = html`${heading(say(frame, `logout.${step}.title`), lead)}
${nextUrl !== undefined && html`<div>${buttonLink(nextUrl, words)}</div>`}`
  return renderLetter(frame, { page: 'logout', title: sayPlain(frame, `logout.${step}.title`), content })
}
