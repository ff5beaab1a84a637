// The person's own profile: their addresses and how each was proved, and what else is known.
import type { EpochSeconds } from '../../lib/time.ts'
import { type AccountFrame, accountNotice, renderAccountPage } from './account-frame.ts'
import { type SessionsView, sessionsSection } from './account-sessions.ts'
import { badge, button, buttonLink, facts, monogram, row, rows, section } from './components.ts'
import { type FormTarget, field, form } from './forms.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import type { PageFrame } from './layout.ts'
import { day, listOf, pluralKey, say, sayPlain } from './locale.ts'
import { plainText, said } from './text.ts'

export interface AccountView extends AccountFrame {
  readonly name?: string | undefined
  readonly nickname?: string | undefined
  readonly userId: string
  readonly createdAt: EpochSeconds
  /** In the order to be shown, the main one first. */
  readonly addresses: readonly AccountAddress[]
  readonly ways: readonly SignInWay[]
  /** Takes `action=continue` with `email`; absent where no code can be mailed. */
  readonly verifyForm?: FormTarget | undefined
  readonly sessions: SessionsView
  readonly forms: ProfileForms
}

export interface ProfileForms {
  /** Takes `email`. */
  readonly address: FormTarget
  /** Takes `name`. */
  readonly name: FormTarget
  readonly download: FormTarget
}

export interface AccountAddress {
  /** In full: the page is its owner's. */
  readonly address: string
  readonly isMain: boolean
  /** Stands at G1 or above. */
  readonly isProven: boolean
  /** A code can be mailed to it. */
  readonly mayBeProven: boolean
  readonly evidence: readonly AddressProof[]
}

/** Who says that the address is this person's. */
export type AddressProof =
  | { readonly kind: 'mail'; readonly at: EpochSeconds }
  | { readonly kind: 'operator' | 'self' }
  /** `vouches`: it says that it checked, and is believed. */
  | { readonly kind: 'connection'; readonly displayName: string; readonly vouches: boolean }

export type SignInWay = { readonly kind: 'password' } | { readonly kind: 'connection'; readonly displayName: string }

export function renderAccount(view: AccountView): Html {
  const { frame, name } = view
  const shownName = plainText(name ?? '')
  const title = shownName === '' ? say(frame, 'account.nameless') : said(shownName)
  const content = html`${accountNotice(view)}
<div class="chip">${shownName !== '' && monogram(shownName)}<div><h1>${title}</h1></div></div>
${section('addresses', say(frame, 'account.addresses'), html`${addresses(view)}${addressForm(view)}`)}
${section('profile', say(frame, 'account.profile'), html`${facts(profile(view), 'sheet')}${nameForm(view)}`)}
${sessionsSection(frame, view.sessions)}
${section('data', say(frame, 'data.section'), yourData(view))}`
  return renderAccountPage(view, { page: 'account', title: sayPlain(frame, 'account.title'), content })
}

function addressForm({ frame, forms }: AccountView): Html {
  const input = field(frame, {
    name: 'email',
    label: say(frame, 'account.address.new'),
    type: 'text',
    autocomplete: 'email',
    inputmode: 'email',
    maxLength: 320,
    hint: say(frame, 'account.address.hint'),
  })
  const submit = button('continue', say(frame, 'account.address.submit'))
  const content = form(forms.address, { name: 'change-address', stack: true }, html`${input}<div>${submit}</div>`)
  return panel(say(frame, 'account.address.change'), content)
}

function nameForm({ frame, forms, name }: AccountView): Html {
  const input = field(frame, {
    name: 'name',
    label: say(frame, 'field.name'),
    type: 'text',
    autocomplete: 'name',
    value: name,
    maxLength: 150,
    hint: say(frame, 'account.name.hint'),
  })
  const submit = button('continue', say(frame, 'account.name.submit'))
  const content = form(forms.name, { name: 'change-name', stack: true }, html`${input}<div>${submit}</div>`)
  return panel(say(frame, 'account.name.change'), content)
}

const panel = (title: Html, content: Html): Html =>
  html`<details><summary class="btn s">${title}</summary><div class="panel stack">${content}</div></details>`

function yourData({ frame, forms }: AccountView): Html {
  const download = form(forms.download, { name: 'download' }, button('continue', say(frame, 'data.download')))
  return html`<p class="soft">${say(frame, 'data.lead')}</p>
<div class="line">${download}${buttonLink('/account/delete', say(frame, 'data.delete'), { tone: 'end' })}</div>`
}

function addresses({ frame, addresses: all, verifyForm }: AccountView): Html {
  if (all.length === 0) return html`<div class="sheet"><p>${say(frame, 'account.addresses.none')}</p></div>`
  return rows(
    all.map((one) => {
      const target = one.isProven || !one.mayBeProven ? undefined : verifyForm
      return row(addressWords(frame, one), { side: target && proveForm(frame, target, one.address) })
    }),
  )
}

function addressWords(frame: PageFrame, { address, isMain, isProven, evidence }: AccountAddress): Html {
  const sentences = evidence.map((proof) => proofWords(frame, proof))
  if (!isProven) sentences.push(say(frame, 'account.unproven.effect'))
  const badges = [
    isMain && badge(say(frame, 'account.main'), 'ok'),
    !isProven && badge(say(frame, 'account.unproven'), 'warn'),
  ]
  return html`<bdi><b>${plainText(address, 320)}</b></bdi>
<p class="small soft">${joined(sentences, ' ')}</p>
${badges.some(Boolean) && html`<div class="badges">${badges}</div>`}`
}

function proofWords(frame: PageFrame, proof: AddressProof): Html {
  switch (proof.kind) {
    case 'mail':
      return say(frame, 'account.proof.mail', { day: day(frame, proof.at) })
    case 'operator':
      return say(frame, 'account.proof.operator', { tenant: frame.tenantName })
    case 'self':
      return say(frame, 'account.proof.self')
    case 'connection':
      return say(frame, proof.vouches ? 'account.proof.connection' : 'account.proof.said', {
        connection: proof.displayName,
      })
  }
}

function proveForm(frame: PageFrame, target: FormTarget, address: string): Html {
  const words = html`${say(frame, 'account.prove')}<span class="sr"> ${said(address)}</span>`
  return form(
    target,
    { name: 'verify', side: true, hidden: { email: address } },
    button('continue', words, { small: true }),
  )
}

function profile({
  frame,
  name,
  nickname,
  ways,
  createdAt,
  userId,
}: AccountView): readonly (readonly [HtmlValue, HtmlValue])[] {
  const list: (readonly [HtmlValue, HtmlValue])[] = []
  if (name) list.push([say(frame, 'account.fact.name'), said(name)])
  if (nickname) list.push([say(frame, 'account.fact.nickname'), said(nickname)])
  if (ways.length > 0) {
    const words = ways.map((way) =>
      way.kind === 'password' ? say(frame, 'account.way.password') : said(way.displayName),
    )
    list.push([say(frame, pluralKey(frame, 'account.fact.ways', ways.length)), listOf(frame, words)])
  }
  list.push([say(frame, 'account.fact.since'), day(frame, createdAt)])
  list.push([say(frame, 'account.fact.id'), html`<bdi class="id">${plainText(userId, 300)}</bdi>`])
  return list
}
