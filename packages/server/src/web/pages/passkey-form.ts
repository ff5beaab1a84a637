// A form that asks the browser for a passkey. It stays hidden until the page's script finds that the browser has them.
import type { JsonObject } from '../../lib/json.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type Speaker, say } from './locale.ts'

export interface PasskeyForm {
  /** `create` makes one, `get` shows one. */
  readonly does: 'create' | 'get'
  /** As the browser takes them, in JSON. */
  readonly options: JsonObject
  readonly hidden?: Readonly<Record<string, string>> | undefined
}

export const passkeyForm = (
  speaker: Speaker,
  target: FormTarget,
  { does, options, hidden }: PasskeyForm,
  content: HtmlValue,
): Html =>
  form(
    target,
    { name: 'passkey', stack: true, hidden: { ...hidden, passkey: '' }, passkey: { does, options } },
    html`${content}
<p class="wrong" role="alert" tabindex="-1" data-passkey-failed hidden>${say(speaker, 'passkey.failed')}</p>`,
  )
