// Every page in every state, with words that a caller chooses: for the tests, and for people who look at the pages.

import { renderAccount } from '../../src/web/pages/account.ts'
import { renderConsent } from '../../src/web/pages/consent.ts'
import { renderError } from '../../src/web/pages/error.ts'
import { renderGoUpstream } from '../../src/web/pages/go-upstream.ts'
import type { Html } from '../../src/web/pages/html.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { renderLinkConfirm } from '../../src/web/pages/link-confirm.ts'
import { type LoginView, renderLogin } from '../../src/web/pages/login.ts'
import { renderLogout } from '../../src/web/pages/logout.ts'
import { renderResetPassword } from '../../src/web/pages/reset-password.ts'
import { renderSignup } from '../../src/web/pages/signup.ts'
import { renderVerifyEmail } from '../../src/web/pages/verify-email.ts'
import { renderVerifyLink } from '../../src/web/pages/verify-link.ts'
import { accountSamples } from './account-samples.ts'
import { approveSamples } from './approve-samples.ts'
import { arrivalPages } from './arrival-samples.ts'
import { consoleSamples } from './console-samples.ts'
import { factorSamples } from './factor-samples.ts'
import { sampleProfileForms, sampleSessions, selfSamples } from './self-samples.ts'
import { typedSamples } from './typed-samples.ts'

/** Everything on the pages that comes from outside. */
export interface SampleWords {
  readonly app: string
  readonly host: string
  readonly publisher: string
  readonly purpose: string
  readonly person: string
  readonly nickname: string
  readonly address: string
  readonly otherAddress: string
  readonly workAddress: string
  readonly userId: string
  readonly provider: string
  readonly otherProviders: readonly string[]
  readonly account: string
  readonly scope: string
  readonly description: string
  readonly providerSaid: string
  readonly requestId: string
}

export const ada: SampleWords = {
  app: 'Review buddy',
  host: 'review.northwind.example',
  publisher: 'Northwind Labs',
  purpose: 'To tell you each morning which pull requests wait for you, and to answer on them when you say so.',
  person: 'Ada Lovelace',
  nickname: 'ada',
  address: 'ada.lovelace@gmail.com',
  otherAddress: 'ada@analytical.example',
  workAddress: 'ada.lovelace@acme.example',
  userId: 'google-oauth2|1066482910733',
  provider: 'Google',
  otherProviders: ['GitHub', 'Microsoft', 'Acme staff', 'Slack', 'Apple'],
  account: 'ada-codes',
  scope: 'ledger:reconcile',
  description: 'see what you ordered',
  providerSaid: 'The user is not assigned to a role for the application.',
  requestId: 'req_01JD9Z6M4T8K',
}

export interface Sample {
  readonly name: string
  readonly html: Html
}

const AT = 1_763_800_000
const DAY = 86_400
const form = { action: '/interaction', state: 'hKFo2SBWZ1Jz', csrf: 'b2s4c3JmLXRva2Vu' }
const accountForm = { action: '/account', csrf: form.csrf }

export function samplePages(frame: PageFrame, words: SampleWords = ada): readonly Sample[] {
  return [
    ...loginPages(frame, words),
    ...passwordPages(frame, words),
    ...decisionPages(frame, words),
    ...arrivalPages(frame, words),
    ...factorSamples(frame, words),
    ...errorPages(frame, words),
    ...otherPages(frame, words),
    ...consoleSamples(frame, words),
  ]
}

function loginPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const connections = [words.provider, ...words.otherProviders].map((displayName, at) => ({
    name: `connection-${at}`,
    displayName,
  }))
  const password = { forgotUrl: '/reset', signupUrl: '/signup' }
  const view: LoginView = { frame, form, appName: words.app, connections, password }
  const errors = { password: { code: 'credentials_wrong' } } as const
  return [
    { name: 'login', html: renderLogin(view) },
    { name: 'login-last-used', html: renderLogin({ ...view, lastUsed: { connection: 'connection-0', at: AT } }) },
    { name: 'login-last-password', html: renderLogin({ ...view, lastUsed: { connection: 'password' } }) },
    { name: 'login-error', html: renderLogin({ ...view, password: { ...password, username: words.address, errors } }) },
    {
      name: 'login-notice',
      html: renderLogin({ ...view, notice: { code: 'upstream-denied', connection: words.provider } }),
    },
    { name: 'login-throttled', html: renderLogin({ ...view, notice: { code: 'too-many', retryAfterSeconds: 601 } }) },
    { name: 'login-connections', html: renderLogin({ ...view, password: undefined, appName: undefined }) },
    { name: 'login-one', html: renderLogin({ ...view, password: undefined, connections: connections.slice(0, 1) }) },
    { name: 'login-none', html: renderLogin({ ...view, password: undefined, connections: [] }) },
  ]
}

function passwordPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const signup = { frame, form, appName: words.app, passwordMinLength: 10, loginUrl: '/login' }
  const errors = { email: { code: 'address_invalid' }, password: { code: 'password_too_short', length: 10 } } as const
  const verify = { frame, form, address: words.address, mayCancel: true }
  const reset = { frame, loginUrl: '/login' }
  return [
    { name: 'signup', html: renderSignup(signup) },
    { name: 'signup-error', html: renderSignup({ ...signup, email: words.address, name: words.person, errors }) },
    { name: 'verify-email', html: renderVerifyEmail({ ...verify, reason: 'signup', mayCancel: false }) },
    {
      name: 'verify-email-connect',
      html: renderVerifyEmail({ ...verify, reason: 'connect', notice: { code: 'code-sent' } }),
    },
    {
      name: 'verify-email-error',
      html: renderVerifyEmail({ ...verify, reason: 'account', error: { code: 'code_wrong' } }),
    },
    { name: 'verify-link', html: renderVerifyLink({ frame, step: 'ask', form, address: words.address }) },
    {
      name: 'verify-link-done',
      html: renderVerifyLink({ frame, step: 'done', nextUrl: '/account', address: words.address }),
    },
    { name: 'reset-ask', html: renderResetPassword({ ...reset, step: 'ask', form }) },
    {
      name: 'reset-ask-expired',
      html: renderResetPassword({ ...reset, step: 'ask', form, notice: { code: 'link-expired' } }),
    },
    {
      name: 'reset-ask-error',
      html: renderResetPassword({
        ...reset,
        step: 'ask',
        form,
        email: words.address,
        error: { code: 'address_missing' },
      }),
    },
    { name: 'reset-sent', html: renderResetPassword({ ...reset, step: 'sent', address: words.address }) },
    {
      name: 'reset-choose',
      html: renderResetPassword({
        frame,
        step: 'choose',
        form,
        address: words.address,
        passwordMinLength: 10,
        endsSessions: true,
      }),
    },
    {
      name: 'reset-choose-error',
      html: renderResetPassword({
        frame,
        step: 'choose',
        form,
        address: words.address,
        passwordMinLength: 10,
        endsSessions: true,
        error: { code: 'password_common' },
      }),
    },
    { name: 'reset-done', html: renderResetPassword({ ...reset, step: 'done', endsSessions: true }) },
  ]
}

function decisionPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const user = { name: words.person, address: words.address }
  const consent = {
    frame,
    form,
    app: { name: words.app, host: words.host },
    user,
    signOutUrl: '/logout',
    cannotUseAccounts: true,
  }
  const ownScope = { value: 'read:orders', description: words.description }
  const link = {
    frame,
    form,
    client: { name: words.app, kind: 'agent', publisher: words.publisher, host: words.host, purpose: words.purpose },
    user: {
      ...user,
      ways: [
        { kind: 'password' },
        ...[words.provider, ...words.otherProviders.slice(0, 1)].map(
          (displayName) => ({ kind: 'connection', displayName }) as const,
        ),
      ],
    },
    account: {
      connection: 'github',
      connectionDisplayName: words.otherProviders[0] ?? '',
      name: words.account,
      address: words.otherAddress,
    },
    forSignIn: false,
    keepsTokens: true,
    mayChooseAnother: true,
    asksThere: true,
  } as const
  const scopes = ['read:user', 'user:email', 'repo', 'delete_repo', words.scope, 'offline_access'].map((value) => ({
    value,
  }))
  return [
    {
      name: 'consent',
      html: renderConsent({ ...consent, scopes: ['openid', 'profile', 'email'].map((value) => ({ value })) }),
    },
    {
      name: 'consent-more',
      html: renderConsent({
        ...consent,
        scopes: [{ value: 'openid' }, ownScope, { value: words.scope }, { value: 'offline_access' }],
        cannotUseAccounts: false,
      }),
    },
    ...approveSamples(frame, words),
    ...typedSamples(frame, words),
    { name: 'consent-nothing', html: renderConsent({ ...consent, user: { name: words.person }, scopes: [] }) },
    { name: 'link-confirm', html: renderLinkConfirm({ ...link, scopes, until: AT + 90 * DAY, manageUrl: '/account' }) },
    {
      name: 'link-confirm-sign-in',
      html: renderLinkConfirm({
        ...link,
        client: { name: words.app, kind: 'app' },
        user: { name: words.person, ways: [] },
        scopes: [],
        forSignIn: true,
        keepsTokens: false,
        mayChooseAnother: false,
      }),
    },
    { name: 'link-confirm-unnamed', html: renderLinkConfirm({ ...link, scopes: [] }) },
    {
      name: 'link-confirm-instead',
      html: renderLinkConfirm({
        ...link,
        scopes,
        typed: { isGiven: false },
        insteadOf: words.person,
        asksThere: false,
      }),
    },
  ]
}

function errorPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const error = { frame, requestId: words.requestId, nothingChanged: true }
  return [
    {
      name: 'error',
      html: renderError({ ...error, code: 'wrong_browser', next: { kind: 'start-again', url: '/account' } }),
    },
    {
      name: 'error-provider',
      html: renderError({
        ...error,
        code: 'provider_error',
        providerSaid: { connection: words.provider, text: words.providerSaid },
        next: { kind: 'app', url: 'https://app.example/start', appName: words.app },
      }),
    },
    {
      name: 'error-developer',
      html: renderError({
        ...error,
        code: 'invalid_redirect_uri',
        developerHint: words.providerSaid,
      }),
    },
    { name: 'error-unknown', html: renderError({ ...error, code: 'no_words_for_this', nothingChanged: false }) },
  ]
}

function otherPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const nav = [{ page: 'account', href: '/account' }] as const
  const account = { frame, nav, signOutUrl: '/oidc/logout', userId: words.userId, createdAt: AT - 900 * DAY }
  return [
    {
      name: 'logout',
      html: renderLogout({
        frame,
        step: 'ask',
        form,
        user: { name: words.person, address: words.address },
        connectionDisplayName: words.provider,
      }),
    },
    {
      name: 'go-upstream',
      html: renderGoUpstream({
        frame,
        connectionName: 'corp',
        connectionDisplayName: words.provider,
        action: 'https://corp.test/sso',
        fields: { SAMLRequest: words.address, RelayState: words.userId },
      }),
    },
    { name: 'logout-plain', html: renderLogout({ frame, step: 'ask', form }) },
    { name: 'logout-done', html: renderLogout({ frame, step: 'done', nextUrl: '/account' }) },
    { name: 'logout-kept', html: renderLogout({ frame, step: 'kept', nextUrl: '/account' }) },
    {
      name: 'account',
      html: renderAccount({
        ...account,
        name: words.person,
        nickname: words.nickname,
        addresses: [
          {
            address: words.address,
            isMain: true,
            isProven: true,
            mayBeProven: false,
            evidence: [
              { kind: 'connection', displayName: words.provider, vouches: true },
              { kind: 'mail', at: AT },
            ],
          },
          {
            address: words.otherAddress,
            isMain: false,
            isProven: false,
            mayBeProven: true,
            evidence: [{ kind: 'connection', displayName: words.otherProviders[0] ?? '', vouches: false }],
          },
          {
            address: words.workAddress,
            isMain: false,
            isProven: true,
            mayBeProven: false,
            evidence: [{ kind: 'operator' }, { kind: 'self' }],
          },
        ],
        ways: [{ kind: 'connection', displayName: words.provider }, { kind: 'password' }],
        verifyForm: accountForm,
        said: { code: 'address-changed', thing: words.address },
        sessions: sampleSessions(words, false),
        forms: sampleProfileForms,
      }),
    },
    {
      name: 'account-bare',
      html: renderAccount({
        ...account,
        addresses: [],
        ways: [],
        sessions: sampleSessions(words, true),
        forms: sampleProfileForms,
      }),
    },
    ...accountSamples(frame, words),
    ...selfSamples(frame, words),
  ]
}
