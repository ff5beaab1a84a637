// The page on which a person types a key, or a user name and a password, of theirs: in a client's connect leg, and from
// their own pages. What is typed is looked at, sealed, and never shown again.
import { mayTakeCredential } from '../domain/agent-policy.ts'
import { parseClient } from '../domain/client.ts'
import type { Connection } from '../domain/connection.ts'
import { freeLabel } from '../domain/label.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import { readCredential, type TypedCredential } from '../domain/typed-credential.ts'
import { isString } from '../lib/json.ts'
import type { ConnectRequest } from '../storage/records.ts'
import type { Connector, CredentialForm, UpstreamAccount } from '../upstream/connector.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../upstream/errors.ts'
import { finishTyped } from './account-link.ts'
import { backTo } from './account-owner.ts'
import { arrivalOf } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import { askToConfirm } from './connect.ts'
import { decline, legOf, requireLeg } from './connect-leg.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, settle } from './interactions.ts'
import type { EnterCredentialPage, Outcome } from './outcome.ts'
import { connectorOf, flowErrorOf } from './upstream-start.ts'

const PAGE = '/account/connections'

/** What the page is about, the same for showing it and for its answer. */
interface Entry {
  readonly interaction: Interaction
  readonly userId: string
  /** The client's request; undefined on the person's own pages. */
  readonly connect: ConnectRequest | undefined
  readonly connection: Connection
  readonly connector: Connector
  readonly form: CredentialForm
  /** The connected account whose credential is replaced. */
  readonly replaced: VaultAccount | undefined
}

type Problem = NonNullable<EnterCredentialPage['problem']>

interface Tried {
  readonly problem: Problem
  readonly typed: TypedCredential
}

/** @throws {FlowError} `interaction_expired`, `wrong_browser`, `wrong_user`, `connection_unavailable`. */
export async function credentialPage(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
): Promise<Outcome> {
  return shown(deps, await openEntry(deps, request, interaction))
}

export type CredentialAnswer = { readonly kind: 'cancel' } | { readonly kind: 'typed'; readonly typed: TypedCredential }

/** @throws {FlowError} as `credentialPage`; `rate_limited`, `provider_error`, `transaction_invalid`. */
export async function submitCredential(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  answer: CredentialAnswer,
): Promise<Outcome> {
  const entry = await openEntry(deps, request, interaction)
  if (answer.kind === 'cancel') return cancel(deps, request, entry)
  const { typed } = answer
  const taken = await take(deps, request, entry, typed)
  return typeof taken === 'string' ? shown(deps, entry, { problem: taken, typed }) : finish(deps, request, entry, taken)
}

async function openEntry(deps: FlowDeps, request: BrowserRequest, interaction: Interaction): Promise<Entry> {
  const leg = legOf(interaction)
  const { connection: name, account: accountId } = interaction.params
  const userId = request.session?.userId
  if (userId === undefined || interaction.begunAs !== userId) throw new FlowError('wrong_user')
  const connect = leg === undefined ? undefined : await requireLeg(deps, request, leg, 'opened')
  const connection = isString(name) ? await deps.connections.findByName(deps.storage, name) : undefined
  if (!connection?.connectedAccountsActive) throw new FlowError('connection_unavailable')
  const connector = connectorOf(deps, connection, undefined)
  if (connector.credential === undefined) throw new FlowError('connection_unavailable')
  const account = isString(accountId) ? await deps.storage.accounts.find(accountId) : undefined
  const isOwn = account?.userId === userId && account.connectionId === connection.id
  // Disconnected meanwhile: what is typed must not become an account that nobody asked for.
  if (isString(accountId) && !isOwn) throw new FlowError('interaction_expired')
  return { interaction, userId, connect, connection, connector, form: connector.credential, replaced: account }
}

async function shown(deps: FlowDeps, entry: Entry, tried?: Tried): Promise<Outcome> {
  const { interaction, connection, connector, form, replaced, connect } = entry
  const page: EnterCredentialPage = {
    name: 'enter-credential',
    state: interaction.uid,
    connection: shownConnection(connection),
    kind: form.kind,
    client: connect && (await clientShown(deps, connect, connection)),
    replaces: replaced?.label,
    asksLabel: asksLabel(entry),
    label: tried?.typed.label ?? (await suggestedLabel(deps, entry)),
    username: tried?.typed.username ?? (form.kind === 'basic' && !form.isChecked ? replaced?.subject : undefined),
    hosts: connector.traits.apiHosts,
    helpUrl: form.helpUrl,
    scopes: connector.scopes.ask([]),
    problem: tried?.problem,
  }
  return { kind: 'page', page, status: tried === undefined ? 200 : 400 }
}

async function clientShown({ storage }: FlowDeps, { clientId }: ConnectRequest, connection: Connection) {
  const record = await storage.clients.find(clientId)
  if (record === undefined) throw new FlowError('transaction_invalid')
  const { name, policy } = parseClient(record)
  return { name, isGiven: mayTakeCredential(policy, connection.name) }
}

/** A key that nobody can ask about has no name but the person's. */
const asksLabel = ({ form, replaced }: Entry): boolean =>
  form.kind === 'api_key' && !form.isChecked && replaced === undefined

async function suggestedLabel({ storage }: FlowDeps, entry: Entry): Promise<string> {
  if (!asksLabel(entry)) return ''
  const { userId, connection } = entry
  const accounts = await storage.accounts.listOfUser(userId, { purpose: 'agents', connectionIds: [connection.id] })
  const labels = accounts.map(({ label }) => label)
  return freeLabel(shownConnection(connection).displayName, labels)
}

async function cancel(deps: FlowDeps, request: BrowserRequest, entry: Entry): Promise<Outcome> {
  const { interaction, connect, connection } = entry
  if (connect !== undefined) return decline(deps, request, connect)
  await deps.storage.transaction((tx) => settle(tx, interaction, { error: 'access_denied', error_description: '' }))
  return backTo(deps, request, PAGE, { code: 'not-added', thing: shownConnection(connection).displayName })
}

/** The account behind what was typed, or what is wrong with it. */
async function take(
  deps: FlowDeps,
  request: BrowserRequest,
  entry: Entry,
  typed: TypedCredential,
): Promise<UpstreamAccount | Problem> {
  const { form, replaced } = entry
  const read = readCredential(form.kind, typed, asksLabel(entry))
  if (read.kind === 'refused') return read.problem
  if (form.isChecked) await requireFewTries(deps, request, entry)
  const { username, secret, label } = read
  try {
    return await form.accept({ username, secret, label, replaces: replaced?.subject })
  } catch (error) {
    if (error instanceof UpstreamRefused && error.code === 'credential_refused') return 'secret_refused'
    if (error instanceof UpstreamUnavailable) return 'secret_unchecked'
    throw flowErrorOf(error, undefined)
  }
}

/**
 * Nobody tries out the passwords of others at a provider through us. Right ones count as well: with one of their own,
 * anybody could begin anew. @throws {FlowError} `rate_limited`.
 */
async function requireFewTries({ signInLimits }: FlowDeps, { browser, ip }: BrowserRequest, entry: Entry) {
  const account = `credential ${entry.connection.id} ${entry.userId}`
  const wait = await signInLimits.attempt({ account, browser: browser.hash, ip })
  if (wait !== undefined) throw new FlowError('rate_limited', wait)
}

async function finish(
  deps: FlowDeps,
  request: BrowserRequest,
  { interaction, connect, connection, connector, replaced }: Entry,
  account: UpstreamAccount,
): Promise<Outcome> {
  const scopes = connector.scopes.ask([])
  if (connect !== undefined)
    return askToConfirm(deps, request, connect, {
      connection,
      account,
      scopesAsked: scopes,
      meant: replaced?.id,
      step: interaction,
    })
  return finishTyped(deps, request, interaction, {
    arrival: arrivalOf({ connection, scopes }, account),
    accountId: replaced?.id,
  })
}
