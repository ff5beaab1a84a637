// The newcomer's address belongs to an account that exists: one person's, or two? Nothing of that account is shown.
import { button, chip, heading, monogram, notice, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { pluralKey, say, sayPlain } from './locale.ts'
import { maskAddress, plainText } from './text.ts'

export interface LinkSuggestView {
  readonly frame: PageFrame
  /** Takes `action=link` with `method`, `action=keep_separate`, `action=not_me`. */
  readonly form: FormTarget
  /** Whole; shown masked. */
  readonly address: string
  readonly account: { readonly connectionDisplayName: string; readonly name: string }
  readonly ways: readonly {
    readonly method: string
    readonly kind: 'password' | 'connection'
    readonly displayName: string
  }[]
  readonly undoDays: number
  readonly problem?: 'wrong_account' | 'refused' | undefined
}

export function renderLinkSuggest(view: LinkSuggestView): Html {
  const { frame, account, problem } = view
  const title = sayPlain(frame, 'suggest.title')
  const lead = say(frame, 'suggest.lead', {
    account: account.name,
    connection: account.connectionDisplayName,
    tenant: frame.tenantName,
  })
  const content = html`${problem && notice(say(frame, `proof.${problem}`), { tone: 'warn', announce: true })}
<div><p class="kicker">${say(frame, 'suggest.step')}</p>${heading(say(frame, 'suggest.title'), lead)}</div>
<div class="card">${chip(
    html`<span class="mono t2" aria-hidden="true">?</span>`,
    html`<bdi><b>${plainText(maskAddress(view.address), 120)}</b></bdi>`,
    html`<span class="small soft">${say(frame, 'suggest.more-after')}</span>`,
  )}</div>
${waysOf(view)}
<h2 class="or">${say(frame, 'suggest.or')}</h2>
${others(view)}`
  return renderLetter(frame, { page: 'link-suggest', title, hasError: problem !== undefined, content })
}

function waysOf(view: LinkSuggestView): Html {
  const { frame, ways, account, undoDays } = view
  if (ways.length === 0) return html`<p>${say(frame, 'suggest.no-way')}</p>`
  const after = say(frame, pluralKey(frame, 'suggest.after', undoDays), {
    connection: account.connectionDisplayName,
    count: undoDays,
  })
  return html`<section class="stack" aria-labelledby="ways">
<h2 id="ways">${say(frame, 'suggest.ways')}</h2>
<ul class="tiles">
${ways.map((way) => html`<li>${wayForm(view, way)}</li>\n`)}</ul>
${softLine(after)}
</section>`
}

function wayForm(
  { frame, form: target }: LinkSuggestView,
  { method, kind, displayName }: LinkSuggestView['ways'][number],
): Html {
  const words = kind === 'password' ? say(frame, 'suggest.password') : html`<bdi>${plainText(displayName)}</bdi>`
  const sign =
    kind === 'password'
      ? html`<span class="mono t3 s" aria-hidden="true">•••</span>`
      : monogram(displayName, { small: true, hueBy: method })
  return form(
    target,
    { name: 'link-suggest', hidden: { method } },
    html`<button class="btn full left" name="action" value="link">${sign}<span>${words}</span></button>`,
  )
}

function others({ frame, form: target, account }: LinkSuggestView): Html {
  const keep = say(frame, 'suggest.keep.effect', { connection: account.connectionDisplayName })
  return form(
    target,
    { name: 'link-suggest', stack: true },
    html`<div>${button('keep_separate', say(frame, 'suggest.keep'), { full: true })}${softLine(keep)}</div>
<div>${button('not_me', say(frame, 'suggest.not-me'), { full: true })}${softLine(say(frame, 'suggest.not-me.effect'))}</div>`,
  )
}
