// Somebody who is not signed in does that first, and comes back.
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { startLocal } from './interactions.ts'
import type { Outcome } from './outcome.ts'

/** @param path of ours, with its query */
export async function signInFirst(deps: FlowDeps, request: BrowserRequest, path: string): Promise<Outcome> {
  const returnTo = new URL(path, deps.issuer).href
  const state = await deps.storage.transaction((tx) => startLocal(tx, deps, { request, purpose: 'sign-in', returnTo }))
  const url = new URL(`u/login?state=${state}`, deps.issuer).href
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}
