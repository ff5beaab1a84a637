// Somebody is signed in and an account arrives that nobody has: add it, or sign in as another person?
import { type ArrivalView, arrivalCard, type Option, options, type SignedInView, signedInCard } from './arrivals.ts'
import { button, heading, notice, section } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

export interface LinkChooseView {
  readonly frame: PageFrame
  /** Takes `action=link`, `action=continue`, `action=cancel`. */
  readonly form: FormTarget
  readonly appName?: string | undefined
  readonly user: SignedInView
  readonly account: ArrivalView
  /** The account of who is signed in may be added to. */
  readonly mayAdd: boolean
  readonly problem?: 'wrong_account' | 'refused' | undefined
}

export function renderLinkChoose(view: LinkChooseView): Html {
  const { frame, user, account, mayAdd, problem } = view
  const connection = account.connectionDisplayName
  const title = sayPlain(frame, 'choose.title', { connection })
  const content = html`${problem && notice(say(frame, `proof.${problem}`), { tone: 'warn', announce: true })}
${heading(say(frame, 'choose.title', { connection }), say(frame, 'error.nothing-changed'))}
<div class="join">
${signedInCard(frame, user)}
${arrivalCard(frame, say(frame, 'choose.new'), account)}
</div>
${section('do', say(frame, 'arrival.what'), options([mayAdd && add(view), switchOver(view), cancel(view)]))}`
  return renderLetter(frame, { page: 'link-choose', title, width: 'two', hasError: problem !== undefined, content })
}

const actionForm = (
  { frame, form: target }: LinkChooseView,
  value: string,
  key: 'link' | 'continue' | 'cancel',
): Html => form(target, { name: 'link-choose' }, button(value, say(frame, `choose.${key}.do`)))

function add(view: LinkChooseView): Option {
  const { frame, user, account } = view
  return {
    title: say(frame, 'choose.link'),
    words: say(frame, 'choose.link.effect', { connection: account.connectionDisplayName, user: user.name }),
    button: actionForm(view, 'link', 'link'),
  }
}

function switchOver(view: LinkChooseView): Option {
  const { frame, user } = view
  return {
    title: say(frame, 'choose.continue'),
    words: say(frame, 'choose.continue.effect', { user: user.name }),
    button: actionForm(view, 'continue', 'continue'),
  }
}

function cancel(view: LinkChooseView): Option {
  const { frame, appName } = view
  return {
    title: say(frame, 'choose.cancel'),
    words:
      appName === undefined
        ? say(frame, 'choose.cancel.effect')
        : say(frame, 'choose.cancel.effect-app', { app: appName }),
    button: actionForm(view, 'cancel', 'cancel'),
  }
}
