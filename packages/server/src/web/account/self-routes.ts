// The routes of what a person changes of themselves: name, address, sessions, history, data, and the account's end.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { DELETED_PAGE } from '../../flows/account-delete.ts'
import { startDownload, takeDownload } from '../../flows/account-download.ts'
import { changeName } from '../../flows/account-name.ts'
import { endOtherSessions, endSession } from '../../flows/account-sessions.ts'
import { UNDO_PAGE } from '../../flows/account-undo.ts'
import { submitWish } from '../../flows/step-up.ts'
import type { JsonObject } from '../../lib/json.ts'
import { renderAccountDeleted } from '../pages/account-delete.ts'
import { deletePage } from './delete.ts'
import { undoPage } from './history.ts'
import type { AccountDeps } from './page.ts'
import type { AccountSteps } from './steps.ts'

const [ACCOUNT, CONNECTIONS, DELETE, DOWNLOAD] = [
  '/account',
  '/account/connections',
  '/account/delete',
  '/account/download',
] as const

export function selfRoutes(
  app: Hono<{ Bindings: HttpBindings }>,
  deps: AccountDeps,
  { show, page, change, wish }: AccountSteps,
): void {
  app.post(
    `${ACCOUNT}/name`,
    change(ACCOUNT, (request, { name }) => changeName(deps, request, name)),
  )
  app.post(
    `${ACCOUNT}/address`,
    wish(ACCOUNT, ({ email = '' }) => ({ kind: 'change-address', address: email })),
  )
  app.post(
    `${ACCOUNT}/sessions/end`,
    change(ACCOUNT, (request, { session }) => endSession(deps, request, session)),
  )
  app.post(
    `${ACCOUNT}/sessions/end-others`,
    change(ACCOUNT, (request) => endOtherSessions(deps, request)),
  )

  app.post(
    `${CONNECTIONS}/undo`,
    wish(CONNECTIONS, ({ link = '', keep_changes: keep }) => ({
      kind: 'undo-link',
      link,
      keepChanges: keep === 'yes',
    })),
  )
  app.get(
    UNDO_PAGE,
    page('account', (visit) => undoPage(deps, visit)),
  )

  app.post(
    DOWNLOAD,
    change(
      ACCOUNT,
      async (request) => (await startDownload(deps, request)) ?? submitWish(deps, request, { kind: 'download' }),
    ),
  )
  app.get(
    DOWNLOAD,
    show(async (request, c) => fileOf(await takeDownload(deps, request, c.req.query('ticket')))),
  )

  app.get(
    DELETE,
    page('account', (visit) => deletePage(deps, visit)),
  )
  app.post(
    DELETE,
    wish(DELETE, () => ({ kind: 'delete-account' })),
  )
  app.get(
    DELETED_PAGE,
    show(async (_request, c) =>
      deps.responder.page(c, renderAccountDeleted(deps.responder.frame()), { kind: 'account' }),
    ),
  )
}

/** A browser keeps it as a file, and nobody in between keeps it. */
function fileOf(held: JsonObject): Response {
  return new Response(`${JSON.stringify(held, undefined, 2)}\n`, {
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="account.json"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    },
  })
}
