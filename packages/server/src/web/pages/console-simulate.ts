// What a policy for sign-ins would do with the present users, before it is turned on.
import type { SimulatedOutcome } from '../../accounts/simulate-policy.ts'
import type { LinkPolicy } from '../../domain/settings.ts'
import { badge, buttonLink, section } from './components.ts'
import { type ConsoleFrame, id, pageLinks, renderConsolePage, table, type UserName, userCell } from './console-frame.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { pluralKey, say, sayPlain } from './locale.ts'
import { said } from './text.ts'

export interface ConsoleSimulateView extends ConsoleFrame {
  readonly present: LinkPolicy
  readonly chosen: LinkPolicy
  /** Undefined before anything was asked. */
  readonly result: SimulationView | undefined
}

export interface SimulationView {
  readonly examined: number
  /** Groups of alike addresses that this page looked at, counted from 1, and all there are. */
  readonly groups: { readonly from: number; readonly to: number; readonly total: number }
  readonly nextUrl: string | undefined
  readonly firstUrl: string | undefined
  readonly outcomes: readonly SimulatedOutcome[]
  /** Joins and suggestions. */
  readonly found: readonly FoundView[]
  /** A single group was longer than the list. */
  readonly isListCut: boolean
}

export interface FoundView {
  readonly decision: 'join' | 'suggest'
  readonly rule: string
  readonly connection: string | undefined
  readonly newcomer: UserName
  readonly older: UserName
}

export const LINK_POLICIES = ['off', 'suggest', 'auto_when_authoritative'] as const satisfies readonly LinkPolicy[]

export function renderConsoleSimulate(view: ConsoleSimulateView): Html {
  const { frame, chosen, result } = view
  const content = html`${policyForm(view)}
${result && section('result', say(frame, 'console.simulate.result', { policy: say(frame, `console.policy.${chosen}`) }), outcomes(frame, result))}
${result && result.found.length > 0 && section('found', say(frame, 'console.simulate.found'), found(frame, result))}
${result && pageLinks(sayPlain(frame, 'console.nav.simulate'), partLinks(frame, result))}`
  return renderConsolePage(view, {
    page: 'console-simulate',
    title: sayPlain(frame, 'console.nav.simulate'),
    heading: say(frame, 'console.simulate.title'),
    lead: say(frame, 'console.simulate.lead'),
    content,
  })
}

function policyForm({ frame, present, chosen }: ConsoleSimulateView): Html {
  const option = (policy: LinkPolicy) => {
    const words = sayPlain(frame, `console.policy.${policy}`)
    return html`<option value="${policy}"${policy === chosen && html` selected`}>${policy === present ? sayPlain(frame, 'console.simulate.now', { policy: words }) : words}</option>`
  }
  return html`<form class="sheet inline" method="get" action="/console/simulate" role="search" aria-label="${sayPlain(frame, 'console.simulate.title')}">
<div class="field"><label for="policy">${say(frame, 'console.simulate.policy')}</label><select id="policy" name="policy">${LINK_POLICIES.map(option)}</select></div>
<button class="btn go"><span>${say(frame, 'console.simulate.do')}</span></button>
</form>`
}

const partLinks = (frame: PageFrame, { firstUrl, nextUrl }: SimulationView) => [
  firstUrl !== undefined && buttonLink(firstUrl, say(frame, 'console.simulate.first'), { small: true }),
  nextUrl !== undefined && buttonLink(nextUrl, say(frame, 'console.simulate.next'), { small: true }),
]

function outcomes(frame: PageFrame, { examined, groups, firstUrl, nextUrl, outcomes: all }: SimulationView): Html {
  const number = (count: number) => new Intl.NumberFormat(frame.locale.formats).format(count)
  const isPart = firstUrl !== undefined || nextUrl !== undefined
  const rows = all.map(
    ({ decision, rule, reason, count }) =>
      html`<tr><th scope="row">${say(frame, `console.decision.${decision}`)}</th><td class="num">${number(count)}</td><td>${id(rule)}</td><td>${say(frame, `console.reason.${reason}`)}</td></tr>`,
  )
  const columns = [
    say(frame, 'console.user.decision'),
    say(frame, 'console.simulate.count'),
    say(frame, 'console.user.rule'),
    say(frame, 'console.simulate.reason'),
  ]
  return html`<p>${say(frame, pluralKey(frame, 'console.simulate.examined', examined), { count: examined })}${isPart && html` <b>${say(frame, 'console.simulate.part', { from: number(groups.from), to: number(groups.to), total: number(groups.total) })}</b>`}</p>
${rows.length > 0 && table('result', columns, rows)}`
}

function found(frame: PageFrame, { found: all, isListCut }: SimulationView): Html {
  const rows = all.map(({ decision, rule, connection, newcomer, older }) => {
    const at = connection === undefined ? say(frame, 'console.user.gone-connection') : said(connection)
    return html`<tr><th scope="row">${userCell(frame, newcomer)}</th><td>${at}</td><td>${badge(say(frame, `console.decision.${decision}`), decision === 'join' ? 'warn' : 'plain')} ${id(rule)}</td><td>${userCell(frame, older)}</td></tr>`
  })
  const columns = [
    say(frame, 'console.simulate.newcomer'),
    say(frame, 'console.user.connection'),
    say(frame, 'console.user.decision'),
    say(frame, 'console.simulate.older'),
  ]
  return html`${table('found', columns, rows)}
${isListCut && html`<p class="small soft">${say(frame, 'console.simulate.found.cut', { count: all.length })}</p>`}`
}
