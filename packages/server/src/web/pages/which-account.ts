// An app asks for an account at a provider where the person has some: which one is meant, or is it to be another?
import type { WhichAccountPage } from '../../flows/outcome.ts'
import { badge, button, heading, monogram, row, rows, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface WhichAccountView extends Omit<WhichAccountPage, 'name' | 'state'> {
  readonly frame: PageFrame
  /** Takes `account`, `action=another` and `action=cancel`. */
  readonly form: FormTarget
}

export function renderWhichAccount(view: WhichAccountView): Html {
  const { frame, form: target, connection, client, accounts, isTyped, asksThere } = view
  const values = { connection: connection.displayName }
  const another = button('another', say(frame, 'which.another', values), { full: true })
  const content = html`${heading(say(frame, 'which.title', values), say(frame, 'which.lead', { client: client.name }))}
${rows(accounts.map((account) => accountRow(view, account)))}
${softLine(say(frame, isTyped ? 'which.typed' : 'which.renews', values))}
${form(target, { name: 'which-another' }, another)}
${!asksThere && softLine(say(frame, 'link.another.first', values))}
${form(target, { name: 'which-cancel' }, button('cancel', say(frame, 'page.cancel'), { full: true }))}
${softLine(say(frame, 'typed.if-no', { client: client.name }))}`
  return renderLetter(frame, { page: 'which-account', title: sayPlain(frame, 'which.title', values), content })
}

function accountRow(
  { frame, form: target, connection }: WhichAccountView,
  { id, label, needsReconnecting, lastUsedAt }: WhichAccountView['accounts'][number],
): Html {
  const use =
    lastUsedAt === undefined
      ? say(frame, 'which.unused')
      : say(frame, 'connected.used', { day: day(frame, lastUsedAt) })
  const words = html`<b>${said(label)}</b>
<p class="small soft">${use}</p>${needsReconnecting && html`<div class="badges">${badge(say(frame, 'connected.badge.reconnect'), 'warn')}</div>`}`
  const choose = html`${say(frame, 'which.choose')}<span class="sr"> ${said(label)}</span>`
  return row(words, {
    mark: monogram(label, { hueBy: `${connection.name} ${label}` }),
    side: form(
      target,
      { name: 'which-account', account: id, side: true, hidden: { account: id } },
      button('continue', choose, { small: true }),
    ),
  })
}
