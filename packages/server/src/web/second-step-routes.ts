// The second step of a sign-in and of a change, and the pages on which a person sets theirs up.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { finishMailLink } from '../flows/account-link.ts'
import { addPasskey, NEW_PASSKEY_PAGE, newPasskeyPage, renamePasskey } from '../flows/account-passkeys.ts'
import { APP_PAGE, appSetup, CODES_PAGE, confirmApp, shownCodes } from '../flows/account-second-factor.ts'
import { SECOND_FACTOR_CHANGES } from '../flows/account-wish.ts'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { FlowError } from '../flows/flow-error.ts'
import { getInteraction } from '../flows/interactions.ts'
import { MAIL_PROVEN_PAGE } from '../flows/mail-link.ts'
import { secondStepPage, submitSecondStep } from '../flows/second-step.ts'
import { mailedStepUpPage, secondStepUpPage, submitMailedStepUp, submitSecondStepUp } from '../flows/step-up.ts'
import { deviceOf } from '../sessions/device.ts'
import type { AccountContext, AccountDeps } from './account/page.ts'
import type { AccountForm, AccountSteps } from './account/steps.ts'
import { csrfToken } from './csrf.ts'
import { renderNewPasskey } from './pages/account-passkey.ts'
import { sayPlain } from './pages/locale.ts'
import { renderAppSetup, renderRecoveryCodes } from './pages/second-step-setup.ts'

const PAGE = '/account/connections'

export function secondStepRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  deps: AccountDeps,
  { show, take, change, wish }: AccountSteps,
): void {
  app.get(
    '/u/mfa',
    show(async (request, c) =>
      secondStepPage(deps, request, await getInteraction(deps, request, c.req.query('state'))),
    ),
  )
  app.post(
    '/u/mfa',
    take(async (request, form) =>
      submitSecondStep(deps, request, await getInteraction(deps, request, form.state), secondProof(form)),
    ),
  )
  app.get(
    '/u/reauthenticate/second',
    show((request, c) => secondStepUpPage(deps, request, c.req.query('state'))),
  )
  app.post(
    '/u/reauthenticate/second',
    take((request, form) => submitSecondStepUp(deps, request, form.state, secondProof(form))),
  )

  app.get(
    '/u/reauthenticate/mail',
    show((request, c) => mailedStepUpPage(deps, request, c.req.query('state'))),
  )
  app.post(
    '/u/reauthenticate/mail',
    take((request, { state, code, action, resend }) =>
      submitMailedStepUp(deps, request, state, { code, action, resend }),
    ),
  )

  app.post(
    `${PAGE}/second-step`,
    wish(PAGE, ({ change: wanted }) => {
      const known = SECOND_FACTOR_CHANGES.find((one) => one === wanted)
      if (known === undefined) throw new FlowError('invalid_request')
      return { kind: 'second-factor', change: known }
    }),
  )
  app.get(
    MAIL_PROVEN_PAGE,
    show((request, c) => finishMailLink(deps, request, c.req.query('proven'))),
  )
  app.get(
    NEW_PASSKEY_PAGE,
    show((request, c) => showNewPasskey(deps, c, request)),
  )
  app.post(
    NEW_PASSKEY_PAGE,
    change(PAGE, (request, { connection, label, passkey }) =>
      addPasskey(deps, request, { connection, label, passkey }),
    ),
  )
  app.post(
    `${PAGE}/passkey-label`,
    change(PAGE, (request, { passkey, label }) => renamePasskey(deps, request, { passkey, label })),
  )
  app.get(
    APP_PAGE,
    show((request, c) => showSetup(deps, c, request, c.req.query('setup'))),
  )
  app.post(
    APP_PAGE,
    take(async (request, { state, code }, c) => {
      const outcome = await confirmApp(deps, request, { state, code })
      return outcome ?? showSetup(deps, c, request, state, { wrong: true })
    }),
  )
  app.get(
    CODES_PAGE,
    show(async (request, c) => {
      const codes = await shownCodes(deps, request, c.req.query('codes'))
      return deps.responder.page(c, renderRecoveryCodes(deps.responder.frame(), codes), { kind: 'account' })
    }),
  )
}

const secondProof = ({ code, recovery, passkey, action }: AccountForm) => ({ code, recovery, passkey, action })

async function showNewPasskey(deps: AccountDeps, c: AccountContext, request: BrowserRequest): Promise<Response> {
  const { connection, options } = await newPasskeyPage(deps, request, c.req.query('connection'))
  const form = { action: NEW_PASSKEY_PAGE, csrf: csrfToken(request.browser, undefined) }
  const frame = deps.responder.frame()
  const device = deviceOf(request.userAgent)
  const label = device.system ?? sayPlain(frame, 'passkey.label.first')
  const html = renderNewPasskey({ frame, form, options, connection, label })
  return deps.responder.page(c, html, { kind: 'account', scripts: true })
}

async function showSetup(
  deps: AccountDeps,
  c: AccountContext,
  request: BrowserRequest,
  setup: string | undefined,
  { wrong = false }: { readonly wrong?: boolean } = {},
): Promise<Response> {
  const { state, ...shown } = await appSetup(deps, request, setup)
  const form = { action: APP_PAGE, state, csrf: csrfToken(request.browser, state) }
  const html = renderAppSetup({ frame: deps.responder.frame(), form, ...shown, wrong })
  return deps.responder.page(c, html, { kind: 'account', status: wrong ? 400 : 200 })
}
