// The pieces that pages are made of. Markup and class names belong to `web/assets/tenon.css`.
import { type Html, type HtmlValue, html, joined, nothing, safeUrl } from './html.ts'
import { icon } from './icons.ts'
import { type MessageKey, type Speaker, say } from './locale.ts'
import type { Abilities, Ability, AbilityGroup } from './scopes.ts'
import { hueOf, maskAddress, monogramLetters, plainText, said } from './text.ts'

/** Two letters in a colour of their own. The name always stands beside it, so it is silent to a screen reader. */
export function monogram(
  name: string,
  { small = false, hueBy = name }: { small?: boolean; hueBy?: string } = {},
): Html {
  return html`<span class="mono t${hueOf(hueBy)}${small && ' s'}" aria-hidden="true">${monogramLetters(name)}</span>`
}

/** A masked address, isolated for bidi. */
export const maskedAddress = (address: string): Html =>
  html`<bdi class="small soft">${plainText(maskAddress(address), 120)}</bdi>`

/** Monogram, a title and one soft line under it. */
export function chip(mark: Html, title: HtmlValue, line?: HtmlValue): Html {
  return html`<div class="chip">${mark}<div>${title}${line !== undefined && html`<br>${line}`}</div></div>`
}

export type Tone = 'plain' | 'ok' | 'warn' | 'stop'

const toned = (base: string, tone: Tone): string => (tone === 'plain' ? base : `${base} ${tone}`)

/** Words that stand alone. */
export const badge = (words: HtmlValue, tone: Tone = 'plain'): Html =>
  html`<span class="${toned('badge', tone)}">${words}</span>`

/** Something to know before the rest. `announce` takes the focus without a script, so that it is read first. */
export function notice(words: HtmlValue, { tone, announce = false }: { tone: Tone; announce?: boolean }): Html {
  return html`<div class="${toned('notice', tone)}"${announce && html` role="status" tabindex="-1" autofocus`}>${words}</div>`
}

export interface ButtonLook {
  /** `go`: the one filled button of a page. `end`: ends something, and names it. */
  readonly tone?: 'quiet' | 'go' | 'end'
  readonly full?: boolean
  readonly small?: boolean
}

/** A button `name=action`, unless another name is given. Its words are one box, so that the gap of `.btn` does not part them. */
export function button(value: string, words: HtmlValue, look: ButtonLook & { readonly name?: string } = {}): Html {
  return html`<button class="${buttonClass(look)}" name="${look.name ?? 'action'}" value="${value}"><span>${words}</span></button>`
}

/** A link that looks like a button, for going somewhere without changing anything. */
export const buttonLink = (href: string, words: HtmlValue, look: ButtonLook = {}): Html =>
  html`<a class="${buttonClass(look)}" href="${safeUrl(href)}"><span>${words}</span></a>`

/** A button that looks like a link, for a form with a small effect. */
export const linkButton = (name: string, value: string, words: HtmlValue): Html =>
  html`<button class="link" name="${name}" value="${value}">${words}</button>`

export const textLink = (href: string, words: HtmlValue): Html => html`<a href="${safeUrl(href)}">${words}</a>`

function buttonClass({ tone = 'quiet', full, small }: ButtonLook): string {
  return ['btn', tone !== 'quiet' && tone, full && 'full', small && 's'].filter(Boolean).join(' ')
}

/** No and yes with the same weight; no stands first. */
export function choicePair(no: { value: string; words: HtmlValue }, yes: { value: string; words: HtmlValue }): Html {
  return html`<div class="choice">${button(no.value, no.words)}${button(yes.value, yes.words)}</div>`
}

/** A heading with one soft line under it, at the top of a letter. */
export const heading = (title: HtmlValue, lead?: HtmlValue): Html =>
  html`<div><h1>${title}</h1>${lead !== undefined && html`<p class="soft">${lead}</p>`}</div>`

export const softLine = (words: HtmlValue): Html => html`<p class="small soft">${words}</p>`

/** Short answers: a term and what it is. */
export function facts(rows: readonly (readonly [HtmlValue, HtmlValue])[], look: '' | 'ruled' | 'sheet' = ''): Html {
  if (rows.length === 0) return nothing
  return html`<dl class="facts${look !== '' && ` ${look}`}">${rows.map(([term, answer]) => html`<dt>${term}</dt><dd>${answer}</dd>`)}</dl>`
}

/** Text that a client wrote, quoted and said to be unchecked. */
export const ownWords = (speaker: Speaker, text: string): Html =>
  html`<figure><figcaption class="kicker">${say(speaker, 'own-words')}</figcaption><blockquote class="says" dir="auto">${plainText(text, 256)}</blockquote></figure>`

export const dots = (items: readonly HtmlValue[]): Html =>
  html`<ul class="dots">${items.map((item) => html`<li>${item}</li>`)}</ul>`

/** One group of what something may do: icon, heading and words, never colour alone. */
export function canGroup({ shape, title, items, danger = false }: CanGroup): Html {
  return html`<div class="can${danger && ' danger'}">${icon(shape)}<h3>${title}</h3>${dots(items)}</div>`
}

export interface CanGroup {
  readonly shape: Parameters<typeof icon>[0]
  readonly title: HtmlValue
  readonly items: readonly HtmlValue[]
  readonly danger?: boolean
}

const GROUPS: readonly { group: AbilityGroup; shape: CanGroup['shape']; title: MessageKey & `can.${AbilityGroup}` }[] =
  [
    { group: 'read', shape: 'eye', title: 'can.read' },
    { group: 'change', shape: 'pencil', title: 'can.change' },
    { group: 'danger', shape: 'triangle', title: 'can.danger' },
    { group: 'other', shape: 'question', title: 'can.other' },
  ]

/** What something may do, grouped, the harmless first. Empty when it may do nothing. */
export function abilities(speaker: Speaker, { items }: Abilities): Html {
  const groups = GROUPS.map((one) => ({ ...one, items: items.filter((item) => item.group === one.group) }))
  return joined(
    groups
      .filter((one) => one.items.length > 0)
      .map(({ group, shape, title, items: some }) =>
        canGroup({
          shape,
          title: say(speaker, title),
          items: some.map((item) => abilityWords(speaker, item)),
          danger: group === 'danger',
        }),
      ),
    '\n',
  )
}

function abilityWords(speaker: Speaker, { words }: Ability): Html {
  if ('key' in words) return say(speaker, words.key)
  if ('description' in words) return said(words.description, 200)
  return html`<bdi><code>${plainText(words.scope, 120)}</code></bdi>`
}

/** A row of a list: what it is on the left, what one can do with it on the right. */
export const row = (content: HtmlValue, { mark, side }: { mark?: Html; side?: Html | undefined } = {}): Html =>
  html`<li class="row${!mark && ' bare'}">${mark}<div>${content}</div>${side}</li>`

export const rows = (items: readonly Html[]): Html => html`<ul class="list sheet">${joined(items, '\n')}</ul>`

/** A part of a page under a heading of its own; `id` is distinct on the page. */
export const section = (id: string, title: HtmlValue, content: HtmlValue): Html =>
  html`<section class="stack" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`
