// What the pages share that put two accounts side by side: who is signed in, and the account that arrived.
import { chip, maskedAddress, monogram } from './components.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { say } from './locale.ts'
import { said } from './text.ts'

export interface SignedInView {
  readonly name: string
  /** Whole; shown masked. */
  readonly address?: string | undefined
}

export interface ArrivalView {
  readonly connection: string
  readonly connectionDisplayName: string
  /** Login or name at the provider; its subject when there is neither. */
  readonly name: string
  readonly address?: string | undefined
  /** No account at a provider: `name` is the address, masked. */
  readonly byPassword?: boolean
}

export const signedInCard = (frame: PageFrame, { name, address }: SignedInView): Html =>
  card(
    'yours',
    say(frame, 'arrival.signed-in'),
    chip(monogram(name), html`<b>${said(name)}</b>`, address !== undefined && maskedAddress(address)),
  )

/** `line` stands where the address would. */
export function arrivalCard(frame: PageFrame, title: HtmlValue, account: ArrivalView, line?: HtmlValue): Html {
  const { connection, connectionDisplayName, name, address } = account
  const words = account.byPassword
    ? html`<b>${said(name)}</b>`
    : say(frame, 'link.account-at', { account: name, connection: connectionDisplayName })
  const under = line ?? (address !== undefined && maskedAddress(address))
  return card(
    'other',
    title,
    chip(monogram(account.byPassword ? name : connectionDisplayName, { hueBy: connection }), words, under),
  )
}

const card = (id: string, title: HtmlValue, content: Html): Html =>
  html`<section class="card" aria-labelledby="${id}">
<h2 class="kicker" id="${id}">${title}</h2>
${content}
</section>`

export interface Option {
  readonly title: HtmlValue
  readonly words: HtmlValue
  readonly button: Html
}

/** The choices, one below the other, each with what it does: none is filled, so that none weighs more. */
export const options = (list: readonly (Option | false)[]): Html =>
  html`<ul class="list">
${list.map((one) => one && html`<li class="stack"><h3>${one.title}</h3><p>${one.words}</p>${one.button}</li>\n`)}</ul>`
