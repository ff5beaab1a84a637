// Sign in: with a password, or with a connection.
import type { JsonObject } from '../../lib/json.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { button, heading, monogram, softLine, textLink } from './components.ts'
import { addressField, type FieldError, type FormTarget, field, form } from './forms.ts'
import { type Html, type HtmlValue, html, joined } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'
import { type Notice, renderNotice } from './notices.ts'
import { passkeyForm } from './passkey-form.ts'
import { said } from './text.ts'

export interface LoginView {
  readonly frame: PageFrame
  readonly form: FormTarget
  /** The app that wants to know who this is; none when the person came to their own account. */
  readonly appName?: string | undefined
  /** Without the password connection. */
  readonly connections: readonly LoginConnection[]
  /** The way this browser signed in last. */
  readonly lastUsed?: LastUsed | undefined
  /** Present when the password connection is on. */
  readonly password?: PasswordLogin | undefined
  /** Present when a code can be mailed. */
  readonly email?: { readonly value?: string | undefined; readonly error?: FieldError | undefined } | undefined
  /** What the browser is asked for, where passkeys are on. */
  readonly passkey?: JsonObject | undefined
  readonly notice?: Notice | undefined
  /** Fields that every form carries along. */
  readonly hidden?: Readonly<Record<string, string>> | undefined
  /** An account that exists is to be proven, not signed in to. */
  readonly proves?: boolean
}

export interface LoginConnection {
  readonly name: string
  readonly displayName: string
}

export interface LastUsed {
  readonly connection: string
  readonly at?: EpochSeconds | undefined
}

export interface PasswordLogin {
  /** What was typed, or the client's hint. A password is never sent back. */
  readonly username?: string | undefined
  readonly errors?:
    | { readonly username?: FieldError | undefined; readonly password?: FieldError | undefined }
    | undefined
  readonly forgotUrl?: string | undefined
  /** None when nobody may sign up. */
  readonly signupUrl?: string | undefined
}

export function renderLogin(view: LoginView): Html {
  const { frame, appName, password, notice } = view
  const title = sayPlain(frame, 'login.title', { tenant: frame.tenantName })
  const lead = view.proves
    ? say(frame, 'login.proves')
    : appName !== undefined
      ? say(frame, 'login.for-app', { app: appName })
      : undefined
  const content = html`${heading(say(frame, 'login.title', { tenant: frame.tenantName }), lead)}
${notice && renderNotice(frame, notice)}
${waysIn(view)}
${view.passkey && passkeyPart(view, view.passkey)}
${password?.signupUrl !== undefined && signupLine(frame, password.signupUrl)}`
  const hasError = Boolean(password?.errors ?? view.email?.error)
  return renderLetter(frame, { page: 'login', title, hasError, scripts: view.passkey !== undefined, content })
}

/** The way that was used last stands first; after it the password, after that the others. */
function waysIn(view: LoginView): Html {
  const { frame, connections, lastUsed, password, email } = view
  const first = connections.find((connection) => connection.name === lastUsed?.connection)
  const others = connections.filter((connection) => connection !== first)
  const ways: HtmlValue[] = []
  if (first) ways.push(connectionForm(view, first))
  if (password) ways.push(passwordForm(view, password))
  if (email) ways.push(emailForm(view, email))
  if (others.length > 0) ways.push(tiles(view, others))
  if (isOnlyPasskeys(view)) return html`<p data-without-passkey>${say(frame, 'passkey.needs-script')}</p>`
  if (ways.length === 0) return html`<p>${say(frame, 'login.no-way')}</p>`
  const between = (at: number) => {
    const place = at - (first ? 1 : 0)
    if (password && place === 0) return say(frame, 'login.or-password')
    return say(frame, email && place === (password ? 1 : 0) ? 'mail-code.or' : 'login.or-with')
  }
  return joined(
    ways.map((way, at) => (at === 0 ? way : html`<h2 class="or">${between(at)}</h2>\n${way}`)),
    '\n',
  )
}

const isOnlyPasskeys = ({ connections, password, email, passkey }: LoginView): boolean =>
  passkey !== undefined && connections.length === 0 && !password && !email

function connectionForm(
  { frame, form: target, lastUsed, hidden }: LoginView,
  { name, displayName }: LoginConnection,
): Html {
  const isLast = lastUsed?.connection === name
  const used =
    lastUsed?.at === undefined
      ? say(frame, 'login.used-last')
      : say(frame, 'login.used-last-on', { day: day(frame, lastUsed.at) })
  const words = say(frame, 'login.with', { connection: displayName })
  return form(
    target,
    { name: 'connection', connection: name, hidden: { ...hidden, connection: name } },
    html`<button class="btn full left" name="action" value="continue">${monogram(displayName, { small: true, hueBy: name })}<span>${words}${isLast && html`<br><span class="small soft">${used}</span>`}</span></button>`,
  )
}

function tiles(view: LoginView, connections: readonly LoginConnection[]): Html {
  const [only, ...rest] = connections
  if (only && rest.length === 0) return connectionForm(view, only)
  return html`<ul class="tiles">
${connections.map((connection) => html`<li>${tile(view, connection)}</li>\n`)}</ul>`
}

function tile({ form: target, hidden }: LoginView, { name, displayName }: LoginConnection): Html {
  return form(
    target,
    { name: 'connection', connection: name, hidden: { ...hidden, connection: name } },
    html`<button class="btn full left" name="action" value="continue">${monogram(displayName, { small: true, hueBy: name })}<span>${said(displayName)}</span></button>`,
  )
}

function passwordForm(
  { frame, form: target, lastUsed, connections, hidden }: LoginView,
  password: PasswordLogin,
): Html {
  const { username, errors, forgotUrl } = password
  const lastHere = lastUsed !== undefined && !connections.some((connection) => connection.name === lastUsed.connection)
  const passwordInput = field(frame, {
    name: 'password',
    label: say(frame, 'field.password'),
    type: 'password',
    autocomplete: 'current-password',
    error: errors?.password,
    after:
      forgotUrl !== undefined && textLink(forgotUrl, html`<span class="small">${say(frame, 'login.forgot')}</span>`),
  })
  return form(
    target,
    { name: 'login', stack: true, ...(hidden && { hidden }) },
    html`${lastHere && softLine(say(frame, 'login.used-last'))}
${addressField(frame, { name: 'username', value: username, error: errors?.username })}
${passwordInput}
${button('continue', say(frame, 'login.submit'), { tone: 'go', full: true })}`,
  )
}

/** A code goes to the address: nothing to remember, and nothing to sign up for. */
function emailForm(
  { frame, form: target, hidden, password }: LoginView,
  { value, error }: NonNullable<LoginView['email']>,
): Html {
  const input = addressField(frame, { name: 'email', value, error })
  const submit = button('continue', say(frame, 'mail-code.submit'), { tone: password ? 'quiet' : 'go', full: true })
  return form(
    target,
    { name: 'email', stack: true, ...(hidden && { hidden }) },
    html`${input}
${submit}`,
  )
}

function passkeyPart(view: LoginView, options: JsonObject): Html {
  const { frame, form: target, hidden } = view
  const words = say(frame, 'passkey.sign-in')
  return html`${!isOnlyPasskeys(view) && html`<h2 class="or" data-with-passkey hidden>${say(frame, 'login.or-with')}</h2>`}
${passkeyForm(frame, target, { does: 'get', options, hidden }, button('continue', words, { full: true }))}`
}

const signupLine = (frame: PageFrame, url: string): Html =>
  softLine(say(frame, 'login.new', { tenant: frame.tenantName, link: textLink(url, say(frame, 'login.create')) }))
