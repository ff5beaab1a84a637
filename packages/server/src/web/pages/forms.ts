// Forms: always sent by POST, with the hidden fields that tie them to a browser and to what it is doing.
import type { JsonObject } from '../../lib/json.ts'
import { type Html, type HtmlValue, html, safeUrl } from './html.ts'
import { type Speaker, say } from './locale.ts'
import { plainText } from './text.ts'

/** What was typed comes back up to this length: the longest address there can be. */
const TYPED_LENGTH = 320

/** Where a form goes and what makes it ours. */
export interface FormTarget {
  readonly action: string
  /** Id of the interaction that the browser is in; none on account pages. */
  readonly state?: string | undefined
  readonly csrf: string
}

export interface FormMarks {
  /** `data-form`; none for a form that nobody needs to find. */
  readonly name?: string
  /** `data-connection`. */
  readonly connection?: string
  /** `data-identity`: `provider|user_id`. */
  readonly identity?: string
  /** `data-account`: `cac_…`. */
  readonly account?: string
  /** `data-client`. */
  readonly client?: string
  readonly hidden?: Readonly<Record<string, string>>
  /** `data-passkey` and `data-options`; hidden until the page's script shows it. */
  readonly passkey?: { readonly does: 'create' | 'get'; readonly options: JsonObject }
  /** Children follow each other with space between. */
  readonly stack?: boolean
  readonly side?: boolean
  /** Field and button beside each other. */
  readonly inline?: boolean
}

export function form(target: FormTarget, marks: FormMarks, content: HtmlValue): Html {
  const classes = [marks.stack && 'stack', marks.side && 'side', marks.inline && 'inline'].filter(Boolean).join(' ')
  return html`<form${classes !== '' && html` class="${classes}"`} method="post" action="${safeUrl(target.action)}"${
    marks.name !== undefined && html` data-form="${marks.name}"`
  }${NAMED_BY.map((name) => {
    const value = marks[name]
    return value !== undefined && html` data-${name}="${value}"`
  })}${marks.passkey && html` data-passkey="${marks.passkey.does}" data-options="${JSON.stringify(marks.passkey.options)}" hidden`}>${hiddenFields(target, marks.hidden)}
${content}
</form>`
}

const NAMED_BY = ['connection', 'identity', 'account', 'client'] as const

function hiddenFields({ state, csrf }: FormTarget, others: Readonly<Record<string, string>> = {}): Html {
  const fields = { ...(state === undefined ? {} : { state }), csrf, ...others }
  return html`${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`
}

/** Why a field was not taken; each has its sentence in the message file. */
export type FieldError =
  | { readonly code: PlainFieldError }
  | { readonly code: 'password_too_short' | 'name_invalid'; readonly length: number }

type PlainFieldError =
  | 'address_invalid'
  | 'address_missing'
  | 'credentials_wrong'
  | 'password_missing'
  | 'password_wrong'
  | 'password_too_long'
  | 'password_common'
  | 'password_is_personal'
  | 'code_missing'
  | 'code_wrong'
  | 'code_expired'
  | 'factor_code_wrong'
  | 'device_code_missing'
  | 'device_code_unknown'
  | 'label_bad'
  | 'username_bad'
  | 'secret_missing'
  | 'secret_bad'
  | 'secret_refused'
  | 'secret_unchecked'

export interface FieldLook {
  /** Name and id. */
  readonly name: string
  readonly label: HtmlValue
  readonly type: 'text' | 'password'
  readonly autocomplete: string
  readonly inputmode?: 'email' | 'numeric'
  /** Never given for a password. */
  readonly value?: string | undefined
  readonly hint?: HtmlValue
  readonly error?: FieldError | undefined
  readonly required?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly autofocus?: boolean
  /** Under the input. */
  readonly after?: HtmlValue
}

/** A labelled input; what is wrong stands between label and input and is tied to it. */
export function field(speaker: Speaker, look: FieldLook): Html {
  const { name, label, error, hint, after } = look
  return html`<div class="field${error && ' bad'}">
<label for="${name}">${label}</label>
${error && html`<span class="wrong" id="${name}-error">${errorWords(speaker, error)}</span>`}
<input id="${name}" name="${name}" ${inputAttributes(look)}>
${hint !== undefined && html`<span class="hint" id="${name}-hint">${hint}</span>`}${after}
</div>`
}

function inputAttributes({
  name,
  type,
  autocomplete,
  inputmode,
  value,
  hint,
  error,
  required = true,
  ...look
}: FieldLook): Html {
  const describedBy = [error && `${name}-error`, hint !== undefined && `${name}-hint`].filter(Boolean).join(' ')
  return html`type="${type}" autocomplete="${autocomplete}"${inputmode && html` inputmode="${inputmode}"`}${
    type === 'text' && html` spellcheck="false" autocapitalize="none"`
  }${type !== 'password' && value !== undefined && html` value="${plainText(value, TYPED_LENGTH)}"`}${required && html` required`}${
    look.minLength !== undefined && html` minlength="${look.minLength}"`
  }${look.maxLength !== undefined && html` maxlength="${look.maxLength}"`}${error && html` aria-invalid="true"`}${
    describedBy !== '' && html` aria-describedby="${describedBy}"`
  }${(look.autofocus || error) && html` autofocus`}`
}

function errorWords(speaker: Speaker, error: FieldError): Html {
  if ('length' in error) return say(speaker, `field-error.${error.code}`, { length: error.length })
  return say(speaker, `field-error.${error.code}`)
}

/** The address that somebody signs in with. Text, because browsers rewrite the domain in inputs of type `email`. */
export function addressField(
  speaker: Speaker,
  {
    name,
    value,
    error,
    autofocus = false,
  }: { name: string; value?: string | undefined; error?: FieldError | undefined; autofocus?: boolean },
): Html {
  const label = say(speaker, 'field.address')
  return field(speaker, {
    name,
    label,
    type: 'text',
    autocomplete: 'username',
    inputmode: 'email',
    value,
    error,
    autofocus,
  })
}

/** A password to be chosen. */
export function newPasswordField(
  speaker: Speaker,
  { label, minLength, error }: { label: HtmlValue; minLength: number; error?: FieldError | undefined },
): Html {
  const hint = say(speaker, 'field.password-hint', { length: minLength })
  return field(speaker, {
    name: 'password',
    label,
    type: 'password',
    autocomplete: 'new-password',
    minLength,
    hint,
    error,
  })
}
