// How the routes of a person's account answer: with a page for whoever is signed in, or with where a form leads.
import type { AccountWish } from '../../flows/account-wish.ts'
import type { BrowserRequest } from '../../flows/browser-request.ts'
import type { Outcome } from '../../flows/outcome.ts'
import { signInFirst } from '../../flows/sign-in-first.ts'
import { submitWish } from '../../flows/step-up.ts'
import { type AccountContext, type AccountDeps, accountPage } from './page.ts'

export type AccountForm = Readonly<Record<string, string | undefined>>
type Answer = Promise<Response | Outcome>
type Handler = (c: AccountContext) => Promise<Response>

/** How the other routes of a browser answer with a step; `take` has checked that the form is ours. */
export interface AccountAnswering {
  readonly show: (step: (request: BrowserRequest, c: AccountContext) => Answer) => Handler
  readonly take: (step: (request: BrowserRequest, form: AccountForm, c: AccountContext) => Answer) => Handler
}

export interface AccountSteps extends AccountAnswering {
  readonly page: (kind: 'account' | 'account-upstream', build: Parameters<typeof accountPage>[3]['build']) => Handler
  /** A form of somebody whose session has ended meanwhile leads to signing in, and back to its page. */
  readonly change: (path: string, step: (request: BrowserRequest, form: AccountForm) => Promise<Outcome>) => Handler
  /** The same for what needs a recent proof of who it is. */
  readonly wish: (path: string, parse: (form: AccountForm) => AccountWish) => Handler
}

export function accountSteps(deps: AccountDeps, { show, take }: AccountAnswering): AccountSteps {
  const change: AccountSteps['change'] = (path, step) =>
    take((request, form) => (request.session === undefined ? signInFirst(deps, request, path) : step(request, form)))
  return {
    show,
    take,
    change,
    page: (kind, build) => show((request, c) => accountPage(deps, c, request, { kind, build })),
    wish: (path, parse) => change(path, (request, form) => submitWish(deps, request, parse(form))),
  }
}
