// What the operator's policy lets an agent do, in sentences. Connections stand in it under the names that are shown.
import type { AgentPolicy, ApprovalRule, ConnectionRule } from '../../domain/agent-policy.ts'
import { shownMinutes, WEEK_DAYS, type WeekHours } from '../../lib/week-hours.ts'
import { dots, facts } from './components.ts'
import { weekday } from './dates.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { listOf, pluralKey, say } from './locale.ts'
import { plainText, said } from './text.ts'

/** Folded away: most people want to know that there are rules, some what they are. */
export function agentRules(frame: PageFrame, rules: AgentPolicy): Html {
  const list = ruleFacts(frame, rules, 'person')
  if (list.length === 0) return html``
  return html`<details class="small"><summary>${say(frame, 'agents.rules', { tenant: frame.tenantName })}</summary>${facts(list)}</details>`
}

type Fact = readonly [HtmlValue, HtmlValue]

/** @param reader whose accounts it is about: the reader's own, or those of the people whom an operator cares for. */
export function ruleFacts(
  frame: PageFrame,
  { connections, hours, perMinute, mayConnect, access, approvals }: AgentPolicy,
  reader: 'person' | 'operator',
): readonly Fact[] {
  const list: Fact[] = []
  if (connections !== undefined) list.push([say(frame, 'agents.rules.connections'), connectionsOf(frame, connections)])
  if (access === 'proxy')
    list.push([say(frame, 'agents.rules.keys'), say(frame, `agents.rules.all-through-us.${reader}`)])
  if (hours !== undefined) list.push([say(frame, 'agents.rules.hours'), hoursOf(frame, hours)])
  if (perMinute !== undefined) {
    const often = say(frame, pluralKey(frame, 'agents.rules.rate', perMinute), { count: perMinute })
    list.push([say(frame, 'agents.rules.rate'), often])
  }
  if (!mayConnect) list.push([say(frame, 'agents.rules.connect'), say(frame, `agents.rules.connect.no.${reader}`)])
  if (approvals.length > 0)
    list.push([say(frame, `agents.rules.asks.${reader}`), dots(approvals.map((rule) => askedFirst(frame, rule)))])
  return list
}

function connectionsOf(frame: PageFrame, connections: readonly ConnectionRule[]): Html {
  if (connections.length === 0) return say(frame, 'agents.rules.connections.none')
  return dots(
    connections.map(({ connection, scopes, access, methods }) => {
      const limits = [
        scopes && say(frame, 'agents.rules.scopes', { scopes: codes(scopes) }),
        methods && say(frame, 'agents.rules.methods', { methods: codes(methods) }),
        access === 'proxy' ? say(frame, 'agents.rules.proxy') : undefined,
      ].filter((one) => one !== undefined)
      if (limits.length === 0) return said(connection)
      return say(frame, 'agents.rules.connection', { connection: said(connection), limits: listOf(frame, limits) })
    }),
  )
}

const codes = (words: readonly string[]): Html =>
  words.length === 0
    ? html`–`
    : joined(
        words.map((word) => html`<bdi><code>${plainText(word, 120)}</code></bdi>`),
        ' ',
      )

function hoursOf(frame: PageFrame, { days, from, to, timeZone }: WeekHours): Html {
  const calendar = { ...frame, timeZone: 'UTC' }
  const names = days.map((day) => weekday(calendar, MONDAY + WEEK_DAYS.indexOf(day) * DAY_SECONDS))
  const times = { from: shownMinutes(from), to: shownMinutes(to), zone: said(timeZone) }
  if (days.length === WEEK_DAYS.length) return say(frame, 'agents.rules.hours.daily', times)
  return say(frame, 'agents.rules.hours.yes', { days: listOf(frame, names), ...times })
}

/** 1 January 2024, which was a Monday. */
const MONDAY = 1_704_067_200
const DAY_SECONDS = 86_400

function askedFirst(frame: PageFrame, { connection, scopes, methods, paths }: ApprovalRule): Html {
  const parts: Html[] = []
  if (scopes !== undefined) parts.push(say(frame, 'agents.rules.asks.scopes', { scopes: codes(scopes) }))
  if (methods !== undefined || paths !== undefined)
    parts.push(say(frame, 'agents.rules.asks.calls', { calls: codes([...(methods ?? []), ...(paths ?? [])]) }))
  const what = parts.length === 0 ? say(frame, 'agents.rules.asks.all') : listOf(frame, parts)
  return connection === undefined ? what : say(frame, 'agents.rules.asks.with', { connection: said(connection), what })
}
