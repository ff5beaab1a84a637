// A page that asks, and its form: one path for both.
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import type { Outcome } from '../flows/outcome.ts'

type Env = { Bindings: HttpBindings }
type Form = Readonly<Record<string, string | undefined>>
type Show = (step: (request: BrowserRequest, query: Form) => Promise<Outcome>) => (c: Context<Env>) => Promise<Response>
type Take = (step: (request: BrowserRequest, form: Form) => Promise<Outcome>) => (c: Context<Env>) => Promise<Response>

/** How the other routes of a browser answer with a step; `take` has checked that the form is ours. */
export interface Answering {
  readonly show: Show
  readonly take: Take
}

/** A page below one path, and what becomes of its form; `open` finds what either is about. */
export interface Place<About> {
  readonly open: (request: BrowserRequest, fields: Form) => Promise<About>
  readonly look: (request: BrowserRequest, about: About, query: Form) => Outcome | Promise<Outcome>
  readonly answer: (request: BrowserRequest, about: About, form: Form) => Promise<Outcome>
}

export function servePlace<About>(
  app: Hono<Env>,
  { show, take }: Answering,
  path: string,
  { open, look, answer }: Place<About>,
): void {
  app.get(
    path,
    show(async (request, query) => look(request, await open(request, query), query)),
  )
  app.post(
    path,
    take(async (request, form) => answer(request, await open(request, form), form)),
  )
}
