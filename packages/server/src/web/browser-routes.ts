// Every route that a person's browser visits, in one table.
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { startClientLink } from '../flows/client-link.ts'
import { confirmPage, continueLeg, openTicket, submitConfirm } from '../flows/connect.ts'
import { consentPage, submitConsent } from '../flows/consent.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { FlowError } from '../flows/flow-error.ts'
import {
  goUpstream,
  loginPage,
  type OpenInteraction,
  openInteraction,
  submitEmail,
  submitPasskey,
  submitPassword,
} from '../flows/login.ts'
import { logoutOidc, logoutV2, submitLogout } from '../flows/logout.ts'
import { type Part, partOf } from '../flows/next-step.ts'
import type { Outcome } from '../flows/outcome.ts'
import { keepPostedAnswer, takePostedAnswer } from '../flows/posted-answer.ts'
import { provePage, submitProof } from '../flows/prove-address.ts'
import { askReset, openReset, submitNewPassword, submitResetRequest } from '../flows/reset-password.ts'
import { samlMetadata } from '../flows/saml-metadata.ts'
import {
  cancelSignup,
  pendingAddress,
  resendCode,
  signupPage,
  submitCode,
  submitSignup,
  verifyPage,
} from '../flows/sign-up.ts'
import { takeCallback } from '../flows/upstream-callback.ts'
import { openVerification, submitVerification } from '../flows/verify-by-ticket.ts'
import { identifyBrowser, readCookie, SESSION_COOKIE } from '../sessions/browser-cookies.ts'
import { CONSOLE_COOKIE } from '../sessions/console-sessions.ts'
import { SAML_RESPONSE } from '../upstream/saml.ts'
import { accountRoutes } from './account/routes.ts'
import type { AccountAnswering } from './account/steps.ts'
import { approveRoutes } from './approve-routes.ts'
import { connectRoutes } from './connect-routes.ts'
import { consoleRoutes } from './console/routes.ts'
import { requireNavigation, requireOwnForm } from './csrf.ts'
import { clientAddress } from './http.ts'
import { linkRoutes } from './link-routes.ts'
import { type PageResponder, pageOfError } from './page-responder.ts'
import type { Answering } from './place.ts'

export interface BrowserRoutesDeps extends FlowDeps {
  readonly responder: PageResponder
  readonly trustProxy: readonly string[]
}

type Env = { Bindings: HttpBindings }
type Page = Context<Env>

export function browserRoutes(deps: BrowserRoutesDeps): Hono<Env> {
  const app = new Hono<Env>()
  const show = (step: Step) => (c: Page) => run(deps, c, step)
  const take = (step: FormStep) => (c: Page) => runForm(deps, c, step)

  app.get('/u/login', show(showInteraction))
  app.get('/u/signup', show(inSignIn((open) => signupPage(open))))
  app.get('/u/reset-password', show(inSignIn((open) => askReset(open))))
  app.get('/u/verify', show(inSignIn((open) => verifyPage(open, pendingAddress(open)))))
  app.get('/u/address', show(showInteraction))
  app.get('/u/consent', show(showInteraction))
  app.get('/u/confirm', show(showInteraction))
  app.post('/u/login', take(submitLogin))
  app.post(
    '/u/signup',
    take(
      withInteraction('sign-in', (open, form) =>
        submitSignup(deps, open, { email: form.email, password: form.password, name: form.name }),
      ),
    ),
  )
  app.post('/u/verify', take(withInteraction('sign-in', (open, form, request) => takeCode(deps, request, open, form))))
  app.post(
    '/u/address',
    take(withInteraction('prove-address', (open, form, request) => takeProof(deps, request, open, form))),
  )
  app.post(
    '/u/reset-password',
    take(withInteraction('sign-in', (open, form) => submitResetRequest(deps, open, form.email))),
  )
  app.post(
    '/u/consent',
    take(
      withInteraction('consent', (open, form, request) => submitConsent(deps, request, open, form.action === 'allow')),
    ),
  )
  app.post(
    '/u/confirm',
    take(
      withInteraction('link-confirm', (open, form, request) =>
        submitConfirm(deps, request, open.interaction, confirmAnswer(form)),
      ),
    ),
  )
  app.post(
    '/u/logout',
    take((_deps, request, form) =>
      submitLogout(deps, request, { confirmed: form.action === 'confirm', returnTo: form.state }),
    ),
  )

  app.get('/login/callback', show(callback))
  app.get('/login/callback/:connection', show(callback))
  app.post('/login/callback', show(postedCallback))
  app.post('/login/callback/:connection', show(postedCallback))
  app.get(
    '/login/answer',
    show((_deps, request, c) => takePostedAnswer(deps, request, c.req.query('id'))),
  )
  app.get('/samlp/metadata', show(describeSaml((c) => c.req.query('connection'))))
  app.get('/samlp/metadata/:connection', show(describeSaml((c) => c.req.param('connection'))))
  app.get(
    '/connected-accounts/connect',
    show((_deps, request, c) => openTicket(deps, request, c.req.query('ticket'))),
  )
  app.get(
    '/connected-accounts/continue',
    show((_deps, request, c) => continueLeg(deps, request, c.req.query())),
  )

  app.get(
    '/v2/logout',
    show((_deps, request, c) => logoutV2(deps, request, logoutRequest(c, c.req.query(), c.req.query('returnTo')))),
  )
  app.get(
    '/logout',
    show((_deps, request, c) => logoutOidc(deps, request, logoutRequest(c, c.req.query(), undefined))),
  )
  app.on(
    ['GET'],
    '/oidc/logout',
    show((_deps, request, c) =>
      logoutOidc(deps, request, logoutRequest(c, c.req.query(), c.req.query('post_logout_redirect_uri'))),
    ),
  )
  app.post(
    '/oidc/logout',
    show(async (_deps, request, c) => {
      const form = await formFields(c)
      return logoutOidc(deps, request, logoutRequest(c, form, form.post_logout_redirect_uri))
    }),
  )

  app.get(
    '/reset-password',
    show((_deps, _request, c) => openReset(deps, c.req.query('ticket'))),
  )
  app.post(
    '/reset-password',
    take((_deps, _request, form) => submitNewPassword(deps, form.state, form.password)),
  )
  app.get(
    '/verify-email',
    show((_deps, request, c) => openVerification(deps, request, c.req.query('ticket'))),
  )
  app.post(
    '/verify-email',
    take((_deps, request, form) => submitVerification(deps, request, form.state)),
  )
  const stepping: Answering = {
    show: (step) => show((_deps, request, c) => step(request, c.req.query())),
    take: (step) => take((_deps, request, form) => step(request, form)),
  }
  linkRoutes(app, deps, stepping)
  connectRoutes(app, deps, stepping)
  approveRoutes(app, deps, stepping)
  const answering: AccountAnswering = {
    show: (step) => show((_deps, request, c) => step(request, c)),
    take: (step) => take((_deps, request, form, c) => step(request, form, c)),
  }
  accountRoutes(app, deps, answering)
  consoleRoutes(app, deps, answering)
  return app
}

type Answer = Outcome | Response
type Step = (deps: BrowserRoutesDeps, request: BrowserRequest, c: Page) => Promise<Answer> | Answer
type Form = Readonly<Record<string, string | undefined>>
type FormStep = (deps: BrowserRoutesDeps, request: BrowserRequest, form: Form, c: Page) => Promise<Answer> | Answer

/** Runs a step and answers with where it leads; a refusal is the error page. */
async function run(deps: BrowserRoutesDeps, c: Page, step: Step): Promise<Response> {
  const request = await browserRequest(deps, c)
  try {
    const answer = await step(deps, request, c)
    return answer instanceof Response ? answer : deps.responder.answer(c, request.browser, answer)
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    deps.log.info({ code: error.code, cause: error.cause, path: c.req.path }, 'a journey ended')
    const answer = deps.responder.answer(c, request.browser, pageOfError(error))
    if (error.retryAfterSeconds !== undefined) answer.headers.set('retry-after', String(error.retryAfterSeconds))
    return answer
  }
}

/** The same for a form of ours, which must come from a page of ours. */
const runForm = (deps: BrowserRoutesDeps, c: Page, step: FormStep): Promise<Response> =>
  run(deps, c, async (_deps, request) => {
    const form = await formFields(c)
    const { csrf, state } = form
    const origin = { csrf, state, origin: c.req.header('origin'), secFetchSite: c.req.header('sec-fetch-site') }
    requireOwnForm(request.browser, origin, deps.issuer)
    return step(deps, request, form, c)
  })

async function browserRequest(deps: BrowserRoutesDeps, c: Page): Promise<BrowserRequest> {
  const cookies = c.req.header('cookie')
  const sessionCookie = readCookie(cookies, SESSION_COOKIE)
  return {
    browser: identifyBrowser(cookies),
    session: await deps.sessions.find(sessionCookie),
    sessionCookie,
    consoleCookie: readCookie(cookies, CONSOLE_COOKIE),
    userAgent: c.req.header('user-agent'),
    ip: clientAddress(c.env.incoming as Parameters<typeof clientAddress>[0], deps.trustProxy),
  }
}

const showInteraction: Step = async (deps, request, c) => {
  const open = await openInteraction(deps, request, c.req.query('state'))
  // A client may ask for another page first; its "sign in instead" must not lead back there.
  if (c.req.query('page') === 'login' && partOf(open.step) === 'sign-in') return loginPage(deps, request, open)
  switch (open.step.kind) {
    case 'upstream':
      return goUpstream(deps, request, open, open.step.connection)
    case 'signup':
      return signupPage(open)
    case 'reset-password':
      return askReset(open)
    case 'verify-email':
      return verifyPage(open, pendingAddress(open))
    case 'consent':
      return consentPage(deps, request, open)
    case 'link-confirm':
      return confirmPage(deps, request, open.interaction)
    case 'client-link':
      return startClientLink(deps, request, open, c.req.query('answer'))
    case 'prove-address':
      return provePage(open.interaction)
    case 'account-link':
    case 'credential':
    case 'which-account':
      throw new FlowError('interaction_expired')
    case 'login':
      return loginPage(deps, request, open)
  }
}

const inSignIn =
  (step: (open: OpenInteraction) => Outcome): Step =>
  async (deps, request, c) =>
    step(await openPart(deps, request, c.req.query('state'), 'sign-in'))

const withInteraction =
  (part: Part, step: (open: OpenInteraction, form: Form, request: BrowserRequest) => Promise<Outcome>): FormStep =>
  async (deps, request, form) =>
    step(await openPart(deps, request, form.state, part), form, request)

/** A form of one part of a journey does not answer another (T-LINK-05). */
async function openPart(
  deps: BrowserRoutesDeps,
  request: BrowserRequest,
  state: string | undefined,
  part: Part,
): Promise<OpenInteraction> {
  const open = await openInteraction(deps, request, state)
  if (partOf(open.step) !== part) throw new FlowError('interaction_expired')
  return open
}

const submitLogin: FormStep = async (deps, request, form) => {
  const open = await openPart(deps, request, form.state, 'sign-in')
  if (form.connection !== undefined) return goUpstream(deps, request, open, form.connection)
  if (form.passkey !== undefined) return submitPasskey(deps, request, open, form.passkey)
  if (form.email !== undefined) return submitEmail(deps, request, open, form.email)
  return submitPassword(deps, request, open, { username: form.username, password: form.password })
}

function takeCode(
  deps: BrowserRoutesDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  form: Form,
): Promise<Outcome> {
  if (form.resend !== undefined) return resendCode(deps, open)
  if (form.action === 'cancel') return cancelSignup(deps, request, open)
  return submitCode(deps, request, open, form.code)
}

function takeProof(
  deps: BrowserRoutesDeps,
  request: BrowserRequest,
  { interaction }: OpenInteraction,
  form: Form,
): Promise<Outcome> {
  const answer = form.resend !== undefined ? 'resend' : form.action === 'cancel' ? 'cancel' : 'code'
  return submitProof(deps, request, interaction, { code: form.code, answer })
}

const callback: Step = (deps, request, c) => {
  const { pathname: path, searchParams: answer } = new URL(c.req.url)
  // By POST alone (saml-bindings §3.5): in a URL it stands in histories and logs.
  answer.delete(SAML_RESPONSE)
  return takeCallback(deps, request, { path, answer })
}

const postedCallback: Step = async (deps, request, c) => {
  const { pathname: path } = new URL(c.req.url)
  return keepPostedAnswer(deps, request, { path, fields: await urlEncoded(c) })
}

const describeSaml =
  (nameOf: (c: Page) => string | undefined): Step =>
  async (deps, _request, c) =>
    new Response(await samlMetadata(deps, nameOf(c)), {
      headers: { 'content-type': 'application/samlmetadata+xml; charset=utf-8', 'x-content-type-options': 'nosniff' },
    })

function confirmAnswer(form: Form): 'confirm' | 'cancel' | 'another' {
  if (form.prompt !== undefined) return 'another'
  return form.action === 'confirm' ? 'confirm' : 'cancel'
}

function logoutRequest(c: Page, fields: Form, returnTo: string | undefined) {
  requireNavigation({
    secFetchSite: c.req.header('sec-fetch-site'),
    secFetchMode: c.req.header('sec-fetch-mode'),
    secFetchDest: c.req.header('sec-fetch-dest'),
  })
  return {
    clientId: fields.client_id,
    returnTo,
    state: fields.state,
    idTokenHint: fields.id_token_hint,
    logoutHint: fields.logout_hint,
  }
}

/** Our forms are posted url-encoded; anything else was not sent by one. @throws {FlowError} `invalid_request`. */
const formFields = async (c: Page): Promise<Form> => Object.fromEntries(await urlEncoded(c))

async function urlEncoded(c: Page): Promise<URLSearchParams> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') throw new FlowError('invalid_request')
  return new URLSearchParams(await c.req.text())
}
