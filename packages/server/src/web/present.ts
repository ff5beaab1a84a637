// A step's page as markup: adds what every page shares, and where its forms go.
import { PASSWORD_MIN_LENGTH } from '../crypto/passwords.ts'
import type { ErrorPage, FlowPage, ShownArrival, SignupProblem, VerifyPage } from '../flows/outcome.ts'
import type { BrowserIdentity } from '../sessions/browser-cookies.ts'
import { csrfToken } from './csrf.ts'
import { renderActivate } from './pages/activate.ts'
import { renderApprove } from './pages/approve.ts'
import { renderConsent } from './pages/consent.ts'
import { renderEnterCredential } from './pages/enter-credential.ts'
import { type ErrorNext, renderError } from './pages/error.ts'
import type { FieldError, FormTarget } from './pages/forms.ts'
import { renderGoUpstream } from './pages/go-upstream.ts'
import type { Html } from './pages/html.ts'
import type { PageFrame } from './pages/layout.ts'
import { renderLinkChoose } from './pages/link-choose.ts'
import { renderLinkConfirm } from './pages/link-confirm.ts'
import { renderLinkConflict } from './pages/link-conflict.ts'
import { renderLinkSuggest } from './pages/link-suggest.ts'
import { renderLogin } from './pages/login.ts'
import { renderLogout } from './pages/logout.ts'
import { renderMergePreview } from './pages/merge-preview.ts'
import { renderMfa } from './pages/mfa.ts'
import { renderResetPassword } from './pages/reset-password.ts'
import { askedAt } from './pages/scopes.ts'
import { renderSignup } from './pages/signup.ts'
import { renderVerifyEmail } from './pages/verify-email.ts'
import { renderVerifyLink } from './pages/verify-link.ts'
import { renderWhichAccount } from './pages/which-account.ts'

export interface Presentation {
  readonly frame: PageFrame
  readonly browser: BrowserIdentity
  readonly requestId: string
}

/** The markup of any page that a step asks for. */
export function present(page: FlowPage, { frame, browser, requestId }: Presentation): Html {
  const form = (action: string, state?: string): FormTarget => ({ action, state, csrf: csrfToken(browser, state) })
  const link = (path: string, state: string) => `${path}?state=${encodeURIComponent(state)}`
  switch (page.name) {
    case 'login':
      return renderLogin({
        frame,
        form: form(page.proves === undefined ? '/u/login' : '/u/prove', page.state),
        appName: page.appName,
        connections: page.connections,
        password: page.password && {
          username: page.password.username,
          errors: page.password.wrong ? { password: { code: 'credentials_wrong' } } : undefined,
          // Who proves an account has one, and a reset would end what is under way.
          ...(page.proves === undefined
            ? { forgotUrl: link('/u/reset-password', page.state), signupUrl: link('/u/signup', page.state) }
            : {}),
        },
        email: page.email && {
          value: page.email.typed,
          error: page.email.wrong ? { code: 'address_invalid' } : undefined,
        },
        passkey: page.passkey,
        notice: page.passkeyRefused ? { code: 'passkey-refused' } : undefined,
        ...(page.proves === undefined ? {} : { proves: true, hidden: { proof: page.proves } }),
      })
    case 'mfa':
      return renderMfa({ ...page, frame, form: form(page.stepUp ? '/u/reauthenticate/second' : '/u/mfa', page.state) })
    case 'signup':
      return renderSignup({
        frame,
        form: form('/u/signup', page.state),
        appName: page.appName,
        email: page.email,
        name: page.personName,
        errors: page.problem && signupErrors(page.problem),
        passwordMinLength: PASSWORD_MIN_LENGTH,
        loginUrl: loginLink(page.state),
      })
    case 'verify-email':
      return renderVerifyEmail({
        frame,
        form: form(VERIFY_PATHS[page.reason], page.state),
        code: page.code,
        address: page.address,
        reason: page.reason,
        error: page.problem && { code: page.problem },
        mayCancel: true,
        notice: page.resent ? { code: 'code-sent' } : undefined,
      })
    case 'verify-link':
      return page.step === 'ask'
        ? renderVerifyLink({ frame, step: 'ask', form: form('/verify-email', page.ticket), address: page.address })
        : renderVerifyLink({ frame, step: 'done', nextUrl: '/account', address: page.address })
    case 'reset-password':
      return presentReset(page, frame, form)
    case 'consent':
      return renderConsent({
        frame,
        form: form('/u/consent', page.state),
        app: page.client,
        scopes: page.scopes.map((value) => ({ value })),
        cannotUseAccounts: !page.mayUseAccounts,
        user: page.user,
      })
    case 'approve':
      return renderApprove({ ...page, frame, form: form('/approve', page.state) })
    case 'activate':
      return renderActivate({
        frame,
        form: form('/activate'),
        typed: page.typed,
        error: page.problem && { code: `device_${page.problem}` },
      })
    case 'link-confirm':
      return renderLinkConfirm({
        frame,
        form: form(page.for === 'agents' ? '/u/confirm' : '/u/link', page.state),
        client: { ...page.client, kind: 'app' },
        user: page.user,
        account: arrival(page.account),
        scopes: askedAt(page.account.connection.strategy, page.scopes),
        forSignIn: page.for === 'sign-in',
        keepsTokens: page.keepsTokens,
        mayChooseAnother: true,
        asksThere: page.asksThere,
        typed: page.typed,
        insteadOf: page.insteadOf,
      })
    case 'enter-credential':
      return renderEnterCredential({ ...page, frame, form: form('/u/credential', page.state) })
    case 'which-account':
      return renderWhichAccount({ ...page, frame, form: form('/u/which-account', page.state) })
    case 'link-suggest':
      return renderLinkSuggest({
        frame,
        form: form('/u/suggest', page.state),
        address: page.address,
        account: arrival(page.account),
        ways: page.ways.map(({ name, displayName, kind }) => ({ method: name, displayName, kind })),
        undoDays: page.undoDays,
        problem: page.problem,
      })
    case 'link-choose':
      return renderLinkChoose({
        frame,
        form: form('/u/choose', page.state),
        appName: page.appName,
        user: page.user,
        account: arrival(page.account),
        mayAdd: page.mayAdd,
        problem: page.problem,
      })
    case 'link-conflict':
      return renderLinkConflict({
        frame,
        form: form('/u/conflict', page.state),
        appName: page.appName,
        user: page.user,
        account: arrival(page.account),
        mayContinue: page.mayContinue,
        mayChooseAnother: page.mayChooseAnother,
        problem: page.problem,
      })
    case 'merge-preview':
      return renderMergePreview({ ...page, frame, form: form('/u/merge', page.state) })
    case 'go-upstream': {
      const { connection, action, fields } = page
      const { name: connectionName, displayName: connectionDisplayName } = connection
      return renderGoUpstream({ frame, action, fields, connectionName, connectionDisplayName })
    }
    case 'logout':
      return page.step === 'ask'
        ? renderLogout({ frame, step: 'ask', form: form('/u/logout', page.returnTo ?? ''), user: page.user })
        : renderLogout({ frame, step: 'done', nextUrl: '/account' })
    case 'error':
      return presentError(page, frame, requestId)
  }
}

/** Where each code goes. */
const VERIFY_PATHS: Readonly<Record<VerifyPage['reason'], string>> = {
  signup: '/u/verify',
  connect: '/u/address',
  account: '/u/address',
  'sign-in': '/u/mail-code',
  'step-up': '/u/reauthenticate/mail',
}

const arrival = ({ connection, name, address, byPassword = false }: ShownArrival) => ({
  byPassword,
  connection: connection.name,
  connectionDisplayName: connection.displayName,
  name,
  address,
})
const loginLink = (state: string): string => `/u/login?page=login&state=${encodeURIComponent(state)}`

type ResetFlowPage = Extract<FlowPage, { name: 'reset-password' }>

function presentReset(
  page: ResetFlowPage,
  frame: PageFrame,
  form: (action: string, state?: string) => FormTarget,
): Html {
  switch (page.step) {
    case 'ask':
      return renderResetPassword({
        frame,
        step: 'ask',
        form: form('/u/reset-password', page.state),
        email: page.email,
        error: page.problem && { code: page.problem },
        loginUrl: loginLink(page.state),
      })
    case 'sent':
      return renderResetPassword({
        frame,
        step: 'sent',
        address: page.email,
        loginUrl: loginLink(page.state),
      })
    case 'choose':
      return renderResetPassword({
        frame,
        step: 'choose',
        form: form('/reset-password', page.ticket),
        address: page.address,
        error: page.problem && fieldError(page.problem),
        passwordMinLength: PASSWORD_MIN_LENGTH,
        endsSessions: true,
      })
    case 'done':
      return renderResetPassword({ frame, step: 'done', endsSessions: true, loginUrl: '/account' })
  }
}

/** Where no app can be named to go back to, the person's own page is the way on. */
const LEADS_HOME: ReadonlySet<string> = new Set(['not_found', 'interaction_expired', 'wrong_user', 'ticket_invalid'])

function presentError({ code, hint, next }: ErrorPage, frame: PageFrame, requestId: string): Html {
  const shown: ErrorNext | undefined = next ?? (LEADS_HOME.has(code) ? { kind: 'account', url: '/account' } : undefined)
  // What broke on our side may have broken in the middle.
  const nothingChanged = code !== 'server_error' && code !== 'temporarily_unavailable'
  return renderError({ frame, code, requestId, nothingChanged, next: shown, developerHint: hint })
}

function signupErrors(problem: SignupProblem): { email?: FieldError; password?: FieldError; name?: FieldError } {
  const error = fieldError(problem)
  if (problem.startsWith('address_')) return { email: error }
  return problem === 'name_invalid' ? { name: error } : { password: error }
}

const NAME_LENGTH = 150

function fieldError(problem: SignupProblem): FieldError {
  if (problem === 'password_too_short') return { code: problem, length: PASSWORD_MIN_LENGTH }
  if (problem === 'name_invalid') return { code: problem, length: NAME_LENGTH }
  return { code: problem }
}
