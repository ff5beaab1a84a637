// A link in a user's history: what it was, who made it, by which rule and on what evidence; and the page that undoes it.

import { LINK_RULES, type LinkRule } from '../../domain/link-reasons.ts'
import type { UndoConflictCode } from '../../domain/unmerge.ts'
import type { Grade } from '../../domain/user.ts'
import { undoPath } from '../../flows/console-wish.ts'
import type { JsonObject, JsonValue } from '../../lib/json.ts'
import { type EpochSeconds, toIso } from '../../lib/time.ts'
import { badge, button, buttonLink, dots, notice, section } from './components.ts'
import { type ConsoleFrame, id, renderConsolePage } from './console-frame.ts'
import { moment } from './dates.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, type MessageKey, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export interface LinkView {
  readonly id: string
  readonly kind:
    | { readonly kind: 'joined' | 'into'; readonly user: string }
    | { readonly kind: 'added'; readonly connection: string | undefined; readonly subject: string }
  readonly rule: string
  readonly by: LinkMaker
  readonly proof: JsonObject
  readonly grades: { readonly primary: Grade; readonly secondary: Grade } | undefined
  readonly moved: { readonly identities: number; readonly accounts: number } | undefined
  readonly createdAt: EpochSeconds
  readonly undoUntil: EpochSeconds
  readonly canUndo: boolean
  readonly undone: { readonly at: EpochSeconds; readonly by: LinkMaker | undefined } | undefined
}

export type LinkMaker =
  | { readonly kind: 'policy' | 'console' }
  /** A user or a client, by its id. */
  | { readonly kind: 'id'; readonly id: string }

/** @param isPart it stands under a heading of its own, as in a history. */
export function linkCard(frame: PageFrame, link: LinkView, { isPart }: { readonly isPart: boolean }): Html {
  const { rule, by, proof, grades, moved, createdAt, undone, canUndo } = link
  const title = linkTitle(frame, link)
  const evidence = [
    say(frame, 'console.link.rule', { rule: id(rule) }),
    grades && say(frame, 'console.link.grades', grades),
    Object.keys(proof).length > 0 &&
      say(frame, 'console.link.proof', { proof: html`<code>${proofText(proof)}</code>` }),
  ]
  return html`<div class="card"><div class="line">${isPart ? html`<h3>${title}</h3>` : html`<h2>${title}</h2>`}${badge(moment(frame, createdAt))}${undone && badge(undoneWords(frame, undone), 'warn')}</div>
<p>${ruleWords(frame, rule)} ${say(frame, 'console.link.by', { who: makerWords(frame, by) })}${moved && html` ${say(frame, 'console.link.moved', moved)}`}</p>
<p class="small soft">${evidence.map((one) => one && html`${one} `)}${!undone && undoTime(frame, link)}</p>
${isPart && canUndo && html`<div class="line">${buttonLink(undoPath(link.id), say(frame, 'console.link.undo'), { small: true })}</div>`}</div>
`
}

const undoTime = (frame: PageFrame, { undoUntil, canUndo }: LinkView): Html =>
  say(frame, canUndo ? 'console.link.open' : 'console.link.closed', { day: day(frame, undoUntil) })

function linkTitle(frame: PageFrame, { kind: it }: LinkView): Html {
  if (it.kind !== 'added') return say(frame, `console.link.${it.kind}`, { user: id(it.user) })
  const connection = it.connection === undefined ? say(frame, 'console.user.gone-connection') : said(it.connection)
  return say(frame, 'console.link.added', { connection, subject: id(it.subject) })
}

function ruleWords(frame: PageFrame, rule: string): Html {
  // Just looked up.
  return Object.hasOwn(LINK_RULES, rule)
    ? say(frame, `console.rule.${rule as LinkRule}`)
    : say(frame, 'console.link.other-rule')
}

export const makerWords = (frame: PageFrame, by: LinkMaker): Html =>
  by.kind === 'id' ? id(by.id) : say(frame, `console.link.by.${by.kind}`)

const undoneWords = (frame: PageFrame, { at, by }: NonNullable<LinkView['undone']>): Html =>
  by === undefined
    ? say(frame, 'console.link.undone', { day: day(frame, at) })
    : say(frame, 'console.link.undone-by', { day: day(frame, at), who: makerWords(frame, by) })

/** Ids, codes and grades: no address and no name. */
const proofText = (proof: JsonObject): string =>
  plainText(
    Object.entries(proof)
      .map(([key, value]) => `${key}=${valueText(key, value)}`)
      .join(' '),
    400,
  )

function valueText(key: string, value: JsonValue): string {
  if (typeof value === 'number' && key.endsWith('_at')) return toIso(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export interface ConsoleUndoView extends ConsoleFrame {
  readonly form: FormTarget
  readonly link: LinkView
  readonly primaryUserId: string
  readonly backUrl: string
  readonly stale: boolean
  readonly outcome:
    | { readonly kind: 'refused'; readonly code: UndoRefusal }
    | {
        readonly kind: 'possible'
        /** Undefined when an identity alone goes. */
        readonly secondaryUserId: string | undefined
        readonly identities: readonly { readonly connection: string | undefined; readonly subject: string }[]
        readonly accounts: readonly string[]
        /** Labels of accounts whose tokens the merge had revoked. */
        readonly revived: readonly string[]
        readonly conflicts: readonly { readonly code: UndoConflictCode; readonly thing: string | undefined }[]
      }
}

export const UNDO_REFUSALS = [
  'link_undone',
  'undo_expired',
  'link_superseded',
  'undo_unavailable',
  'last_identity',
  'undo_conflict',
] as const satisfies readonly (MessageKey extends `console.refusal.${infer Code}` ? Code : string)[]
export type UndoRefusal = (typeof UNDO_REFUSALS)[number]

export function renderConsoleUndo(view: ConsoleUndoView): Html {
  const { frame, outcome, link, stale, backUrl } = view
  const back = buttonLink(backUrl, say(frame, 'console.undo.back'))
  const refused = outcome.kind === 'refused'
  const content = html`${linkCard(frame, link, { isPart: false })}
${outcome.kind === 'refused' ? notice(html`<p>${say(frame, `console.refusal.${outcome.code}`)}</p>`, { tone: 'stop' }) : changes(view, outcome)}
${refused && html`<div>${back}</div>`}`
  return renderConsolePage(view, {
    page: 'console-undo',
    title: sayPlain(frame, 'console.undo.title'),
    heading: say(frame, refused ? 'console.undo.refused' : 'console.undo.title'),
    lead: refused ? undefined : say(frame, stale ? 'console.undo.stale' : 'console.undo.lead'),
    content,
  })
}

function changes(view: ConsoleUndoView, outcome: Extract<ConsoleUndoView['outcome'], { kind: 'possible' }>): Html {
  const { frame, form: target, primaryUserId, backUrl } = view
  const { secondaryUserId, identities, accounts, revived, conflicts } = outcome
  const user = id(secondaryUserId ?? primaryUserId)
  const title = say(frame, secondaryUserId === undefined ? 'console.undo.removes' : 'console.undo.returns', { user })
  const things = [
    secondaryUserId !== undefined && say(frame, 'console.undo.profile'),
    ...identities.map(({ connection, subject }) =>
      say(frame, 'console.undo.identity', {
        subject: id(subject),
        connection: connection === undefined ? say(frame, 'console.user.gone-connection') : said(connection),
      }),
    ),
    ...accounts.map((account) => say(frame, 'console.undo.account', { account: id(account) })),
    ...revived.map((label) => say(frame, 'console.undo.revived', { label })),
  ].filter((thing) => thing !== false)
  const keep = conflicts.length > 0
  const words = say(frame, keep ? 'console.undo.do-keep' : 'console.undo.do')
  return html`${section('returns', title, html`<div class="sheet">${dots(things)}</div>`)}
${keep && section('conflicts', say(frame, 'console.undo.conflicts'), html`<div class="notice warn">${dots(conflicts.map((one) => conflictWords(frame, one)))}</div>`)}
${form(
  target,
  { name: 'undo-link', hidden: keep ? { keep_changes: '1' } : {} },
  html`<div class="choice">${buttonLink(backUrl, say(frame, 'console.undo.cancel'))}${button('undo', words)}</div>`,
)}`
}

function conflictWords(
  frame: PageFrame,
  { code, thing }: { readonly code: UndoConflictCode; readonly thing: string | undefined },
): Html {
  const why = say(frame, `console.conflict.${code}`)
  return thing === undefined ? why : say(frame, 'console.undo.conflict', { thing: id(thing), why })
}
