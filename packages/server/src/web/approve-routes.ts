// What agents and devices ask: the question, and where a device's code is typed.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { activatePage, submitActivation } from '../flows/activate.ts'
import { approvePage, submitApproval } from '../flows/approve.ts'
import type { FlowDeps } from '../flows/deps.ts'
import type { Answering } from './place.ts'

export function approveRoutes(app: Hono<{ Bindings: HttpBindings }>, deps: FlowDeps, { show, take }: Answering): void {
  app.get(
    '/approve',
    show((request, query) => approvePage(deps, request, query)),
  )
  app.post(
    '/approve',
    take((request, form) => submitApproval(deps, request, form)),
  )
  app.get(
    '/activate',
    show((request, { user_code: code }) => activatePage(deps, request, code)),
  )
  app.post(
    '/activate',
    take((request, { user_code: code }) => submitActivation(deps, request, code)),
  )
}
