// What is asked for besides a way in, on the page of the ways in.
import type { SecondFactorChange } from '../../flows/account-wish.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { badge, button, dots, notice, row, rows, section } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, pluralKey, say } from './locale.ts'

export interface SecondStepView {
  readonly form: FormTarget
  /** When the app was added. */
  readonly app: EpochSeconds | undefined
  /** Since when passkeys are asked for. */
  readonly askedPasskeys: EpochSeconds | undefined
  readonly passkeys: number
  readonly codes: number
}

/** So few recovery codes that new ones should be made. */
const FEW_CODES = 3

export function secondStepSection(frame: PageFrame, view: SecondStepView): Html {
  const { app, askedPasskeys, passkeys, codes } = view
  const isOn = app !== undefined || askedPasskeys !== undefined
  const content = html`<p class="soft">${say(frame, isOn ? 'second-step.on' : 'second-step.off')}</p>
${isOn && codes < FEW_CODES && notice(say(frame, 'second-step.few-codes'), { tone: 'warn' })}
${rows([
  appRow(frame, view),
  ...(passkeys > 0 || askedPasskeys !== undefined ? [passkeyRow(frame, view)] : []),
  ...(isOn ? [codesRow(frame, view)] : []),
])}`
  return section('second-step', say(frame, 'second-step.section'), content)
}

function appRow(frame: PageFrame, view: SecondStepView): Html {
  const { app } = view
  const side =
    app === undefined
      ? change(view, 'add-app', say(frame, 'second-step.app.add'))
      : removal(frame, view, 'remove-app', { title: 'second-step.app.remove.title', submit: 'second-step.app.remove' })
  return row(words(frame, say(frame, 'second-step.app'), app, say(frame, 'second-step.app.text')), { side })
}

function passkeyRow(frame: PageFrame, view: SecondStepView): Html {
  const { askedPasskeys: since } = view
  const side =
    since === undefined
      ? change(view, 'ask-passkey', say(frame, 'second-step.passkey.add'))
      : removal(frame, view, 'spare-passkey', {
          title: 'second-step.passkey.remove.title',
          submit: 'second-step.passkey.remove',
        })
  return row(words(frame, say(frame, 'second-step.passkey'), since, say(frame, 'second-step.passkey.text')), { side })
}

function codesRow(frame: PageFrame, view: SecondStepView): Html {
  const count = say(frame, pluralKey(frame, 'second-step.codes.left', view.codes), { count: view.codes })
  const content = html`<b>${say(frame, 'second-step.codes')}</b>
<p class="small soft">${count}</p>`
  return row(content, { side: change(view, 'new-codes', say(frame, 'second-step.codes.renew')) })
}

const words = (frame: PageFrame, title: HtmlValue, since: EpochSeconds | undefined, text: HtmlValue): Html =>
  html`<b>${title}</b>
<p class="small soft">${since === undefined ? text : say(frame, 'second-step.since', { day: day(frame, since) })}</p>
${since !== undefined && html`<div class="badges">${badge(say(frame, 'second-step.badge'), 'ok')}</div>`}`

const change = ({ form: target }: SecondStepView, wanted: SecondFactorChange, submit: Html): Html =>
  form(target, { name: 'second-step', side: true, hidden: { change: wanted } }, button(wanted, submit, { small: true }))

function removal(
  frame: PageFrame,
  { form: target, app, askedPasskeys }: SecondStepView,
  wanted: SecondFactorChange,
  keys: {
    readonly title: 'second-step.app.remove.title' | 'second-step.passkey.remove.title'
    readonly submit: 'second-step.app.remove' | 'second-step.passkey.remove'
  },
): Html {
  const isLast = app === undefined || askedPasskeys === undefined
  const ends = isLast ? [say(frame, 'second-step.ends.step'), say(frame, 'second-step.ends.codes')] : []
  const other = !isLast && html`<p>${say(frame, 'second-step.other-stays')}</p>`
  const submit = button(wanted, say(frame, keys.submit), { tone: 'end' })
  const ending = form(target, { name: 'second-step', hidden: { change: wanted } }, submit)
  return html`<details><summary class="side btn s">${say(frame, 'ways.remove')}<span class="sr"> ${say(frame, keys.submit)}</span></summary><div class="panel stack">
<h3>${say(frame, keys.title)}</h3>
${ends.length > 0 && dots(ends)}${other}
${ending}
</div></details>`
}
