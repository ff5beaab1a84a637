// The routes of the operator's console. Every one of them asks first who is there.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { type BrowserRequest, withBrowserCookie } from '../../flows/browser-request.ts'
import { enterConsole, leaveConsole, requireConsoleLink, submitConsoleChange } from '../../flows/console.ts'
import { findOperator } from '../../flows/console-operator.ts'
import { type ConsoleChange, mergePath } from '../../flows/console-wish.ts'
import { FlowError } from '../../flows/flow-error.ts'
import type { Outcome } from '../../flows/outcome.ts'
import type { AccountAnswering, AccountForm } from '../account/steps.ts'
import { csrfToken } from '../csrf.ts'
import { renderConsoleEnter } from '../pages/console-doors.ts'
import { agentPage, agentsPage } from './agents.ts'
import { duplicatesPage } from './duplicates.ts'
import { endingsPage } from './endings.ts'
import { undoPage } from './links.ts'
import { mergePage } from './merge.ts'
import {
  type Built,
  type ConsoleContext,
  type ConsoleDeps,
  type ConsoleVisit,
  closedPage,
  consolePage,
  turnAway,
} from './page.ts'
import { simulatePage } from './simulate.ts'
import { userPage } from './user.ts'
import { foundPage, homePage, usersPage } from './users.ts'

export function consoleRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  deps: ConsoleDeps,
  { show, take }: AccountAnswering,
): void {
  const page = (build: (visit: ConsoleVisit, c: ConsoleContext) => Promise<Built>) =>
    show((request, c) => consolePage(deps, c, request, (visit) => build(visit, c)))
  const change = (parse: (form: AccountForm, c: ConsoleContext) => ConsoleChange | Outcome) =>
    take((request, form, c) => submit(deps, c, request, parse(form, c)))
  const named = (c: ConsoleContext) => c.req.param('id') ?? ''

  app.get(
    '/console',
    page((visit) => homePage(deps, visit)),
  )
  app.get(
    '/console/users',
    page((visit) => usersPage(deps, visit)),
  )
  app.get(
    '/console/users/:id',
    page((visit, c) => userPage(deps, visit, named(c))),
  )
  app.get(
    '/console/duplicates',
    page((visit) => duplicatesPage(deps, visit)),
  )
  app.post('/console/duplicates', change(apartOf))
  app.get(
    '/console/merge',
    page((visit) => mergePage(deps, visit)),
  )
  app.post('/console/merge', change(mergeOf))
  app.get(
    '/console/links/:id/undo',
    page((visit, c) => undoPage(deps, visit, named(c))),
  )
  app.post(
    '/console/links/:id/undo',
    change(({ keep_changes: keep }, c) => ({ kind: 'undo', linkId: named(c), keepChanges: keep === '1' })),
  )
  app.get(
    '/console/simulate',
    page((visit) => simulatePage(deps, visit)),
  )
  app.get(
    '/console/agents',
    page((visit) => agentsPage(deps, visit)),
  )
  app.get(
    '/console/agents/:id',
    page((visit, c) => agentPage(deps, visit, named(c))),
  )
  app.get(
    '/console/endings',
    page((visit) => endingsPage(deps, visit)),
  )
  app.get(
    '/console/enter',
    show((request, c) => enterPage(deps, c, request, c.req.query('ticket'))),
  )
  app.post(
    '/console/enter',
    take((request, { state }) => enterConsole(deps, request, state)),
  )
  app.post(
    '/console/leave',
    take((request) => leaveConsole(deps, request)),
  )
  app.get(
    '/console/*',
    page((visit, c) => foundPage(deps, visit, new URL(c.req.url).pathname)),
  )
}

/** The answer of the merge's form: another look, or the change. */
function mergeOf({ action, primary, own = '', other = '', plan_hash: planHash = '' }: AccountForm) {
  const [primaryUserId, secondaryUserId] = primary === 'other' ? [other, own] : [own, other]
  const pair = { primaryUserId, secondaryUserId }
  if (action === 'confirm') return { kind: 'merge', ...pair, planHash } as const
  if (action === 'continue') return { kind: 'redirect', url: mergePath(pair) } as const
  if (action === 'cancel') return { kind: 'redirect', url: '/console/duplicates' } as const
  throw new FlowError('invalid_request')
}

/** Two users who are to be kept separate, or listed again. */
function apartOf({ action, user, other }: AccountForm): ConsoleChange {
  if (!user || !other || (action !== 'keep_separate' && action !== 'undo')) throw new FlowError('invalid_request')
  return { kind: 'apart', userIds: [user, other], apart: action === 'keep_separate' }
}

async function submit(
  deps: ConsoleDeps,
  c: ConsoleContext,
  request: BrowserRequest,
  wanted: ConsoleChange | Outcome,
): Promise<Response | Outcome> {
  if ((await findOperator(deps, request)) === undefined) return turnAway(deps, c, request)
  if (wanted.kind === 'redirect' || wanted.kind === 'page') return wanted
  return (await submitConsoleChange(deps, request, wanted)) ?? closedPage(deps, c, request, 'stale')
}

async function enterPage(
  deps: ConsoleDeps,
  c: ConsoleContext,
  request: BrowserRequest,
  given: string | undefined,
): Promise<Response> {
  const ticket = await requireConsoleLink(deps, given)
  const form = { action: '/console/enter', state: ticket, csrf: csrfToken(request.browser, ticket) }
  const html = renderConsoleEnter({ frame: deps.responder.frame(), form })
  return deps.responder.page(c, html, { kind: 'console', cookies: withBrowserCookie(request) })
}
