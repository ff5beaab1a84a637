// Agents, as an operator sees them: the rules of each in sentences, who uses it, what it was refused, what a policy would do.
import type { AgentPolicy, PolicyDecision } from '../../domain/agent-policy.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { ruleFacts } from './agent-rules.ts'
import { badge, buttonLink, facts, notice, section, softLine, textLink } from './components.ts'
import {
  type ConsoleFrame,
  emptySheet,
  id,
  number,
  pageLinks,
  renderConsolePage,
  table,
  type UserName,
  userCell,
} from './console-frame.ts'
import { moment } from './dates.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { listOf, pluralKey, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export type PolicyState = 'none' | 'observe' | 'enforce'

interface UseCounts {
  /** Different ones whose accounts were used. */
  readonly people: number
  readonly uses: number
  readonly refused: number
  /** Uses that a policy which is only observed would have refused, or asked about. */
  readonly observed: number
  readonly lastAt: EpochSeconds | undefined
}

export interface ConsoleAgentsView extends ConsoleFrame {
  readonly agents: readonly AgentRow[]
  readonly nextUrl: string | undefined
  readonly firstUrl: string | undefined
}

export interface AgentRow extends UseCounts {
  readonly clientId: string
  readonly name: string
  readonly policy: PolicyState
}

const TONES = { none: 'plain', observe: 'warn', enforce: 'ok' } as const

export function renderConsoleAgents(view: ConsoleAgentsView): Html {
  const { frame, agents, nextUrl, firstUrl } = view
  const content = html`${
    agents.length === 0
      ? emptySheet(say(frame, 'console.agents.none'))
      : html`<section class="stack" aria-labelledby="agents"><h2 class="sr" id="agents">${say(frame, 'console.nav.agents')}</h2>${agentTable(view)}</section>
${softLine(say(frame, 'console.agents.lately'))}`
  }
${pageLinks(sayPlain(frame, 'console.nav.agents'), [
  firstUrl !== undefined && buttonLink(firstUrl, say(frame, 'console.agents.first'), { small: true }),
  nextUrl !== undefined && buttonLink(nextUrl, say(frame, 'console.agents.next'), { small: true }),
])}`
  return renderConsolePage(view, {
    page: 'console-agents',
    title: sayPlain(frame, 'console.nav.agents'),
    heading: say(frame, 'console.nav.agents'),
    lead: say(frame, 'console.agents.lead'),
    content,
  })
}

const agentPath = (clientId: string): string => `/console/agents/${encodeURIComponent(clientId)}`

function agentTable({ frame, agents }: ConsoleAgentsView): Html {
  const rows = agents.map(({ clientId, name, policy, people, uses, refused, observed, lastAt }) => {
    const would =
      observed > 0 &&
      html`<br><span class="small soft">${say(frame, 'console.agents.would', { count: observed })}</span>`
    return html`<tr><th scope="row">${textLink(agentPath(clientId), said(name))}<br>${id(clientId)}</th><td>${badge(say(frame, `console.agents.policy.${policy}`), TONES[policy])}</td><td>${number(frame, people)}</td><td>${number(frame, uses)}</td><td>${number(frame, refused)}${would}</td><td class="nowrap">${lastAt === undefined ? say(frame, 'console.never') : moment(frame, lastAt)}</td></tr>`
  })
  const columns = [
    say(frame, 'console.agents.agent'),
    say(frame, 'console.agents.policy'),
    say(frame, 'console.agents.people'),
    say(frame, 'console.agents.uses'),
    say(frame, 'console.agents.refused'),
    say(frame, 'console.agents.last'),
  ]
  return table('agents', columns, rows)
}

export interface ConsoleAgentView extends ConsoleFrame, UseCounts {
  readonly clientId: string
  readonly name: string
  readonly policy: PolicyState
  /** With connections under their shown names. */
  readonly rules: AgentPolicy | undefined
  /** Connections that are enabled for it. */
  readonly enabled: readonly string[]
  readonly refusals: readonly ReasonCount[]
  readonly observations: readonly ReasonCount[]
  readonly trial: AgentTrial
}

export interface ReasonCount {
  /** Of the refusal, with blanks between: code, reason, rule; or what an observed policy would have said. */
  readonly codes: string
  readonly count: number
  readonly lastAt: EpochSeconds
}

export interface AgentTrial {
  /** What stands in the field. */
  readonly text: string
  /** Why it was not taken. */
  readonly problem?: string
  readonly result?: TrialResult
}

export interface TrialResult {
  readonly examined: number
  /** The most frequent first. */
  readonly outcomes: readonly { readonly decision: PolicyDecision; readonly count: number }[]
  /** Uses that would have ended otherwise than they did, the newest first; `total` counts those that are not listed, too. */
  readonly changed: readonly ChangedUse[]
  readonly total: number
}

export interface ChangedUse {
  readonly at: EpochSeconds
  readonly user: UserName
  readonly connection: string | undefined
  readonly what: { readonly kind: 'token' | 'connect' } | { readonly kind: 'call'; readonly call: string }
  readonly was: 'ok' | 'refused'
  readonly decision: PolicyDecision
}

export function renderConsoleAgent(view: ConsoleAgentView): Html {
  const { frame, name, clientId, policy, refusals, observations } = view
  const content = html`${section('rules', say(frame, 'console.agent.rules'), rules(view))}
${section('lately', say(frame, 'console.agent.lately'), lately(view))}
${refusals.length > 0 && section('refused', say(frame, 'console.agent.refused'), reasonTable(frame, 'refused', refusals))}
${(policy === 'observe' || observations.length > 0) && section('observed', say(frame, 'console.agent.observed'), observed(view))}
${section('trial', say(frame, 'console.agent.trial'), trial(view))}
${softLine(say(frame, 'console.user.utc'))}`
  return renderConsolePage(view, {
    page: 'console-agent',
    title: plainText(name),
    heading: said(name),
    lead: id(clientId),
    badges: badge(say(frame, `console.agents.policy.${policy}`), TONES[policy]),
    content,
  })
}

function rules({ frame, rules: policy, enabled, policy: state }: ConsoleAgentView): Html {
  const names = enabled.map((name) => html`<b>${said(name)}</b>`)
  const where =
    names.length === 0
      ? say(frame, 'console.agent.enabled.none')
      : say(frame, 'console.agent.enabled', { connections: listOf(frame, names) })
  const list = policy === undefined ? [] : ruleFacts(frame, policy, 'operator')
  return html`<p>${where} ${say(frame, `console.agent.rules.${list.length === 0 && state !== 'none' ? 'empty' : state}`)}</p>
${list.length > 0 && facts(list, 'sheet')}`
}

function lately({ frame, people, uses, refused, lastAt }: ConsoleAgentView): Html {
  return html`${facts(
    [
      [say(frame, 'console.agents.people'), number(frame, people)],
      [say(frame, 'console.agents.uses'), number(frame, uses)],
      [say(frame, 'console.agents.refused'), number(frame, refused)],
      [say(frame, 'console.agents.last'), lastAt === undefined ? say(frame, 'console.never') : moment(frame, lastAt)],
    ],
    'sheet',
  )}
${softLine(say(frame, 'console.agents.lately'))}`
}

const REASONS = [
  'connection_not_in_policy',
  'outside_hours',
  'connect_not_in_policy',
  'proxy_only',
  'scope_not_in_policy',
  'token_exceeds_policy',
  'method_not_in_policy',
  'rate_in_policy',
  'approval',
  'approval_pending',
  'approval_denied',
  'approval_used',
  'denied_lately',
  'too_many_pending',
  'not_showable',
  'agent_stopped',
  'host_not_allowed',
  'connection_not_enabled',
  'client_denied',
  'not_connected',
  'scope_missing',
  'reconnect_required',
  'provider_unavailable',
] as const

/** A sentence for those that have one; whatever it is, the codes as the API says them. */
function reasonWords(frame: PageFrame, codes: string): Html {
  const words = codes.split(' ')
  const known = REASONS.findLast((one) => words.includes(one))
  return html`${known !== undefined && html`${say(frame, `console.agents.why.${known}`)}<br>`}${id(codes)}`
}

function reasonTable(frame: PageFrame, labelledBy: string, reasons: readonly ReasonCount[]): Html {
  const rows = reasons.map(
    ({ codes, count, lastAt }) =>
      html`<tr><th scope="row">${reasonWords(frame, codes)}</th><td>${number(frame, count)}</td><td class="nowrap">${moment(frame, lastAt)}</td></tr>`,
  )
  const columns = [
    say(frame, 'console.simulate.reason'),
    say(frame, 'console.simulate.count'),
    say(frame, 'console.agents.last'),
  ]
  return table(labelledBy, columns, rows)
}

function observed({ frame, observations, uses }: ConsoleAgentView): Html {
  if (observations.length === 0) return emptySheet(say(frame, 'console.agent.observed.none'))
  const count = observations.reduce((sum, one) => sum + one.count, 0)
  return html`<p>${say(frame, 'console.agent.observed.lead', { count, uses })}</p>
${reasonTable(frame, 'observed', observations)}`
}

function trial({ frame, clientId, trial: { text, problem, result } }: ConsoleAgentView): Html {
  const wrong =
    problem !== undefined &&
    notice(
      html`<p>${say(frame, 'console.agent.trial.wrong')}</p><ul>${problem.split('\n').map((line) => html`<li>${id(line)}</li>`)}</ul>`,
      { tone: 'warn', announce: true },
    )
  return html`<p class="soft">${say(frame, 'console.agent.trial.lead')}</p>
${wrong}
<form class="sheet stack" method="get" action="${agentPath(clientId)}" role="search" aria-label="${sayPlain(frame, 'console.agent.trial')}">
<div class="field"><label for="policy">${say(frame, 'console.agent.trial.policy')}</label><textarea id="policy" name="policy" rows="12" spellcheck="false" autocapitalize="none" aria-describedby="policy-hint">
${text}</textarea></div>
<p class="hint" id="policy-hint">${say(frame, 'console.agent.trial.hint')}</p>
<div class="line"><button class="btn go"><span>${say(frame, 'console.simulate.do')}</span></button></div>
</form>
${result && trialResult(frame, result)}`
}

function trialResult(frame: PageFrame, { examined, outcomes, changed, total }: TrialResult): Html {
  const rows = outcomes.map(
    ({ decision, count }) =>
      html`<tr><th scope="row">${badge(say(frame, `console.agents.decision.${decision.kind}`), decision.kind === 'allow' ? 'ok' : 'warn')}</th><td>${number(frame, count)}</td><td>${id(decision.rule)}</td><td>${decisionWords(frame, decision)}</td></tr>`,
  )
  const columns = [
    say(frame, 'console.user.decision'),
    say(frame, 'console.simulate.count'),
    say(frame, 'console.user.rule'),
    say(frame, 'console.simulate.reason'),
  ]
  return html`<div class="stack" role="status" tabindex="-1" autofocus>
<h3 id="outcomes">${say(frame, 'console.agent.trial.outcomes')}</h3>
<p>${say(frame, pluralKey(frame, 'console.agent.trial.examined', examined), { count: examined })} <b>${say(frame, pluralKey(frame, 'console.agent.trial.changed', total), { count: total })}</b></p>
${rows.length > 0 && table('outcomes', columns, rows)}
</div>
${changed.length > 0 && changedTable(frame, changed, total)}`
}

function decisionWords(frame: PageFrame, decision: PolicyDecision): HtmlValue {
  if (decision.kind === 'allow') return say(frame, 'console.agents.why.allowed')
  return say(frame, `console.agents.why.${decision.kind === 'ask' ? 'approval' : decision.reason}`)
}

function changedTable(frame: PageFrame, changed: readonly ChangedUse[], total: number): Html {
  const rows = changed.map(({ at, user, connection, what, was, decision }) => {
    const name = connection === undefined ? say(frame, 'console.user.gone-connection') : said(connection)
    const words =
      what.kind === 'call'
        ? html`<bdi><code>${plainText(what.call)}</code></bdi>`
        : say(frame, `console.agents.use.${what.kind}`)
    return html`<tr><th scope="row" class="nowrap">${moment(frame, at)}</th><td>${userCell(frame, user)}</td><td>${joined([name, words], html`<br>`)}</td><td>${say(frame, `console.agents.was.${was}`)}</td><td>${say(frame, `console.agents.decision.${decision.kind}`)}: ${decisionWords(frame, decision)}</td></tr>`
  })
  const columns = [
    say(frame, 'console.user.when'),
    say(frame, 'console.column.user'),
    say(frame, 'console.agents.use'),
    say(frame, 'console.agents.was'),
    say(frame, 'console.agents.would-be'),
  ]
  return html`<h3 id="changed">${say(frame, 'console.agent.trial.list')}</h3>
${table('changed', columns, rows)}
${changed.length < total && softLine(say(frame, 'console.simulate.found.cut', { count: changed.length }))}`
}
