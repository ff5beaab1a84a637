// The programs that act for a person: which accounts each used, how often this week, and the way to stop it.
import type { AgentPolicy } from '../../domain/agent-policy.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { type AccountFrame, accountHeading, renderAccountPage } from './account-frame.ts'
import { agentRules } from './agent-rules.ts'
import { badge, button, buttonLink, dots, facts, monogram, row, rows, section } from './components.ts'
import { longDay, moment, timeOfDay, weekday } from './dates.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, listOf, pluralKey, say, sayPlain } from './locale.ts'
import { type Ability, type AskedScope, describeScopes } from './scopes.ts'
import { plainText, said } from './text.ts'

export interface AccountAgentsView extends AccountFrame {
  /** The one used last comes first. */
  readonly agents: readonly AgentView[]
  /** Questions that nobody has answered yet, the newest first. */
  readonly waiting: readonly WaitingView[]
  readonly forms: { readonly stop: FormTarget; readonly resume: FormTarget }
}

export interface WaitingView {
  /** Where the question stands. */
  readonly path: string
  readonly name: string
  readonly askedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

export interface AgentView {
  readonly clientId: string
  readonly name: string
  readonly description: string | undefined
  readonly firstParty: boolean
  readonly lastUsedAt: EpochSeconds | undefined
  readonly accounts: readonly AgentAccount[]
  readonly scopes: readonly AskedScope[]
  readonly last: { readonly account: AgentAccount; readonly purpose: string } | undefined
  /** Seven days, the oldest first. */
  readonly week: readonly { readonly at: EpochSeconds; readonly count: number }[]
  readonly stoppedAt: EpochSeconds | undefined
  /** What the operator's policy lets it do; undefined without one. */
  readonly rules: AgentPolicy | undefined
}

export interface AgentAccount {
  readonly connection: string
  /** Undefined when it is not connected any more. */
  readonly label: string | undefined
}

export function renderAccountAgents(view: AccountAgentsView): Html {
  const { frame, agents } = view
  const content = html`${accountHeading(view, say(frame, 'agents.heading'), say(frame, 'agents.lead'))}
${view.waiting.length > 0 && waitingSection(view)}
${
  agents.length === 0
    ? html`<div class="sheet"><p>${say(frame, 'agents.none')}</p></div>`
    : agents.map((agent, at) => agentSection(view, agent, `agent-${at}`))
}`
  return renderAccountPage(view, { page: 'account-agents', title: sayPlain(frame, 'agents.title'), content })
}

function waitingSection({ frame, waiting }: AccountAgentsView): Html {
  const items = waiting.map(({ path, name, askedAt, expiresAt }) => {
    const times = { asked: moment(frame, askedAt), until: moment(frame, expiresAt) }
    const words = html`${say(frame, 'agents.waiting.open')}<span class="sr"> ${said(name)}</span>`
    return row(say(frame, 'agents.waiting.line', { app: name, ...times }), {
      mark: monogram(name),
      side: buttonLink(path, words, { small: true }),
    })
  })
  return section('waiting', say(frame, 'agents.waiting'), rows(items))
}

function agentSection(view: AccountAgentsView, agent: AgentView, id: string): Html {
  const { frame } = view
  const { name, clientId, firstParty, lastUsedAt, stoppedAt, description } = agent
  const maker = say(frame, firstParty ? 'agents.by-tenant' : 'agents.by-others', { tenant: frame.tenantName })
  const used =
    lastUsedAt === undefined
      ? say(frame, 'agents.not-used')
      : say(frame, 'agents.last-used', { day: day(frame, lastUsedAt), time: timeOfDay(frame, lastUsedAt) })
  return html`<section class="sheet stack" aria-labelledby="${id}">
<div class="chip">${monogram(name, { hueBy: clientId })}<div><h2 id="${id}">${said(name)}</h2><p class="small soft">${maker} · ${used}</p></div></div>
${description !== undefined && html`<p class="small">${said(description, 256)}</p>`}
<div class="cols">${facts(factsOf(frame, agent))}${week(frame, agent, id)}</div>
${agent.rules !== undefined && agentRules(frame, agent.rules)}
${stoppedAt === undefined ? stopping(view, agent) : stopped(view, agent, stoppedAt)}
</section>
`
}

const accountName = (frame: PageFrame, { connection, label }: AgentAccount): Html =>
  label === undefined ? said(connection) : say(frame, 'agents.account', { connection, label })

function factsOf(frame: PageFrame, { accounts, scopes, last }: AgentView) {
  const list: (readonly [HtmlValue, HtmlValue])[] = []
  const names = accounts.map((one) => accountName(frame, one))
  if (names.length > 0) list.push([say(frame, 'agents.uses'), listOf(frame, names)])
  const may = abilitiesOf(frame, scopes)
  if (may.length > 0) list.push([say(frame, 'agents.may'), joined(may, html`<br>`)])
  if (last !== undefined) {
    const account = accountName(frame, last.account)
    const words = say(frame, 'agents.last.for', { account, purpose: said(last.purpose, 256) })
    list.push([say(frame, 'agents.last'), last.purpose === '' ? account : words])
  }
  return list
}

const GROUPS = ['read', 'change', 'danger', 'other'] as const

/** In plain words, the harmless first; what nobody can say in words stays a word of the provider's. */
function abilitiesOf(frame: PageFrame, scopes: readonly AskedScope[]): readonly Html[] {
  const { items } = describeScopes(scopes)
  return GROUPS.flatMap((group) => {
    const words = items.filter((item) => item.group === group).map((item) => abilityWords(frame, item))
    return words.length === 0 ? [] : [say(frame, `agents.may.${group}`, { what: joined(words, '; ') })]
  })
}

function abilityWords(frame: PageFrame, { words }: Ability): Html {
  if ('key' in words) return say(frame, words.key)
  return 'scope' in words ? html`<bdi><code>${plainText(words.scope, 120)}</code></bdi>` : said(words.description)
}

const WIDTH = 28
const STEP = 40
const TALLEST = 48
const GROUND = 64

/** Numbers stand on the bars; the same as a table stands beneath. */
function week(frame: PageFrame, { week: days, name }: AgentView, id: string): Html {
  const total = days.reduce((sum, { count }) => sum + count, 0)
  const most = Math.max(1, ...days.map(({ count }) => count))
  const title = say(frame, pluralKey(frame, 'agents.week', total), { count: total })
  const bars = days.map(({ at, count }, index) => {
    const height = Math.max(1, Math.round((count / most) * TALLEST))
    const [x, y] = [4 + index * STEP, GROUND - height]
    return html`<rect x="${x}" y="${y}" width="${WIDTH}" height="${height}" rx="2"/><text x="${x + 14}" y="${y - 6}" text-anchor="middle">${count}</text><text x="${x + 14}" y="79" text-anchor="middle">${weekday(frame, at)}</text>`
  })
  const lines = days.map(({ at, count }) => html`<tr><th scope="row">${longDay(frame, at)}</th><td>${count}</td></tr>`)
  return html`<figure aria-labelledby="${id}-week"><figcaption class="small" id="${id}-week">${title}</figcaption>
<svg class="bars" viewBox="0 0 280 84" aria-hidden="true">${bars}</svg>
<details class="small"><summary>${say(frame, 'agents.table')}<span class="sr"> ${said(name)}</span></summary><table><caption class="sr">${say(frame, 'agents.table.caption', { agent: name })}</caption><thead><tr><th scope="col">${say(frame, 'agents.table.day')}</th><th scope="col">${say(frame, 'agents.table.uses')}</th></tr></thead><tbody>${lines}</tbody></table></details></figure>`
}

function stopping({ frame, forms }: AccountAgentsView, { name, clientId, accounts }: AgentView): Html {
  const ends = accounts.map((one) => say(frame, 'agents.stop.account', { account: accountName(frame, one) }))
  const submit = button('stop', say(frame, 'agents.stop.submit', { agent: name }), { tone: 'end' })
  const marks = { name: 'stop-agent', client: clientId, hidden: { client: clientId } }
  return html`<details><summary class="btn s end">${say(frame, 'agents.stop')}<span class="sr"> ${said(name)}</span></summary><div class="panel stack">
<h3>${say(frame, 'agents.stop.title', { agent: name })}</h3>
${dots(ends.length === 0 ? [say(frame, 'agents.stop.all')] : ends)}
<p class="small soft">${say(frame, 'agents.stop.after')}</p>
${form(forms.stop, marks, html`<div class="line">${submit}<a href="/account/agents">${say(frame, 'agents.stop.keep')}</a></div>`)}
</div></details>`
}

function stopped({ frame, forms }: AccountAgentsView, { name, clientId }: AgentView, at: EpochSeconds): Html {
  const words = say(frame, 'agents.resume', { agent: name })
  const marks = { name: 'resume-agent', client: clientId, hidden: { client: clientId } }
  return html`<div class="badges">${badge(say(frame, 'agents.stopped', { day: day(frame, at) }), 'stop')}</div>
<p class="small">${say(frame, 'agents.stopped.effect')}</p>
${form(forms.resume, marks, button('continue', words, { small: true }))}`
}
