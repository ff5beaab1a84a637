// Type a key, or a user name and a password, for an account that agents use. What becomes of it is said before.

import { LABEL_LENGTH } from '../../domain/label.ts'
import { SECRET_LENGTH, USERNAME_LENGTH } from '../../domain/typed-credential.ts'
import type { EnterCredentialPage } from '../../flows/outcome.ts'
import { abilities, button, facts, heading, linkButton, softLine, textLink } from './components.ts'
import { type FieldError, type FormTarget, field, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { listOf, say, sayPlain } from './locale.ts'
import { describeScopes } from './scopes.ts'
import { said } from './text.ts'

export interface EnterCredentialView extends Omit<EnterCredentialPage, 'name' | 'state'> {
  readonly frame: PageFrame
  /** Takes `action=continue` with `secret`, and `username` or `label` where they are asked for; `action=cancel`. */
  readonly form: FormTarget
}

export function renderEnterCredential(view: EnterCredentialView): Html {
  const { frame, form: target, connection, kind, client, replaces, problem } = view
  const values = { connection: connection.displayName }
  const title = replaces === undefined ? (`typed.title.${kind}` as const) : (`typed.title.replace.${kind}` as const)
  const cancel = form(target, {}, linkButton('action', 'cancel', say(frame, 'page.cancel')))
  const content = html`${heading(say(frame, title, values), leadOf(view))}
${form(
  target,
  { name: 'enter-credential', connection: connection.name, stack: true },
  html`${fields(view)}
${button('continue', say(frame, 'page.continue'), { tone: 'go', full: true })}`,
)}
${facts(terms(view), 'ruled')}
${whatFor(view)}
${cancel}
${client !== undefined && softLine(say(frame, 'typed.if-no', { client: client.name }))}`
  return renderLetter(frame, {
    page: 'enter-credential',
    title: sayPlain(frame, title, values),
    hasError: problem !== undefined,
    content,
  })
}

function leadOf({ frame, client, replaces }: EnterCredentialView): Html {
  if (client !== undefined) return say(frame, 'link.lead', { client: client.name })
  return replaces === undefined
    ? say(frame, 'add.lead.agents')
    : say(frame, 'typed.lead.replace', { account: replaces })
}

const FIELD_OF = {
  label_bad: 'label',
  username_bad: 'username',
  secret_missing: 'secret',
  secret_bad: 'secret',
  secret_refused: 'secret',
  secret_unchecked: 'secret',
} as const

function fields(view: EnterCredentialView): Html {
  const { frame, kind, asksLabel, label, username, problem } = view
  const errorOf = (name: 'label' | 'username' | 'secret'): FieldError | undefined =>
    problem !== undefined && FIELD_OF[problem] === name ? { code: problem } : undefined
  const common = { type: 'text', autocomplete: 'off' } as const
  return html`${
    asksLabel &&
    field(frame, {
      ...common,
      name: 'label',
      label: say(frame, 'typed.label'),
      hint: say(frame, 'typed.label.hint'),
      value: label,
      maxLength: LABEL_LENGTH,
      error: errorOf('label'),
    })
  }${
    kind === 'basic' &&
    field(frame, {
      ...common,
      name: 'username',
      label: say(frame, 'typed.username'),
      value: username,
      maxLength: USERNAME_LENGTH,
      error: errorOf('username'),
    })
  }${field(frame, {
    name: 'secret',
    label: say(frame, `typed.secret.${kind}`),
    type: 'password',
    // A password manager would offer the person's own, and keep this one as if it were.
    autocomplete: 'off',
    hint: hintOf(view),
    maxLength: SECRET_LENGTH,
    error: errorOf('secret'),
  })}`
}

function hintOf({ frame, kind, helpUrl, connection }: EnterCredentialView): HtmlValue {
  const values = { connection: connection.displayName }
  const link = helpUrl !== undefined && html` ${textLink(helpUrl, say(frame, 'typed.help', values))}`
  return html`${say(frame, `typed.hint.${kind}`, values)}${link}`
}

/** Who has what was typed; `isGiven`: an exchange gives it to the client that asks. */
export function typedKey(frame: PageFrame, client: TypedFor | undefined): Html {
  const { tenantName: tenant } = frame
  if (client === undefined) return say(frame, 'typed.key.own', { tenant })
  return say(frame, client.isGiven ? 'typed.key.given' : 'typed.key', { tenant, client: client.name })
}

export interface TypedFor {
  readonly name: string
  readonly isGiven: boolean
}

/** What it means, as exactly as is known: nothing of it ends by itself. */
function terms({
  frame,
  client,
  connection,
  hosts,
}: EnterCredentialView): readonly (readonly [HtmlValue, HtmlValue])[] {
  const values = { connection: connection.displayName, tenant: frame.tenantName }
  return [
    [say(frame, 'link.key'), typedKey(frame, client)],
    [
      say(frame, 'typed.sent'),
      say(frame, 'typed.sent.text', {
        hosts: listOf(
          frame,
          hosts.map((host) => said(host)),
        ),
      }),
    ],
    [say(frame, 'link.how-long'), say(frame, 'typed.how-long', values)],
  ]
}

function whatFor({ frame, scopes }: EnterCredentialView): Html | undefined {
  if (scopes.length === 0) return undefined
  const asked = describeScopes(scopes.map((value) => ({ value })))
  return html`<section aria-labelledby="may"><h2 id="may">${say(frame, 'typed.may')}</h2>
${abilities(frame, asked)}
</section>`
}
