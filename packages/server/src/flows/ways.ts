// How a user who exists can prove themselves in an interaction, and the way there.
import type { Connection } from '../domain/connection.ts'
import type { User } from '../domain/user.ts'
import type { Arrival } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { isPasswordConnection, isUpstream, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome, SignInWay } from './outcome.ts'
import { arrivalOfPending, type Pending, type Question, requirePending } from './pending.ts'
import { startUpstream } from './upstream-start.ts'

/** Connections by which a user can prove themselves here: active, and open to the client. */
export async function waysToProve(
  { storage }: Pick<FlowDeps, 'storage'>,
  { connections }: Pick<OpenInteraction, 'connections'>,
  userId: string,
): Promise<readonly Connection[]> {
  const own = new Set((await storage.identities.listOfUser(userId)).map(({ connectionId }) => connectionId))
  return connections.filter(({ id }) => own.has(id))
}

/** The ways by which a user signs in, as a page names them. */
export async function signInWays(deps: FlowDeps, { userId }: Pick<User, 'userId'>): Promise<readonly SignInWay[]> {
  const identities = await deps.storage.identities.listOfUser(userId)
  const ids = [...new Set(identities.map(({ connectionId }) => connectionId))]
  const connections = await Promise.all(ids.map((id) => deps.connections.find(deps.storage, id)))
  return connections
    .filter((connection) => connection !== undefined)
    .map((connection) =>
      isPasswordConnection(connection)
        ? { kind: 'password' }
        : { kind: 'connection', displayName: shownConnection(connection).displayName },
    )
}

/**
 * Sends the browser to prove `pending.userId`: by the way that was named, else to the page that offers them all.
 *
 * @throws {FlowError} `connection_unavailable`: the user has no such way.
 */
export async function startProof(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  pending: Pending,
  method?: string,
): Promise<Outcome> {
  const { interaction, clientId } = open
  const connection = (await waysToProve(deps, open, pending.userId)).find(({ name }) => name === method)
  if (method !== undefined && connection === undefined) throw new FlowError('connection_unavailable')
  if (connection === undefined || !isUpstream(connection)) {
    const query = new URLSearchParams({ state: interaction.uid, proof: pending.id })
    return { kind: 'redirect', url: `/u/prove?${query}`, cookies: withBrowserCookie(request) }
  }
  return startUpstream(deps, request, {
    kind: 'login',
    connection,
    continueWith: interaction.uid,
    clientId,
    scopes: [],
    wantsRefreshToken: false,
    proves: pending.id,
  })
}

/**
 * Signed in so recently that a change to the account needs no further proof. A session counts in what was begun in it:
 * one that came about meanwhile, in another tab or by another hand, has agreed to nothing here (T-LINK-04).
 */
export function isRecent(
  { clock, settings }: FlowDeps,
  { session }: BrowserRequest,
  { interaction, pending }: { readonly interaction: Interaction; readonly pending: Pending },
): boolean {
  const isOfSession = session !== undefined && session.userId === interaction.begunAs
  const at = Math.max(isOfSession ? session.authenticatedAt : 0, pending.provenAt ?? 0)
  return at + settings().linking.reauthenticationSeconds > clock()
}

/** @throws {FlowError} `wrong_user`: who was asked has signed out, or somebody else in. */
export function requireSessionOf({ session }: BrowserRequest, { userId }: Pending): void {
  if (session?.userId !== userId) throw new FlowError('wrong_user')
}

/**
 * What a page needs that asks whoever is signed in about an arrival.
 * @throws {FlowError} `interaction_expired`: another question took its place. `wrong_user`: somebody else is signed in.
 */
export async function openSessionQuestion(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  question: Question,
): Promise<{ readonly pending: Pending; readonly arrival: Arrival; readonly user: User }> {
  const pending = requirePending(interaction, question)
  requireSessionOf(request, pending)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  const user = await deps.storage.users.find(pending.userId)
  if (user === undefined) throw new FlowError('wrong_user')
  return { pending, arrival, user }
}
