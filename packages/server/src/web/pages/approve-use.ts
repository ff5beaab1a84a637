// What an agent is about to do with an account, where its policy wants the person's yes: the request itself, never what the
// agent says of it (T-AGT-07).
import type { AskedBody, AskedCall, AskedCalls, AskedUse } from '../../domain/asked-use.ts'
import { abilities, dots } from './components.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { pluralKey, say } from './locale.ts'
import { describeScopes } from './scopes.ts'
import { plainText, said } from './text.ts'

/** The longest that is asked about is shorter. */
const LONGEST_REQUEST = 4096

export function whatIsUsed(frame: PageFrame, use: AskedUse): Html {
  switch (use.kind) {
    case 'token': {
      const asked = describeScopes(use.scopes.map((value) => ({ value })))
      const all = say(frame, 'approve.use.everything')
      return html`<p>${say(frame, 'approve.use.token')}</p>
${asked.items.length > 0 ? abilities(frame, asked) : html`<p class="can-nothing">${all}</p>`}`
    }
    case 'call':
      return call(frame, use)
    case 'calls':
      return calls(frame, use)
  }
}

function call(frame: PageFrame, { method, origin, path, query, body }: AskedCall): Html {
  return html`<p>${say(frame, 'approve.use.call')}</p>
<p>${request(method, `${origin}${path}${query}`)}</p>
${body !== undefined && bodyOf(frame, body)}`
}

const request = (method: string, target: string): Html =>
  html`<bdi><code>${method} ${plainText(target, LONGEST_REQUEST)}</code></bdi>`

function bodyOf(frame: PageFrame, { bytes, type, text }: AskedBody): Html {
  const facts = { bytes, type: said(type) }
  if (text === undefined) return html`<p class="small">${say(frame, 'approve.use.body.binary', facts)}</p>`
  const isWhole = new TextEncoder().encode(text).length >= bytes
  const title = say(frame, isWhole ? 'approve.use.body.whole' : 'approve.use.body', facts)
  const shown = html`<blockquote class="says" dir="auto">${plainText(text, LONGEST_REQUEST)}</blockquote>`
  return html`<figure><figcaption class="kicker">${title}</figcaption>${shown}</figure>`
}

function calls(frame: PageFrame, { origin, methods, paths = ['/**'] }: AskedCalls): Html {
  const kinds = methods?.join(', ')
  const targets = paths.map((path) => {
    if (kinds !== undefined) return request(kinds, `${origin}${path}`)
    return html`${say(frame, 'approve.use.any-method')} <bdi><code>${plainText(origin + path, LONGEST_REQUEST)}</code></bdi>`
  })
  return html`<p>${say(frame, 'approve.use.calls')}</p>
${dots(targets)}
<p class="small soft">${say(frame, 'approve.use.pattern')}</p>`
}

/** With which account, and for how long. */
export function factsOfUse(
  frame: PageFrame,
  use: AskedUse,
  provider: string,
): readonly (readonly [HtmlValue, HtmlValue])[] {
  const account = say(frame, 'agents.account', { connection: said(provider), label: said(use.label) })
  const minutes = Math.ceil(use.validSeconds / 60)
  const often =
    minutes === 0
      ? say(frame, 'approve.use.once')
      : say(frame, pluralKey(frame, 'approve.use.minutes', minutes), { count: minutes })
  return [
    [say(frame, 'approve.use.account'), account],
    [say(frame, 'approve.once'), often],
  ]
}
