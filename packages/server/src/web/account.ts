// The person's own page: who they are here, and what is known of their addresses.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Connection } from '../domain/connection.ts'
import { connectionSource } from '../domain/identity-key.ts'
import type { AddressEvidence, User } from '../domain/user.ts'
import { type BrowserRequest, withBrowserCookie } from '../flows/browser-request.ts'
import { nameOf } from '../flows/connect.ts'
import { isPasswordConnection, shownConnection } from '../flows/connections.ts'
import { startLocal } from '../flows/interactions.ts'
import type { BrowserRoutesDeps } from './browser-routes.ts'
import { type AccountAddress, type AddressProof, renderAccount } from './pages/account.ts'

/** Shows the account page; somebody who is not signed in does that first, and comes back. */
export async function accountPage(
  deps: BrowserRoutesDeps,
  c: Context<{ Bindings: HttpBindings }>,
  request: BrowserRequest,
): Promise<Response> {
  const { storage, responder } = deps
  const user = request.session && (await storage.users.find(request.session.userId))
  if (user === undefined) return signInFirst(deps, c, request)
  const identities = await storage.identities.listOfUser(user.userId)
  const found = await Promise.all(identities.map(({ connectionId }) => deps.connections.find(storage, connectionId)))
  const connections = found.filter((one) => one !== undefined)
  const html = renderAccount({
    frame: responder.frame(),
    nav: [{ page: 'account', href: '/account' }],
    signOutUrl: '/oidc/logout',
    name: nameOf(user),
    nickname: user.profile.nickname,
    userId: user.userId,
    createdAt: user.createdAt,
    addresses: addressesOf(user, await storage.evidence.listOfUser(user.userId), connections),
    ways: connections.map((connection) =>
      isPasswordConnection(connection)
        ? { kind: 'password' }
        : { kind: 'connection', displayName: shownConnection(connection).displayName },
    ),
  })
  return responder.page(c, html, { kind: 'account' })
}

async function signInFirst(deps: BrowserRoutesDeps, c: Context, request: BrowserRequest): Promise<Response> {
  const returnTo = new URL(new URL(c.req.url).pathname.slice(1), deps.issuer).href
  const state = await deps.storage.transaction((tx) => startLocal(tx, deps, { request, purpose: 'sign-in', returnTo }))
  const url = new URL(`u/login?state=${state}`, deps.issuer).href
  return deps.responder.answer(c, request.browser, { kind: 'redirect', url, cookies: withBrowserCookie(request) })
}

function addressesOf(
  user: User,
  evidence: readonly AddressEvidence[],
  connections: readonly Connection[],
): readonly AccountAddress[] {
  const addresses = [
    ...new Set([...(user.email === undefined ? [] : [user.email]), ...evidence.map((one) => one.address)]),
  ]
  return addresses.map((address) => {
    const said = evidence.filter((one) => one.address === address)
    return {
      address,
      isMain: address === user.email,
      isProven: said.some((one) => one.grade >= 1),
      evidence: said.flatMap((one) => proofOf(one, connections)),
    }
  })
}

function proofOf(
  { source, grade, saidAt }: AddressEvidence,
  connections: readonly Connection[],
): readonly AddressProof[] {
  if (source === 'mail') return [{ kind: 'mail', at: saidAt }]
  if (source === 'operator' || source === 'self') return [{ kind: source }]
  const connection = connections.find(({ id }) => connectionSource(id) === source)
  if (connection === undefined) return []
  return [{ kind: 'connection', displayName: shownConnection(connection).displayName, vouches: grade >= 1 }]
}
