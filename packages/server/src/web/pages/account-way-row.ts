// One way to sign in: what it is, and what ends when it is removed, said before the button.
import { type AccountConnectionsView, WAY_WORDS, type WayView } from './account-connections.ts'
import { badge, button, dots, maskedAddress, monogram, row } from './components.ts'
import { form } from './forms.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, listOf, pluralKey, say } from './locale.ts'
import { plainText, said } from './text.ts'

export function wayRow(view: AccountConnectionsView, way: WayView): Html {
  const { frame } = view
  const mark = way.kind === 'password' ? html`<span class="mono t2" aria-hidden="true">••</span>` : undefined
  return row(wayWords(frame, way), {
    mark: mark ?? monogram(way.displayName, { hueBy: way.connection }),
    side: way.isFirst ? undefined : removal(view, way),
  })
}

function wayWords(frame: PageFrame, way: WayView): Html {
  const { lastUsedAt, addedAt, address, isFirst, isUsable, remaining } = way
  const times = [
    lastUsedAt === undefined
      ? say(frame, 'ways.never-used')
      : say(frame, 'ways.last-used', { day: day(frame, lastUsedAt) }),
    say(frame, 'ways.added', { day: day(frame, addedAt) }),
  ]
  const line = joined([...(address === undefined ? [] : [maskedAddress(address)]), ...times], ' · ')
  const badges = [
    way.carriesMain && badge(say(frame, 'ways.badge.main')),
    isUsable && remaining === 0 && badge(say(frame, 'ways.badge.last'), 'warn'),
    isFirst && badge(say(frame, 'ways.badge.first')),
    !isUsable && badge(say(frame, 'ways.badge.off'), 'warn'),
  ]
  return html`<b>${titleOf(frame, way)}</b>${way.name !== undefined && html` · ${said(way.name)}`}
<p class="small soft">${line}</p>
${badges.some(Boolean) && html`<div class="badges">${badges}</div>`}
${!isUsable && html`<p class="small">${say(frame, 'ways.off', { tenant: frame.tenantName })}</p>`}${
  isFirst && html`<p class="small">${say(frame, 'ways.first')}</p>`
}`
}

const titleOf = (frame: PageFrame, way: WayView): Html =>
  way.kind === 'connection' ? said(way.displayName) : say(frame, WAY_WORDS[way.kind])

/** “Google (ada)”: the account by its own name, as the button says it. */
function fullName(frame: PageFrame, way: WayView): Html {
  const title = titleOf(frame, way)
  return way.name === undefined ? title : html`${title} (${said(way.name)})`
}

function removal(view: AccountConnectionsView, way: WayView): Html {
  const { frame } = view
  const panel = way.isUsable && way.remaining === 0 ? lastWay(frame, way) : effects(view, way)
  const naming = way.passkey !== undefined && labelForm(view, way.passkey, way.name ?? '')
  const words = say(frame, naming ? 'connected.change' : 'ways.remove')
  return html`<details><summary class="side btn s">${words}<span class="sr"> ${fullName(frame, way)}</span></summary><div class="panel stack">
${naming}
${panel}
</div></details>`
}

/** What a passkey is called, so that one knows it again. */
const labelForm = ({ frame, forms }: AccountConnectionsView, passkey: string, label: string): Html =>
  form(
    forms.passkeyLabel,
    { name: 'passkey-label', inline: true, hidden: { passkey } },
    html`<div class="field"><label for="label-${passkey}">${say(frame, 'passkey.label')}</label><input id="label-${passkey}" name="label" type="text" maxlength="40" required value="${plainText(label)}"></div>
${button('label', say(frame, 'passkey.label.save'))}`,
  )

const lastWay = (frame: PageFrame, way: WayView): Html =>
  html`<h3>${say(frame, 'ways.last.title', { name: fullName(frame, way) })}</h3><p>${say(frame, 'ways.last.text')}</p>`

function effects({ frame, forms }: AccountConnectionsView, way: WayView): Html {
  const name = fullName(frame, way)
  const ends: HtmlValue[] = [say(frame, 'ways.remove.sign-in'), say(frame, 'ways.remove.sessions')]
  if (way.agents.length > 0) {
    const agents = listOf(
      frame,
      way.agents.map((agent) => html`<b>${said(agent)}</b>`),
    )
    ends.push(say(frame, 'ways.remove.agents', { agents }))
  }
  if (way.address !== undefined && way.kind === 'connection')
    ends.push(say(frame, 'ways.remove.address', { address: maskedAddress(way.address) }))
  const remain = say(frame, pluralKey(frame, 'ways.remove.remain', way.remaining), { count: way.remaining })
  const upstream = way.keepsTokens && say(frame, 'ways.remove.upstream', { connection: way.displayName })
  const submit = button('confirm', say(frame, 'ways.remove.submit', { name }), { tone: 'end' })
  const marks = { name: 'unlink', identity: way.identity, hidden: { identity: way.identity } }
  return html`<h3>${say(frame, 'ways.remove.title', { name })}</h3>
${dots(ends)}
<p>${remain} ${upstream}</p>
${form(forms.unlink, marks, html`<div class="line">${submit}<a href="/account/connections">${say(frame, 'ways.keep')}</a></div>`)}`
}
