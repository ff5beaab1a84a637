// Before an account is deleted: what ends, by name. And the page that stands when it is gone.
import { type AccountFrame, accountHeading, renderAccountPage } from './account-frame.ts'
import { button, buttonLink, dots, heading, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { listOf, pluralKey, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface AccountDeleteView extends AccountFrame {
  /** Takes `action=confirm`. */
  readonly form: FormTarget
  readonly ways: readonly DeletedWay[]
  readonly connected: readonly { readonly connection: string; readonly label: string }[]
  /** Names of agents that may use something. */
  readonly agents: readonly string[]
  readonly sessions: number
}

export type DeletedWay =
  | { readonly kind: 'password' }
  | { readonly kind: 'connection'; readonly displayName: string; readonly name: string | undefined }

export function renderAccountDelete(view: AccountDeleteView): Html {
  const { frame, form: target } = view
  const submit = button('confirm', say(frame, 'delete.submit'), { tone: 'end' })
  const content = html`${accountHeading(view, say(frame, 'delete.title'), say(frame, 'delete.lead'))}
<div class="sheet stack">
${dots(effects(view))}
${stays(view)}
<p>${say(frame, 'delete.told')}</p>
${form(target, { name: 'delete-account' }, html`<div class="line">${submit}<a href="/account">${say(frame, 'delete.keep')}</a></div>`)}
</div>
<p class="small soft"><a href="/account#data">${say(frame, 'delete.download-first')}</a></p>`
  return renderAccountPage(view, { page: 'account-delete', title: sayPlain(frame, 'delete.title'), content })
}

function effects({ frame, ways, connected, agents, sessions }: AccountDeleteView): readonly HtmlValue[] {
  return [
    ...ways.map((way) => say(frame, 'delete.ends.way', { name: nameOf(frame, way) })),
    ...connected.map(({ connection, label }) =>
      say(frame, 'delete.ends.connected', {
        account: say(frame, 'agents.account', { connection, label }),
        connection,
      }),
    ),
    ...agents.map((agent) => say(frame, 'delete.ends.agent', { agent: html`<b>${said(agent)}</b>` })),
    say(frame, pluralKey(frame, 'delete.ends.sessions', sessions), { count: sessions }),
    say(frame, 'delete.ends.data'),
  ]
}

function nameOf(frame: PageFrame, way: DeletedWay): Html {
  if (way.kind === 'password') return say(frame, 'ways.password.yours')
  return way.name === undefined ? said(way.displayName) : html`${said(way.displayName)} (${said(way.name)})`
}

function stays({ frame, ways, connected }: AccountDeleteView): Html | false {
  const names = [
    ...ways.flatMap((way) => (way.kind === 'connection' ? [way.displayName] : [])),
    ...connected.map(({ connection }) => connection),
  ]
  if (names.length === 0) return false
  const connections = listOf(
    frame,
    [...new Set(names)].map((name) => said(name)),
  )
  return html`<p>${say(frame, 'delete.stays', { connections })}</p>`
}

export function renderAccountDeleted(frame: PageFrame): Html {
  const content = html`${heading(say(frame, 'deleted.title'), say(frame, 'deleted.lead'))}
${softLine(say(frame, 'deleted.keys'))}
<div>${buttonLink('/account', say(frame, 'error.next.sign-in'))}</div>`
  return renderLetter(frame, { page: 'account-deleted', title: sayPlain(frame, 'deleted.title'), content })
}
