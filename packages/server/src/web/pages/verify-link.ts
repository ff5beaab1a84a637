// Behind a link that shows an address to be the person's: a button, for opening a link says nothing, and afterwards that it
// is done.
import { button, buttonLink, heading, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

/** `address`: masked by the caller. */
export type VerifyLinkView = { readonly frame: PageFrame; readonly address: string } & (
  | { readonly step: 'ask'; readonly form: FormTarget }
  | { readonly step: 'done'; readonly nextUrl: string }
)

export function renderVerifyLink(view: VerifyLinkView): Html {
  const { frame, address } = view
  if (view.step === 'done') {
    const content = html`${heading(say(frame, 'verify.link.done.title'), say(frame, 'verify.link.done.lead', { address }))}
<div>${buttonLink(view.nextUrl, say(frame, 'verify.link.done.next'), { tone: 'go' })}</div>`
    return renderLetter(frame, { page: 'verify-email', title: sayPlain(frame, 'verify.link.done.title'), content })
  }
  const submit = button('continue', say(frame, 'verify.link.submit'), { tone: 'go', full: true })
  const content = html`${heading(say(frame, 'verify.link.title'), say(frame, 'verify.link.lead', { address }))}
${form(view.form, { name: 'verify', stack: true }, submit)}
${softLine(say(frame, 'verify.link.not-you'))}`
  return renderLetter(frame, { page: 'verify-email', title: sayPlain(frame, 'verify.link.title'), content })
}
