// One account that agents may use: who uses it, how it is, its label, and how it ends.
import { LABEL_LENGTH } from '../../domain/label.ts'
import type { AccountConnectionsView, ConnectedView, EndingView } from './account-connections.ts'
import { badge, button, maskedAddress, monogram, row } from './components.ts'
import { moment } from './dates.ts'
import { form } from './forms.ts'
import { type Html, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, listOf, say } from './locale.ts'
import { plainText, said } from './text.ts'

export function connectedRow(view: AccountConnectionsView, account: ConnectedView): Html {
  const { frame } = view
  const { displayName, connection } = account
  return row(words(view, account), {
    mark: monogram(displayName, { hueBy: connection }),
    side: html`<details><summary class="side btn s">${say(frame, 'connected.change')}<span class="sr"> ${fullName(account)}</span></summary><div class="panel stack">
${changes(view, account)}
</div></details>`,
  })
}

/** One that the person or the operator ended, until its provider confirms that our key is cancelled. */
export function endingRow(frame: PageFrame, { name, displayName, nextTryAt }: EndingView): Html {
  const words = { connection: displayName, tenant: frame.tenantName }
  const state =
    nextTryAt === undefined
      ? say(frame, 'ending.asking', words)
      : say(frame, 'ending.again', { ...words, at: moment(frame, nextTryAt) })
  const content = html`<b>${said(displayName)}</b>
<p class="small soft">${say(frame, 'ending.here')}</p>
<div class="badges">${badge(say(frame, 'ending.badge'), 'warn')}</div>
<p class="small">${state} ${nextTryAt !== undefined && say(frame, 'ending.yourself', words)}</p>`
  return row(content, { mark: monogram(displayName, { hueBy: name }) })
}

/** “Google (Work)”. */
const fullName = ({ displayName, label }: ConnectedView): Html => html`${said(displayName)} (${said(label)})`

function words(view: AccountConnectionsView, account: ConnectedView): Html {
  const { frame } = view
  const { address, health } = account
  const line = joined([...(address === undefined ? [] : [maskedAddress(address)]), use(frame, account)], ' · ')
  const reason = reasonOf(frame, account)
  const mayReconnect = (health === 'reconnect_required' || health === 'expiring') && !view.unproven
  return html`<b>${said(account.displayName)}</b> · ${said(account.label)}
<p class="small soft">${line}</p>
<div class="badges">${badges(frame, account)}</div>
${reason && html`<p class="small">${reason}</p>`}${mayReconnect && reconnect(view, account)}`
}

function use(frame: PageFrame, { lastUsedAt, connectedAt, lastAgent }: ConnectedView): Html {
  if (lastUsedAt === undefined) return say(frame, 'connected.unused', { day: day(frame, connectedAt) })
  const on = { day: day(frame, lastUsedAt) }
  return lastAgent === undefined
    ? say(frame, 'connected.used', on)
    : say(frame, 'connected.used-by', { ...on, agent: lastAgent })
}

function badges(frame: PageFrame, { isDefault, agents, signsIn, displayName, ...account }: ConnectedView) {
  const [agent] = agents
  return [
    account.health === 'reconnect_required' && badge(say(frame, 'connected.badge.reconnect'), 'warn'),
    account.health === 'expiring' && badge(say(frame, 'connected.badge.expiring'), 'warn'),
    account.health === 'provider_unavailable' &&
      badge(say(frame, 'connected.badge.down', { connection: displayName }), 'warn'),
    !account.isActive && badge(say(frame, 'connected.badge.off'), 'warn'),
    isDefault && badge(say(frame, 'connected.badge.default', { connection: displayName }), 'ok'),
    agents.length > 1 && badge(say(frame, 'connected.badge.used-by-many', { count: agents.length })),
    agents.length === 1 && agent !== undefined && badge(say(frame, 'connected.badge.used-by', { agent })),
    signsIn && badge(say(frame, 'connected.badge.sign-in')),
  ]
}

function reasonOf(frame: PageFrame, { health, isActive, displayName, end }: ConnectedView): Html | undefined {
  if (!isActive) return say(frame, 'connected.off.text', { tenant: frame.tenantName })
  if (health === 'reconnect_required') return say(frame, 'connected.reconnect.text', { connection: displayName })
  if (health === 'expiring' && end !== undefined)
    return say(frame, `connected.ends.${end.why}`, { at: moment(frame, end.at), connection: displayName })
  return health === 'provider_unavailable' ? say(frame, 'connected.down.text') : undefined
}

function reconnect({ frame, forms }: AccountConnectionsView, account: ConnectedView): Html {
  const { connection, id } = account
  const words = html`${say(frame, 'connected.reconnect')}<span class="sr"> ${fullName(account)}</span>`
  const marks = { name: 'link', connection, hidden: { connection, account: id } }
  return form(forms.link, marks, button('link', words, { small: true }))
}

function changes(view: AccountConnectionsView, account: ConnectedView): Html {
  const { frame, forms } = view
  const { id, connection, label, hasSiblings, isDefault } = account
  const hidden = { account: id }
  const labelId = `label-${id}`
  const labelForm = form(
    forms.label,
    { name: 'label', account: id, hidden, inline: true },
    html`<div class="field"><label for="${labelId}">${say(frame, 'connected.label')}</label><input id="${labelId}" name="label" type="text" value="${plainText(label)}" maxlength="${LABEL_LENGTH}" required aria-describedby="${labelId}-hint"></div>${button('continue', say(frame, 'connected.label.save'))}`,
  )
  const mark = say(frame, 'connected.default')
  const replace = { name: 'replace', account: id, hidden: { connection, account: id } }
  return html`${labelForm}
<p class="small soft" id="${labelId}-hint">${say(frame, 'connected.label.hint')}</p>
${
  hasSiblings &&
  !isDefault &&
  form(forms.setDefault, { name: 'set-default', account: id, hidden }, button('continue', mark, { small: true }))
}
${
  account.isTyped &&
  account.isActive &&
  form(view.forms.link, replace, button('link', say(frame, 'connected.typed.replace'), { small: true }))
}
<p>${ends(frame, account)}</p>
${form(
  forms.disconnect,
  { name: 'disconnect', connection, account: id, hidden },
  button('confirm', say(frame, 'connected.disconnect', { label: fullName(account) }), { small: true, tone: 'end' }),
)}`
}

function ends(frame: PageFrame, { displayName, agents, signsIn, isTyped }: ConnectedView): Html {
  const names = agents.map((agent) => html`<b>${said(agent)}</b>`)
  const sentences = [
    say(frame, isTyped ? 'connected.end.typed' : 'connected.end', { connection: displayName }),
    ...(names.length === 0 ? [] : [say(frame, 'connected.end.agents', { agents: listOf(frame, names) })]),
    ...(signsIn ? [say(frame, 'connected.end.sign-in')] : []),
  ]
  return joined(sentences, ' ')
}
