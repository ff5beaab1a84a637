// The routes of a person's own account, and of the proofs that its changes ask for.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { stopAgent } from '../../flows/account-agents.ts'
import { disconnectAccount, labelAccount, setDefaultAccount } from '../../flows/account-connected.ts'
import { type AddAnswer, addPage, proveFirst, submitAdd } from '../../flows/account-link.ts'
import { requireOwner } from '../../flows/account-owner.ts'
import type { BrowserRequest } from '../../flows/browser-request.ts'
import { notMePage, submitNotMe } from '../../flows/not-me.ts'
import { reauthenticatePage, type StepUpTried, submitStepUp } from '../../flows/step-up.ts'
import { csrfToken } from '../csrf.ts'
import { renderLinkConfirm } from '../pages/link-confirm.ts'
import { renderNotMe, renderNotMeDone } from '../pages/not-me.ts'
import { renderReauthenticate } from '../pages/reauthenticate.ts'
import { askedAt } from '../pages/scopes.ts'
import { secondStepRoutes } from '../second-step-routes.ts'
import { activityPage } from './activity.ts'
import { agentsPage } from './agents.ts'
import { connectionsPage } from './connections.ts'
import type { AccountContext, AccountDeps } from './page.ts'
import { profilePage } from './profile.ts'
import { selfRoutes } from './self-routes.ts'
import { type AccountAnswering, type AccountForm, accountSteps } from './steps.ts'

export function accountRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  deps: AccountDeps,
  answering: AccountAnswering,
): void {
  const steps = accountSteps(deps, answering)
  const { show, take, page, change, wish } = steps
  const [connections, agents] = ['/account/connections', '/account/agents']

  app.get(
    '/account',
    page('account', (visit) => profilePage(deps, visit)),
  )
  app.get(
    connections,
    page('account-upstream', (visit) => connectionsPage(deps, visit)),
  )
  app.get(
    agents,
    page('account', (visit) => agentsPage(deps, visit)),
  )
  app.get(
    '/account/activity',
    page('account', (visit) => activityPage(deps, visit)),
  )

  app.post(
    `${connections}/link`,
    wish(connections, ({ connection = '', account }) => ({ kind: 'link', connection, account })),
  )
  app.post(
    `${connections}/unlink`,
    wish(connections, ({ identity = '' }) => ({ kind: 'unlink', identity })),
  )
  app.post(
    `${connections}/label`,
    change(connections, (request, { account, label }) => labelAccount(deps, request, account, label)),
  )
  app.post(
    `${connections}/default`,
    change(connections, (request, { account }) => setDefaultAccount(deps, request, account)),
  )
  app.post(
    `${connections}/disconnect`,
    change(connections, (request, { account }) => disconnectAccount(deps, request, account)),
  )
  app.post(
    `${agents}/stop`,
    change(agents, (request, { client }) => stopAgent(deps, request, client)),
  )
  app.post(
    `${agents}/resume`,
    wish(agents, ({ client = '' }) => ({ kind: 'resume-agent', client })),
  )

  selfRoutes(app, deps, steps)
  secondStepRoutes(app, deps, steps)

  app.get(
    '/u/reauthenticate',
    show((request, c) => showStepUp(deps, c, request, c.req.query('state'))),
  )
  app.post(
    '/u/reauthenticate',
    take(async (request, { state, connection, username, password, passkey, action }, c) => {
      const outcome = await submitStepUp(deps, request, state, { connection, username, password, passkey, action })
      return typeof outcome === 'string' ? showStepUp(deps, c, request, state, outcome) : outcome
    }),
  )
  app.post(
    '/account/prove',
    change('/account', async (request) => proveFirst(deps, request, (await requireOwner(deps, request)).user)),
  )
  app.get(
    '/u/add',
    show((request, c) => showAdd(deps, c, request, c.req.query('state'))),
  )
  app.post(
    '/u/add',
    take((request, form) => submitAdd(deps, request, form.state, addAnswer(form))),
  )
  app.get(
    '/account/not-me',
    show((request, c) => showNotMe(deps, c, request)),
  )
  app.post(
    '/account/not-me',
    take(async (_request, { state }) => {
      await submitNotMe(deps, state)
      return { kind: 'redirect', url: '/account/not-me/done' }
    }),
  )
  app.get(
    '/account/not-me/done',
    show(async (_request, c) => deps.responder.page(c, renderNotMeDone(deps.responder.frame()))),
  )
}

async function showAdd(
  deps: AccountDeps,
  c: AccountContext,
  request: BrowserRequest,
  state: string | undefined,
): Promise<Response> {
  const { account, scopes, ...page } = await addPage(deps, request, state)
  const { connection, name, address } = account
  const html = renderLinkConfirm({
    frame: deps.responder.frame(),
    form: { action: '/u/add', state: page.state, csrf: csrfToken(request.browser, page.state) },
    user: page.user,
    account: { connection: connection.name, connectionDisplayName: connection.displayName, name, address },
    scopes: askedAt(account.connection.strategy, scopes),
    forSignIn: page.forSignIn,
    keepsTokens: page.keepsTokens,
    mayChooseAnother: true,
    asksThere: page.asksThere,
    typed: page.isTyped ? { isGiven: false } : undefined,
    insteadOf: page.insteadOf,
  })
  return deps.responder.page(c, html, { cookies: cookiesOf(request) })
}

function addAnswer({ action, prompt }: AccountForm): AddAnswer {
  if (prompt !== undefined) return 'another'
  return action === 'confirm' ? 'confirm' : 'cancel'
}

async function showStepUp(
  deps: AccountDeps,
  c: AccountContext,
  request: BrowserRequest,
  state: string | undefined,
  tried?: StepUpTried,
): Promise<Response> {
  const page = await reauthenticatePage(deps, request, state, tried)
  const form = { action: '/u/reauthenticate', state: page.state, csrf: csrfToken(request.browser, page.state) }
  const html = renderReauthenticate({ frame: deps.responder.frame(), form, ...page })
  const scripts = page.passkey !== undefined
  return deps.responder.page(c, html, { scripts, status: tried ? 403 : 200, cookies: cookiesOf(request) })
}

async function showNotMe(deps: AccountDeps, c: AccountContext, request: BrowserRequest): Promise<Response> {
  const { ticket, denied, at } = await notMePage(deps, c.req.query('ticket'))
  const form = { action: '/account/not-me', state: ticket, csrf: csrfToken(request.browser, ticket) }
  const html = renderNotMe({ frame: deps.responder.frame(), form, denied, at })
  return deps.responder.page(c, html, { cookies: cookiesOf(request) })
}

/** A form needs the browser's name: the page that holds it brings the cookie. */
const cookiesOf = ({ browser }: BrowserRequest): readonly string[] =>
  browser.setCookie === undefined ? [] : [browser.setCookie]
