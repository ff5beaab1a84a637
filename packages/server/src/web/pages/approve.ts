// An agent, or a device, asks for a yes. What is asked is said in our words; the client's own are quoted (T-AGT-07).
import type { AskedUse } from '../../domain/asked-use.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { factsOfUse, whatIsUsed } from './approve-use.ts'
import {
  abilities,
  buttonLink,
  chip,
  choicePair,
  facts,
  heading,
  monogram,
  ownWords,
  softLine,
  textLink,
} from './components.ts'
import { moment } from './dates.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'
import { type AskedScope, describeScopes } from './scopes.ts'
import { maskAddress, said } from './text.ts'

export interface ApproveView {
  readonly frame: PageFrame
  /** Takes `action=deny` and `action=allow`. */
  readonly form: FormTarget
  readonly kind: 'ciba' | 'device' | 'use'
  readonly status: 'asked' | 'allowed' | 'denied' | 'over'
  readonly client: { readonly name: string; readonly firstParty: boolean }
  /** Name of the API that it is for, or of the provider whose account is used. */
  readonly audience: string | undefined
  readonly scopes: readonly AskedScope[]
  /** The client's own words. */
  readonly message: string | undefined
  readonly userCode: string | undefined
  /** Of the kind `use`. */
  readonly use: AskedUse | undefined
  readonly askedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly user: { readonly name: string; readonly address?: string | undefined }
  /** What the answer is for. */
  readonly shown: string
}

export function renderApprove(view: ApproveView): Html {
  return view.status === 'asked' ? renderQuestion(view) : renderAfter(view.frame, view.client.name, view.status)
}

function renderQuestion(view: ApproveView): Html {
  const { frame, client, kind, askedAt, expiresAt, message } = view
  const title = kind === 'device' ? 'approve.title.device' : 'approve.title'
  const times = { asked: moment(frame, askedAt), until: moment(frame, expiresAt) }
  const no = { value: 'deny', words: say(frame, 'approve.deny') }
  const yes = { value: 'allow', words: say(frame, 'approve.allow') }
  const content = html`${heading(say(frame, title, { app: client.name }), say(frame, 'approve.lead', times))}
${chip(monogram(client.name), html`<b>${said(client.name)}</b>`, !client.firstParty && html`<span class="small soft">${say(frame, 'approve.by')} ${say(frame, 'approve.by.other', { tenant: frame.tenantName })}</span>`)}
${message !== undefined && ownWords(frame, message)}
${whatItMay(view)}
${form(view.form, { name: 'approve', hidden: { shown: view.shown } }, choicePair(no, yes))}
${softLine(html`${say(frame, 'approve.unexpected')} ${textLink('/account/agents', say(frame, 'approve.agents'))}`)}
${softLine(signedInAs(view))}`
  return renderLetter(frame, { page: 'approve', title: sayPlain(frame, title, { app: client.name }), content })
}

function whatItMay(view: ApproveView): Html {
  const { frame, scopes, use, audience = '' } = view
  if (use !== undefined)
    return html`<section class="stack" aria-labelledby="may"><h2 id="may">${say(frame, 'approve.what')}</h2>
${whatIsUsed(frame, use)}
${facts(factsOfUse(frame, use, audience), 'ruled')}
</section>`
  const asked = describeScopes(scopes)
  const may =
    asked.items.length > 0 ? abilities(frame, asked) : html`<p class="can-nothing">${say(frame, 'approve.nothing')}</p>`
  return html`<section aria-labelledby="may"><h2 id="may">${say(frame, 'approve.what')}</h2>
${may}
${facts(factsOf(view, asked.whileAway), 'ruled')}
</section>`
}

function factsOf({ frame, kind, audience, client, message, userCode }: ApproveView, whileAway: boolean) {
  const list: (readonly [HtmlValue, HtmlValue])[] = []
  if (audience !== undefined) list.push([say(frame, 'approve.at'), said(audience)])
  if (userCode !== undefined)
    list.push([say(frame, 'approve.code'), say(frame, 'approve.code.yes', { code: userCode })])
  if (message !== undefined)
    list.push([say(frame, 'approve.same'), say(frame, 'approve.same.yes', { app: client.name })])
  if (whileAway) list.push([say(frame, 'can.away'), say(frame, 'can.away.yes')])
  else if (kind === 'ciba') list.push([say(frame, 'approve.once'), say(frame, 'approve.once.yes')])
  return list
}

function signedInAs({ frame, user: { name, address } }: ApproveView): Html {
  if (address === undefined) return say(frame, 'consent.signed-in-as-name', { name })
  return say(frame, 'consent.signed-in-as', { name, address: maskAddress(address) })
}

function renderAfter(frame: PageFrame, app: string, status: 'allowed' | 'denied' | 'over'): Html {
  const lead = status === 'over' ? say(frame, 'approve.over.lead') : say(frame, `approve.${status}.lead`, { app })
  const content = html`${heading(say(frame, `approve.${status}.title`), lead)}
<div>${buttonLink('/account/agents', say(frame, 'approve.agents'))}</div>`
  return renderLetter(frame, { page: 'approve', title: sayPlain(frame, `approve.${status}.title`), content })
}
