// Somebody is signed in and an account arrives that belongs to another user. Whose, is not said.
import { type ArrivalView, arrivalCard, type Option, options, type SignedInView, signedInCard } from './arrivals.ts'
import { button, heading, notice, section } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

export interface LinkConflictView {
  readonly frame: PageFrame
  /** Takes `action=link`, `action=continue`, `action=cancel` and `prompt=select_account`. */
  readonly form: FormTarget
  readonly appName?: string | undefined
  readonly user: SignedInView
  readonly account: ArrivalView
  readonly mayContinue: boolean
  readonly mayChooseAnother: boolean
  readonly problem?: 'wrong_account' | 'refused' | undefined
}

export function renderLinkConflict(view: LinkConflictView): Html {
  const { frame, user, account, mayContinue, mayChooseAnother, problem } = view
  const values = { connection: account.connectionDisplayName, tenant: frame.tenantName }
  const title = account.byPassword ? 'conflict.title-password' : 'conflict.title'
  const hidden = html`<span class="small soft">${say(frame, 'conflict.hidden')}</span>`
  const content = html`${problem && notice(say(frame, `proof.${problem}`), { tone: 'warn', announce: true })}
${heading(say(frame, title, values), say(frame, 'error.nothing-changed'))}
<div class="join">
${signedInCard(frame, user)}
${arrivalCard(frame, say(frame, 'conflict.other'), { ...account, address: undefined }, hidden)}
</div>
${section(
  'do',
  say(frame, 'arrival.what'),
  options([join(view), mayContinue && switchOver(view), mayChooseAnother && another(view), cancel(view)]),
)}`
  return renderLetter(frame, {
    page: 'link-conflict',
    title: sayPlain(frame, title, values),
    width: 'two',
    hasError: problem !== undefined,
    content,
  })
}

const join = ({ frame, form: target }: LinkConflictView): Option => ({
  title: say(frame, 'conflict.join'),
  words: say(frame, 'conflict.join.effect'),
  button: form(target, { name: 'link-conflict' }, button('link', say(frame, 'conflict.join.do'))),
})

const switchOver = ({ frame, form: target, user }: LinkConflictView): Option => ({
  title: say(frame, 'conflict.continue'),
  words: say(frame, 'conflict.continue.effect', { user: user.name }),
  button: form(target, { name: 'link-conflict' }, button('continue', say(frame, 'conflict.continue.do'))),
})

function another({ frame, form: target, account }: LinkConflictView): Option {
  const connection = account.connectionDisplayName
  return {
    title: say(frame, 'conflict.wrong', { connection }),
    words: say(frame, 'conflict.wrong.effect', { connection }),
    button: form(
      target,
      { name: 'link-conflict' },
      button('select_account', say(frame, 'link.another', { connection }), { name: 'prompt' }),
    ),
  }
}

const cancel = ({ frame, form: target, appName }: LinkConflictView): Option => ({
  title: say(frame, 'choose.cancel'),
  words:
    appName === undefined
      ? say(frame, 'choose.cancel.effect')
      : say(frame, 'choose.cancel.effect-app', { app: appName }),
  button: form(target, { name: 'link-conflict' }, button('cancel', say(frame, 'choose.cancel.do'))),
})
