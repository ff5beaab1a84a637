// What every page of the account area is made with.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { User } from '../../domain/user.ts'
import { openNotice } from '../../flows/account-notice.ts'
import type { BrowserRequest } from '../../flows/browser-request.ts'
import type { FlowDeps } from '../../flows/deps.ts'
import type { Outcome } from '../../flows/outcome.ts'
import { signInFirst } from '../../flows/sign-in-first.ts'
import type { Session } from '../../sessions/sessions.ts'
import { csrfToken } from '../csrf.ts'
import type { PageResponder } from '../page-responder.ts'
import type { AccountFrame } from '../pages/account-frame.ts'
import type { FormTarget } from '../pages/forms.ts'
import type { Html } from '../pages/html.ts'
import type { AccountNavItem } from '../pages/layout.ts'
import type { PageKind } from '../security-headers.ts'

export interface AccountDeps extends FlowDeps {
  readonly responder: PageResponder
}

export type AccountContext = Context<{ Bindings: HttpBindings }>

export interface Visit {
  readonly request: BrowserRequest
  readonly user: User
  readonly session: Session
  readonly query: Readonly<Record<string, string>>
}

/** Shows a page to whoever is signed in; somebody who is not does that first, and comes back. */
export async function accountPage(
  deps: AccountDeps,
  c: AccountContext,
  request: BrowserRequest,
  { kind, build }: { readonly kind: PageKind; readonly build: (visit: Visit) => Promise<Html | Outcome> },
): Promise<Response | Outcome> {
  const { session, browser } = request
  const user = session && (await deps.storage.users.find(session.userId))
  if (session === undefined || user === undefined) return signInFirst(deps, request, new URL(c.req.url).pathname)
  const built = await build({ request, user, session, query: c.req.query() })
  if (isOutcome(built)) return built
  const cookies = browser.setCookie === undefined ? [] : [browser.setCookie]
  return deps.responder.page(c, built, { kind, cookies })
}

/** It leads elsewhere instead. */
const isOutcome = (answer: Html | Outcome): answer is Outcome => Object.hasOwn(answer, 'kind')

const NAV: readonly AccountNavItem[] = [
  { page: 'account', href: '/account' },
  { page: 'account-connections', href: '/account/connections' },
  { page: 'account-agents', href: '/account/agents' },
  { page: 'account-activity', href: '/account/activity' },
]

export const accountFrame = (deps: AccountDeps, { request, query }: Visit): AccountFrame => ({
  frame: deps.responder.frame(),
  nav: NAV,
  signOutUrl: '/oidc/logout',
  said: openNotice(deps, request, query.said),
})

/** A form of an account page: it belongs to the browser and to no interaction. */
export const accountForm = ({ request }: Visit, action: string): FormTarget => ({
  action,
  csrf: csrfToken(request.browser, undefined),
})
