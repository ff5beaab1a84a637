// Pages of our own in the middle of connecting an account: each is an interaction of the browser that began it.
import type { JsonObject } from '../lib/json.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { startLocal } from './interactions.ts'
import type { Outcome } from './outcome.ts'

const PATHS = { credential: 'u/credential', 'which-account': 'u/which-account' } as const

export interface OwnStep {
  readonly step: keyof typeof PATHS
  /** Name of the connection. */
  readonly connection: string
  readonly userId: string
  /** A client's connect request, by the hash of its auth session; undefined on the person's own pages. */
  readonly leg?: string | undefined
  /** The connected account whose credential is replaced, by its id. */
  readonly account?: string | undefined
}

export async function startOwnStep(
  deps: FlowDeps,
  request: BrowserRequest,
  { step, userId, connection, leg, account }: OwnStep,
): Promise<Outcome> {
  const params: JsonObject = {
    connection,
    ...(leg === undefined ? {} : { leg }),
    ...(account === undefined ? {} : { account }),
  }
  const state = await deps.storage.transaction((tx) =>
    startLocal(tx, deps, { request, purpose: step, returnTo: deps.issuer, params, userId }),
  )
  const url = new URL(`${PATHS[step]}?state=${state}`, deps.issuer).href
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}
