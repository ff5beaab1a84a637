// Ways to sign in and connected accounts in one place: what each is for, and what ends when it goes.
import type { EndReason } from '../../domain/account-end.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { connectedRow, endingRow } from './account-connected-row.ts'
import { type AccountFrame, accountHeading, renderAccountPage } from './account-frame.ts'
import { type HistoryView, historySection } from './account-history.ts'
import { type SecondStepView, secondStepSection } from './account-second-step.ts'
import { wayRow } from './account-way-row.ts'
import { button, monogram, notice, row, rows, section } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { pluralKey, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export interface AccountConnectionsView extends AccountFrame {
  /** In the order in which they came. */
  readonly ways: readonly WayView[]
  readonly connected: readonly ConnectedView[]
  /** Ended here, and not yet at their provider. */
  readonly ending: readonly EndingView[]
  readonly available: readonly AvailableView[]
  readonly history: HistoryView
  readonly secondStep: SecondStepView
  /** What was looked for; undefined when there is nothing to look through. */
  readonly find?: string | undefined
  /** The main address is not proven: nothing can be added. */
  readonly unproven: boolean
  readonly forms: ConnectionForms
}

export interface ConnectionForms {
  readonly link: FormTarget
  readonly unlink: FormTarget
  readonly label: FormTarget
  readonly setDefault: FormTarget
  readonly disconnect: FormTarget
  readonly passkeyLabel: FormTarget
}

export interface WayView {
  readonly kind: 'password' | 'connection' | 'mail' | 'passkey'
  /** A passkey: what it is changed by. */
  readonly passkey?: string | undefined
  /** Name of the connection, in the configuration: it chooses the colour. */
  readonly connection: string
  readonly displayName: string
  /** What the account is called at its provider. */
  readonly name: string | undefined
  readonly address: string | undefined
  readonly addedAt: EpochSeconds
  readonly lastUsedAt: EpochSeconds | undefined
  /** `provider|user_id`. */
  readonly identity: string
  readonly carriesMain: boolean
  /** The account began with it, so that it stays. */
  readonly isFirst: boolean
  readonly isUsable: boolean
  /** Usable ways that would remain without it. */
  readonly remaining: number
  /** Agents that use its tokens. */
  readonly agents: readonly string[]
  readonly keepsTokens: boolean
}

export interface ConnectedView {
  readonly id: string
  readonly connection: string
  readonly displayName: string
  readonly label: string
  readonly address: string | undefined
  readonly connectedAt: EpochSeconds
  readonly lastUsedAt: EpochSeconds | undefined
  readonly lastAgent: string | undefined
  readonly agents: readonly string[]
  readonly isDefault: boolean
  /** Another one at the same connection could be the default. */
  readonly hasSiblings: boolean
  readonly signsIn: boolean
  readonly health: 'ok' | 'expiring' | 'reconnect_required' | 'provider_unavailable' | 'revoked'
  /** When it stops working by itself, and why; undefined while that is far, or unknown. */
  readonly end: { readonly at: EpochSeconds; readonly why: EndReason } | undefined
  /** The operator lets agents use the connection. */
  readonly isActive: boolean
  /** A key or password that the person typed, and can replace. */
  readonly isTyped?: boolean
}

export interface EndingView {
  readonly id: string
  /** Name of the connection, in the configuration: it chooses the colour. */
  readonly name: string
  readonly displayName: string
  /** Undefined: the first try is under way. */
  readonly nextTryAt: EpochSeconds | undefined
}

export interface AvailableView {
  readonly connection: string
  readonly displayName: string
  readonly purpose: 'sign-in' | 'agents' | 'both' | 'mail' | 'passkey'
  readonly hasOne: boolean
}

export function renderAccountConnections(view: AccountConnectionsView): Html {
  const { frame, unproven } = view
  const content = html`${accountHeading(view, say(frame, 'ways.heading'))}
${unproven && notice(say(frame, 'ways.unproven'), { tone: 'warn' })}
${view.find !== undefined && findForm(view, view.find)}
${section('ways', say(frame, 'ways.section'), html`${strength(view)}${waysList(view)}`)}
${secondStepSection(frame, view.secondStep)}
${section('connected', say(frame, 'connected.section'), connectedList(view))}
${section('available', say(frame, 'available.section'), availableList(view))}
${historySection(frame, view.history)}`
  return renderAccountPage(view, { page: 'account-connections', title: sayPlain(frame, 'ways.title'), content })
}

/** How many ways there are, and what happens when the first one is lost. */
function strength({ frame, ways }: AccountConnectionsView): Html {
  const [first, second] = ways.filter(({ isUsable }) => isUsable)
  if (first === undefined) return notice(say(frame, 'ways.none'), { tone: 'warn' })
  if (second === undefined) return notice(say(frame, 'ways.one', { first: nameOfWay(frame, first) }), { tone: 'warn' })
  const count = ways.filter(({ isUsable }) => isUsable).length
  const words = say(frame, pluralKey(frame, 'ways.count', count), { count })
  const names = { first: nameOfWay(frame, first), other: nameOfWay(frame, second) }
  return html`<p class="soft">${say(frame, 'ways.strong', { count: words, ...names })}</p>`
}

/** Ways in without a provider. */
export const WAY_WORDS = { password: 'ways.password', mail: 'mail-way', passkey: 'passkey.way' } as const

const nameOfWay = (frame: PageFrame, way: WayView): Html =>
  way.kind === 'connection' ? said(way.displayName) : say(frame, WAY_WORDS[way.kind])

function waysList(view: AccountConnectionsView): Html {
  return view.ways.length === 0 ? html`` : rows(view.ways.map((way) => wayRow(view, way)))
}

function connectedList(view: AccountConnectionsView): Html {
  const { frame, connected, ending, find } = view
  const empty = say(frame, find === undefined || find === '' ? 'connected.none' : 'available.find.none')
  const list =
    connected.length === 0
      ? html`<div class="sheet"><p>${empty}</p></div>`
      : html`<p class="soft">${say(frame, 'connected.lead')}</p>
${rows(connected.map((one) => connectedRow(view, one)))}`
  return html`${list}
${ending.length > 0 && rows(ending.map((one) => endingRow(frame, one)))}`
}

function availableList(view: AccountConnectionsView): Html {
  const { frame, available, find } = view
  const empty =
    find === undefined || find === ''
      ? say(frame, 'available.none', { tenant: frame.tenantName })
      : say(frame, 'available.find.none')
  if (available.length === 0) return html`<div class="sheet"><p>${empty}</p></div>`
  return rows(available.map((one) => availableRow(view, one)))
}

function findForm({ frame }: AccountConnectionsView, find: string): Html {
  const label = say(frame, 'available.find')
  return html`<form class="inline" method="get" action="/account/connections" role="search" aria-label="${sayPlain(frame, 'available.find')}">
<div class="field"><label for="find">${label}</label><input id="find" name="find" type="text" maxlength="80" value="${plainText(find)}"></div>
<button class="btn"><span>${say(frame, 'available.find.submit')}</span></button>
</form>`
}

const AVAILABLE_WORDS = {
  'sign-in': 'available.sign-in',
  agents: 'available.agents',
  both: 'available.both',
  mail: 'mail-code.available',
  passkey: 'passkey.available',
} as const

function availableRow({ frame, forms, unproven }: AccountConnectionsView, one: AvailableView): Html {
  const words = say(frame, 'available.add', { connection: one.displayName })
  const side = unproven
    ? undefined
    : form(
        forms.link,
        { name: 'link', connection: one.connection, side: true, hidden: { connection: one.connection } },
        button('link', words, { small: true }),
      )
  const content = html`<b>${said(one.displayName)}</b>
<p class="small soft">${say(frame, AVAILABLE_WORDS[one.purpose])}${one.hasOne && html`. ${say(frame, 'available.another')}`}</p>`
  return row(content, { mark: monogram(one.displayName, { hueBy: one.connection }), side })
}
