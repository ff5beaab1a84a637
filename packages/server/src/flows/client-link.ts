// A client asks, by an authorization request, to add an account or to take one away (auth0-wire.md §4.1). The engine has
// judged the request; here the person proves the account at its provider, sees who asks for what, and decides.
import { transact } from '../accounts/transact.ts'
import { unlinkIdentity } from '../accounts/unlink.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import { parseClient } from '../domain/client.ts'
import { type Connection, identityUserId, keepsSignInTokens } from '../domain/connection.ts'
import { Invalid } from '../domain/errors.ts'
import type { Identity, User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import { type LinkRequest, linkRequestOf } from '../oauth/link-request.ts'
import type { Session } from '../sessions/sessions.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { asksWhichAccount } from '../upstream/connectors.ts'
import { addArrival, tellOf } from './add-arrival.ts'
import { arrivalOf, giveBack, keepTokenset } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { decline } from './choose.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { finishAs } from './finish-as.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction, settle } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome } from './outcome.ts'
import { arrivalOfPending, askAbout, requirePending } from './pending.ts'
import { startAddressProof } from './prove-address.ts'
import { shownUser } from './shown-user.ts'
import { nameOfArrival } from './suggest.ts'
import type { OpenTransaction } from './upstream-callback.ts'
import { startUpstream } from './upstream-start.ts'
import { requireSessionOf, signInWays } from './ways.ts'

/**
 * The engine found the request good: to the provider, or straight to taking away. Nothing is added to an account whose own
 * address is unproven: that is proven first, and the browser comes here again.
 *
 * @param answer `cancel`: the person would rather not prove it.
 */
export async function startClientLink(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer?: string,
): Promise<Outcome> {
  const { interaction } = open
  const { user, asked } = await requireAsker(deps, request, interaction)
  if (asked.action === 'unlink') return unlink(deps, request, open, user)
  if (mayLink(user)) return toProvider(deps, request, open)
  if (answer === 'cancel' || user.email === undefined)
    return refuse(deps, request, interaction, "The user's own address is not proven.")
  return startAddressProof(deps, request, {
    userId: user.userId,
    address: user.email,
    clientId: open.clientId,
    returnTo: pageUrl(deps, interaction),
    cancelTo: pageUrl(deps, interaction, { answer: 'cancel' }),
  })
}

const pageUrl = ({ issuer }: FlowDeps, { uid }: Interaction, more: Readonly<Record<string, string>> = {}): string =>
  new URL(`u/login?${new URLSearchParams({ state: uid, ...more })}`, issuer).href

async function toProvider(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  extra: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const { interaction, clientId } = open
  const { requested_connection: name, requested_connection_scope: scope } = interaction.params
  const connection = open.connections.find((one) => one.name === name)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  return startUpstream(deps, request, {
    kind: 'link',
    connection,
    continueWith: interaction.uid,
    clientId,
    scopes: isString(scope) ? scope.split(/\s+/).filter(Boolean) : [],
    wantsRefreshToken: keepsSignInTokens(connection),
    // Whoever happens to be signed in there is not taken without a look (auth0-wire.md §4.1).
    extra: { max_age: '0', ...extra },
  })
}

/** The provider said whose account it is: shown to the person before anything is written. */
export async function finishClientLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection, secrets, transaction }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  const { user } = await requireAsker(deps, request, interaction)
  const arrival = arrivalOf({ connection, scopes: transaction.scopes }, account)
  const identity = await deps.storage.identities.find(connection.id, arrival.subject)
  const isAnothers = identity !== undefined && identity.userId !== user.userId
  return askAbout(deps, request, interaction, {
    question: isAnothers ? 'conflict' : 'confirm',
    userId: user.userId,
    ownerId: isAnothers ? identity.userId : undefined,
    arrival,
  })
}

/** The provider, or the person there, said no. */
export async function refuseClientLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { secrets }: OpenTransaction,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  return refuse(deps, request, interaction, 'The provider or the person refused.')
}

export async function clientLinkPage(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction): Promise<Outcome> {
  const { interaction, clientId } = open
  const pending = requirePending(interaction, 'confirm')
  requireSessionOf(request, pending)
  const { user } = await requireAsker(deps, request, interaction)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  const record = clientId === undefined ? undefined : await deps.storage.clients.find(clientId)
  if (record === undefined) throw new FlowError('interaction_expired')
  const { redirect_uri: redirectUri } = interaction.params
  return {
    kind: 'page',
    page: {
      name: 'link-confirm',
      state: interaction.uid,
      for: 'sign-in',
      client: {
        name: parseClient(record).name,
        host: isString(redirectUri) ? URL.parse(redirectUri)?.host : undefined,
      },
      user: { ...shownUser(user), ways: await signInWays(deps, user) },
      account: {
        connection: shownConnection(arrival.connection),
        name: nameOfArrival(arrival),
        address: arrival.email,
      },
      scopes: arrival.account?.tokenset?.scopes ?? arrival.scopesAsked,
      keepsTokens: keepsSignInTokens(arrival.connection),
      asksThere: asksWhichAccount(deps.connectors, arrival.connection),
    },
  }
}

export type ClientLinkAnswer = 'confirm' | 'cancel' | 'another'

export async function submitClientLink(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: ClientLinkAnswer,
): Promise<Outcome> {
  const { interaction, clientId } = open
  const pending = requirePending(interaction, 'confirm', 'conflict')
  requireSessionOf(request, pending)
  const { session } = await requireAsker(deps, request, interaction)
  if (answer === 'cancel') return decline(deps, request, interaction, pending)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  if (answer === 'another') {
    await deps.storage.transaction((tx) => giveBack(deps, tx, arrival, pending.userId))
    return toProvider(deps, request, open, { prompt: 'select_account' })
  }
  requirePending(interaction, 'confirm')
  return finishAs(deps, request, interaction, async (tx, at) => {
    await addArrival(deps, tx, arrival, {
      userId: pending.userId,
      rule: 'client',
      proof: { by: 'session', authenticated_at: session.authenticatedAt, amr: arrival.amr },
      at,
      clientId,
    })
    await keepTokenset(deps, tx, arrival, { userId: pending.userId, clientId })
    return sameLogin(session)
  })
}

/** The identity of the connection goes; the one that the user began with stays. */
async function unlink(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction, user: User): Promise<Outcome> {
  const { interaction, clientId } = open
  const { session } = request
  const name = String(interaction.params.requested_connection)
  const record = await deps.storage.connections.findByName(name)
  if (record === undefined || session === undefined) throw new FlowError('connection_unavailable')
  const identities = await deps.storage.identities.listOfUser(user.userId)
  const own = identities.filter(({ connectionId }) => connectionId === record.id)
  const removable = own.filter(({ position }) => position > 0)
  const [identity, ...more] = removable
  if (own.length > 0 && identity === undefined)
    return refuse(deps, request, interaction, 'The primary identity of a user cannot be unlinked.')
  if (more.length > 0)
    return refuse(deps, request, interaction, 'Several identities of the connection are linked: unlink one by its id.')
  try {
    return await finishAs(deps, request, interaction, async (tx, at) => {
      if (identity !== undefined) await takeAway(deps, tx, { identity, connection: record, at, clientId })
      return sameLogin(session)
    })
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    return refuse(deps, request, interaction, error.message)
  }
}

interface Removal {
  readonly identity: Identity
  readonly connection: Pick<Connection, 'name' | 'strategy'>
  readonly at: number
  readonly clientId: string | undefined
}

const takeAway = async (
  deps: FlowDeps,
  tx: Parameters<typeof unlinkIdentity>[0],
  { identity, connection, at, clientId }: Removal,
): Promise<void> => {
  const { userId, connectionId } = identity
  // Before it goes: the address that it brought is told, too.
  await tellOf(deps, tx, { kind: 'identity_unlinked', linkId: undefined, userId, connectionId, at })
  await unlinkIdentity(tx, deps.vault, {
    userId,
    provider: connection.strategy,
    // With the connection's name in front it is unambiguous among connections of one strategy.
    identityUserId: `${connection.name}|${identityUserId(connection, identity.subject)}`,
    at,
    clientId,
  })
}

/** The id of the session changes (T-LINK-11); who is signed in, how and since when does not. */
const sameLogin = ({ userId, identityKey, amr, authenticatedAt }: Session) => ({
  userId,
  identityKey,
  amr,
  authenticatedAt,
})

async function refuse(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  description: string,
): Promise<Outcome> {
  const { params } = interaction
  await transact(deps.storage, async (tx) => {
    await settle(tx, interaction, { error: 'access_denied', error_description: description })
    await tx.events.append({
      type: 'link.refused',
      at: deps.clock(),
      outcome: 'refused',
      ...(request.session === undefined ? {} : { userId: request.session.userId }),
      ...(isString(params.client_id) ? { clientId: params.client_id } : {}),
    })
  })
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}

interface Asker {
  readonly user: User
  readonly session: Session
  readonly asked: LinkRequest
}

/** @throws {FlowError} `wrong_user`: the request was made for another person than the one who is signed in now. */
async function requireAsker(deps: FlowDeps, { session }: BrowserRequest, { params }: Interaction): Promise<Asker> {
  const asked = linkRequestOf(params)
  if (asked === undefined) throw new FlowError('interaction_expired')
  if (session === undefined || asked.hint?.userId !== session.userId) throw new FlowError('wrong_user')
  const user = await deps.storage.users.find(session.userId)
  if (user === undefined) throw new FlowError('wrong_user')
  return { user, session, asked }
}
