// One user, as an operator sees them: who they are, how each part came here, and why.

import type { LinkPolicy } from '../../domain/settings.ts'
import type { SignInDecision } from '../../domain/sign-in.ts'
import type { Health } from '../../domain/tokenset.ts'
import type { Grade } from '../../domain/user.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { badge, section, softLine } from './components.ts'
import { type ConsoleFrame, emptySheet, gradeWords, id, renderConsolePage, table } from './console-frame.ts'
import { type LinkView, linkCard } from './console-links.ts'
import { moment } from './dates.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export interface ConsoleUserView extends ConsoleFrame {
  readonly userId: string
  readonly name: string | undefined
  readonly blocked: boolean
  readonly createdAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
  readonly loginsCount: number
  readonly retiredIds: readonly string[]
  readonly identities: readonly IdentityView[]
  /** By address, the main one first. */
  readonly addresses: readonly AddressView[]
  /** Newest first. */
  readonly links: readonly LinkView[]
  readonly totalLinks: number
  readonly decisions: readonly DecisionView[]
  readonly accounts: readonly AccountView[]
  /** What the profile says besides the name. */
  readonly profile: readonly { readonly field: ProfileField; readonly value: string }[]
  /** Those that live, the newest first. */
  readonly sessions: readonly SessionView[]
  readonly stoppedAgents: number
}

export interface IdentityView {
  /** Undefined when the connection is gone. */
  readonly connection: string | undefined
  readonly subject: string
  readonly keepsTokens: boolean
  readonly came:
    | { readonly kind: 'first' | 'unknown' }
    | { readonly kind: 'joined'; readonly from: string; readonly rule: string }
    | { readonly kind: 'added'; readonly rule: string }
  readonly lastLogin: EpochSeconds | undefined
}

export interface AddressView {
  readonly address: string
  readonly isMain: boolean
  readonly evidence: readonly {
    readonly grade: Grade
    readonly source: 'mail' | 'operator' | 'self' | { readonly connection: string | undefined }
    readonly saidAt: EpochSeconds
  }[]
}

export interface DecisionView {
  readonly at: EpochSeconds
  readonly connection: string | undefined
  readonly decision: SignInDecision['kind']
  readonly rule: string
  readonly reason: SignInDecision['reason']
  readonly grade: Grade
  readonly policy: LinkPolicy
}

export const PROFILE_FIELDS = ['nickname', 'username', 'givenName', 'familyName', 'phoneNumber'] as const
export type ProfileField = (typeof PROFILE_FIELDS)[number]

export interface SessionView {
  readonly startedAt: EpochSeconds
  readonly provenAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly connection: string | undefined
}

export interface AccountView {
  readonly id: string
  readonly connection: string | undefined
  readonly label: string
  readonly health: Health
  readonly scopes: readonly string[]
}

export function renderConsoleUser(view: ConsoleUserView): Html {
  const { frame, name, blocked } = view
  const content = html`<div class="cols">
<div class="stack">
${section('ids', say(frame, 'console.user.identities'), identities(view))}
${section('ev', say(frame, 'console.user.addresses'), addresses(view))}
${section('links', say(frame, 'console.user.links'), links(view))}
${section('accounts', say(frame, 'console.user.accounts'), accounts(view))}
${section('sessions', say(frame, 'console.user.sessions'), sessions(view))}
${section('decisions', say(frame, 'console.user.decisions'), decisions(view))}
</div>
<aside class="stack" aria-label="${sayPlain(frame, 'console.user.about')}">
${aboutUser(view)}
${joinForm(view)}
${softLine(say(frame, 'console.user.utc'))}
</aside>
</div>`
  const shown = name === undefined ? say(frame, 'console.nameless') : said(name)
  return renderConsolePage(view, {
    page: 'console-user',
    title: name === undefined ? sayPlain(frame, 'console.nameless') : plainText(name),
    heading: shown,
    badges: blocked ? badge(say(frame, 'console.blocked'), 'stop') : badge(say(frame, 'console.active'), 'ok'),
    content,
  })
}

/** The connection by its name, or that it is gone. */
export const connectionName = (frame: PageFrame, name: string | undefined): Html =>
  name === undefined ? say(frame, 'console.user.gone-connection') : said(name)

function identities({ frame, identities: all }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-identities'))
  const columns = [
    say(frame, 'console.user.connection'),
    say(frame, 'console.user.subject'),
    say(frame, 'console.user.purpose'),
    say(frame, 'console.user.came'),
    say(frame, 'console.column.last'),
  ]
  const rows = all.map(({ connection, subject, keepsTokens, came, lastLogin }) => {
    const purpose = say(frame, keepsTokens ? 'console.user.purpose.both' : 'console.user.purpose.sign-in')
    return html`<tr><th scope="row">${connectionName(frame, connection)}</th><td>${id(subject)}</td><td>${purpose}</td><td>${cameWords(frame, came)}</td><td class="nowrap">${lastLogin === undefined ? say(frame, 'console.never') : moment(frame, lastLogin)}</td></tr>`
  })
  return table('ids', columns, rows)
}

function cameWords(frame: PageFrame, came: IdentityView['came']): Html {
  switch (came.kind) {
    case 'joined':
      return say(frame, 'console.user.came.joined', { user: id(came.from), rule: id(came.rule) })
    case 'added':
      return say(frame, 'console.user.came.added', { rule: id(came.rule) })
    default:
      return say(frame, `console.user.came.${came.kind}`)
  }
}

function addresses({ frame, addresses: all }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-addresses'))
  const columns = [
    say(frame, 'console.user.address'),
    say(frame, 'console.user.evidence'),
    say(frame, 'console.user.who'),
    say(frame, 'console.user.when'),
  ]
  const rows = all.flatMap(({ address, isMain, evidence }) =>
    evidence.map((one, at) => {
      const head =
        at === 0 &&
        html`<th scope="row" rowspan="${evidence.length}">${said(address, 320)}${isMain && html` ${badge(say(frame, 'console.user.main'))}`}</th>`
      return html`<tr>${head}<td>${gradeWords(frame, one.grade)}</td><td>${sourceWords(frame, one.source)}</td><td class="nowrap">${day(frame, one.saidAt)}</td></tr>`
    }),
  )
  return table('ev', columns, rows)
}

export type Source = AddressView['evidence'][number]['source']

export const sourceWords = (frame: PageFrame, source: Source): Html =>
  typeof source === 'string' ? say(frame, `console.user.source.${source}`) : connectionName(frame, source.connection)

function links({ frame, links: all, totalLinks }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-links'))
  const more =
    totalLinks > all.length &&
    html`<p class="small soft">${say(frame, 'console.user.more-links', { count: all.length })}</p>`
  return html`${all.map((link) => linkCard(frame, link, { isPart: true }))}${more}`
}

function accounts({ frame, accounts: all }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-accounts'))
  const columns = [
    say(frame, 'console.user.connection'),
    say(frame, 'console.user.label'),
    say(frame, 'console.user.health'),
    say(frame, 'console.user.scopes'),
  ]
  const rows = all.map(({ id: accountId, connection, label, health, scopes }) => {
    const tone = health === 'ok' ? 'ok' : health === 'expiring' ? 'plain' : 'warn'
    return html`<tr><th scope="row">${connectionName(frame, connection)}</th><td>${said(label)}<br>${id(accountId)}</td><td>${badge(say(frame, `console.user.health.${health}`), tone)}</td><td>${scopes.length === 0 ? say(frame, 'console.none') : html`<code>${plainText(scopes.join(' '), 400)}</code>`}</td></tr>`
  })
  return table('accounts', columns, rows)
}

function sessions({ frame, sessions: all }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-sessions'))
  const columns = [
    say(frame, 'console.user.session.begun'),
    say(frame, 'console.user.session.by'),
    say(frame, 'console.user.session.proven'),
    say(frame, 'console.user.session.ends'),
  ]
  const rows = all.map(
    ({ startedAt, connection, provenAt, expiresAt }) =>
      html`<tr><th scope="row" class="nowrap">${moment(frame, startedAt)}</th><td>${connectionName(frame, connection)}</td><td class="nowrap">${moment(frame, provenAt)}</td><td class="nowrap">${moment(frame, expiresAt)}</td></tr>`,
  )
  return table('sessions', columns, rows)
}

function decisions({ frame, decisions: all }: ConsoleUserView): Html {
  if (all.length === 0) return emptySheet(say(frame, 'console.user.no-decisions'))
  const columns = [
    say(frame, 'console.user.when'),
    say(frame, 'console.user.connection'),
    say(frame, 'console.user.decision'),
    say(frame, 'console.user.rule'),
    say(frame, 'console.user.grade'),
  ]
  const rows = all.map(({ at, connection, decision, rule, reason, grade }) => {
    const why = html`${id(rule)} ${say(frame, `console.reason.${reason}`)}`
    return html`<tr><th scope="row" class="nowrap">${moment(frame, at)}</th><td>${connectionName(frame, connection)}</td><td>${say(frame, `console.decision.${decision}`)}</td><td>${why}</td><td>${badge(say(frame, 'console.grade', { grade }))}</td></tr>`
  })
  return table('decisions', columns, rows)
}

function aboutUser(view: ConsoleUserView): Html {
  const { frame, userId, retiredIds, profile, createdAt, lastLogin, loginsCount, stoppedAgents } = view
  const number = (value: number) =>
    html`<span class="num">${new Intl.NumberFormat(frame.locale.formats).format(value)}</span>`
  const rows: readonly (readonly [HtmlValue, HtmlValue] | false)[] = [
    [say(frame, 'console.user.id'), id(userId)],
    retiredIds.length > 0 && [
      say(frame, 'console.user.retired'),
      retiredIds.map((retired, at) => html`${at > 0 && html`<br>`}${id(retired)}`),
    ],
    ...profile.map(({ field, value }) => [say(frame, `console.user.${field}`), said(value)] as const),
    [say(frame, 'console.user.made'), moment(frame, createdAt)],
    [say(frame, 'console.user.last'), lastLogin === undefined ? say(frame, 'console.never') : moment(frame, lastLogin)],
    [say(frame, 'console.user.logins'), number(loginsCount)],
    [say(frame, 'console.user.stopped'), number(stoppedAgents)],
  ]
  return html`<dl class="sheet facts one">${rows.map((row) => row && html`<dt>${row[0]}</dt><dd>${row[1]}</dd>`)}</dl>`
}

/** By id, for two of whom no address tells that they are one. */
function joinForm({ frame, userId }: ConsoleUserView): Html {
  return html`<form class="sheet stack" method="get" action="/console/merge" role="search" aria-label="${sayPlain(frame, 'console.user.join')}">
<h2>${say(frame, 'console.user.join')}</h2>
<p class="small soft">${say(frame, 'console.user.join.lead')}</p>
<input type="hidden" name="primary" value="${userId}">
<div class="field"><label for="secondary">${say(frame, 'console.user.join.label')}</label><input id="secondary" name="secondary" type="text" required maxlength="512" spellcheck="false" autocapitalize="none"></div>
<button class="btn"><span>${say(frame, 'console.user.join.do')}</span></button>
</form>`
}
