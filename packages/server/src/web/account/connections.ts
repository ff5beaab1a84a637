// The page of ways to sign in and connected accounts.
import { type WayIn, waysIn } from '../../accounts/ways-in.ts'
import { END_NOTICE_SECONDS, endOf, whyItEnds } from '../../domain/account-end.ts'
import { canonicalAddress } from '../../domain/address.ts'
import { mayLink } from '../../domain/addresses-of-user.ts'
import { type Connection, fullUserId, keepsSignInTokens } from '../../domain/connection.ts'
import type { SecondFactorKind } from '../../domain/second-factor.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { Identity, User } from '../../domain/user.ts'
import { mayBeAdded } from '../../flows/account-link.ts'
import {
  isMailConnection,
  isPasskeyConnection,
  isPasswordConnection,
  isTypedConnection,
  shownConnection,
} from '../../flows/connections.ts'
import { ownName } from '../../flows/shown-user.ts'
import { isString } from '../../lib/json.ts'
import type { PasskeyRecord } from '../../storage/factor-repository.ts'
import type { RevocationJob } from '../../storage/records.ts'
import { findConnector } from '../../upstream/connectors.ts'
import {
  type AvailableView,
  type ConnectedView,
  type EndingView,
  renderAccountConnections,
  type WayView,
} from '../pages/account-connections.ts'
import type { SecondStepView } from '../pages/account-second-step.ts'
import type { Html } from '../pages/html.ts'
import { historyView } from './history.ts'
import { defaultsOf, distinctAccounts, loadNames, type Names, poolOf } from './names.ts'
import { type AccountDeps, accountForm, accountFrame, type Visit } from './page.ts'
import { type AccountUse, recentUses, usesByAccount } from './uses.ts'

/** From so many on, there is a field to look for one. */
const MANY = 20
const MAX_CONNECTIONS = 500

export async function connectionsPage(deps: AccountDeps, visit: Visit): Promise<Html> {
  const { user } = visit
  const [ways, all, revocations, uses, listed, history] = await Promise.all([
    waysIn(deps.storage, user.userId),
    deps.storage.accounts.listOfUser(user.userId),
    deps.storage.revocations.listOfUser(user.userId),
    recentUses(deps, user.userId),
    deps.storage.connections.list({ offset: 0, limit: MAX_CONNECTIONS }),
    historyView(deps, visit),
  ])
  const names = await loadNames(deps, {
    connections: [
      ...ways.map(({ connection }) => connection.id),
      ...[...all, ...revocations].map(({ connectionId }) => connectionId),
    ],
    clients: uses.map(({ clientId }) => clientId),
  })
  const passkeys = await deps.storage.passkeys.listOfUser(user.userId)
  const facts: Facts = { deps, user, ways, all, names, passkeys, uses: usesByAccount(uses) }
  const possible = listed.items.map((record) => deps.connections.open(record)).filter(mayBeAdded)
  const connected = connectedViews(facts)
  const isMany = possible.length > MANY || connected.length > MANY
  const find = isMany ? (visit.query.find ?? '') : undefined
  const form = (action: string) => accountForm(visit, `/account/connections/${action}`)
  return renderAccountConnections({
    ...accountFrame(deps, visit),
    ways: ways.map((way) => wayView(facts, way)),
    connected: connected.filter(({ connection, displayName, label }) =>
      isCalled([connection, displayName, label], find),
    ),
    available: possible
      .filter((one) => isCalled([one.name, shownConnection(one).displayName], find))
      .map((one) => availableView(facts, one)),
    ending: endingViews(facts, revocations),
    history,
    secondStep: await secondStepView(deps, visit),
    find,
    unproven: !mayLink(user),
    forms: {
      link: form('link'),
      unlink: form('unlink'),
      label: form('label'),
      setDefault: form('default'),
      disconnect: form('disconnect'),
      passkeyLabel: form('passkey-label'),
    },
  })
}

async function secondStepView({ storage }: AccountDeps, visit: Visit): Promise<SecondStepView> {
  const { userId } = visit.user
  const factors = await storage.secondFactors.listOfUser(userId)
  const since = (kind: SecondFactorKind) => factors.find((one) => one.kind === kind)?.addedAt
  return {
    form: accountForm(visit, '/account/connections/second-step'),
    app: since('totp'),
    askedPasskeys: since('passkey'),
    passkeys: (await storage.passkeys.listOfUser(userId)).length,
    codes: await storage.secondFactors.countCodes(userId),
  }
}

interface Facts {
  readonly deps: AccountDeps
  readonly user: User
  readonly ways: readonly WayIn[]
  readonly all: readonly VaultAccount[]
  readonly names: Names
  readonly passkeys: readonly PasskeyRecord[]
  readonly uses: ReadonlyMap<string, AccountUse>
}

function wayView(facts: Facts, { identity, connection: record, password, usable }: WayIn): WayView {
  const { deps, user, ways, all, passkeys } = facts
  const passkey = passkeys.find((one) => one.subject === identity.subject)
  const connection = deps.connections.open(record)
  const address = password?.address ?? addressOf(identity)
  const kept = all.find(
    (one) =>
      one.purpose === 'sign_in' && one.connectionId === identity.connectionId && one.subject === identity.subject,
  )
  return {
    kind: kindOf(connection),
    passkey: passkey?.subject,
    connection: connection.name,
    displayName: shownConnection(connection).displayName,
    name: passkey?.label ?? ownName(identity),
    address: passkey === undefined ? address : undefined,
    addedAt: identity.createdAt,
    lastUsedAt: identity.lastLogin,
    identity: fullUserId(connection, identity.subject),
    carriesMain: address !== undefined && address === user.email,
    isFirst: identity.position === 0,
    isUsable: usable,
    remaining: ways.filter((one) => one.usable && one.identity !== identity).length,
    agents: kept === undefined ? [] : agentNames(facts, kept),
    keepsTokens: kept !== undefined,
  }
}

function kindOf(connection: Connection): WayView['kind'] {
  if (isPasswordConnection(connection)) return 'password'
  if (isMailConnection(connection)) return 'mail'
  return isPasskeyConnection(connection) ? 'passkey' : 'connection'
}

function addressOf({ profileData }: Identity): string | undefined {
  return isString(profileData.email) ? canonicalAddress(profileData.email) : undefined
}

/** Never an address: beside a masked one it would take the mask off. */
const agentNames = ({ names, uses }: Facts, { id }: VaultAccount): readonly string[] =>
  (uses.get(id)?.clients ?? []).map((clientId) => names.client(clientId)?.name ?? clientId)

function connectedViews(facts: Facts): readonly ConnectedView[] {
  const { deps, all, names, ways } = facts
  const shown = distinctAccounts(all).filter((one) => {
    const connection = names.connection(one.connectionId)
    return one.purpose === 'agents' || (connection !== undefined && keepsSignInTokens(connection))
  })
  const defaults = defaultsOf(shown)
  return shown.map((account) => {
    const { id, connectionId, subject, label, lastUsedAt, connectedAt } = account
    const connection = names.connection(connectionId)
    const identity = ways.find(
      (way) => way.identity.connectionId === connectionId && way.identity.subject === subject,
    )?.identity
    const agents = agentNames(facts, account)
    const pool = poolOf(shown.filter((one) => one.connectionId === connectionId))
    return {
      id,
      connection: connection?.name ?? '',
      displayName: names.displayName(connectionId) ?? '',
      label,
      address: identity && addressOf(identity),
      connectedAt,
      lastUsedAt,
      lastAgent: agents[0],
      agents,
      isDefault: defaults.has(id),
      hasSiblings: pool.length > 1 && pool.includes(account),
      signsIn: identity !== undefined,
      health: deps.vault.healthOf(account),
      end: connection && endView(deps, account, connection),
      isActive: connection !== undefined && keepsSignInTokens(connection),
      isTyped: connection !== undefined && isTypedConnection(connection),
    }
  })
}

/** Told while it works, and no earlier than there is something to be done. */
function endView({ connectors, clock }: AccountDeps, account: VaultAccount, connection: Connection) {
  const at = endOf(account)
  if (at === undefined || at - END_NOTICE_SECONDS > clock()) return undefined
  return { at, why: whyItEnds(account, findConnector(connectors, connection)?.traits.refreshTokenEndsAfterSeconds) }
}

/** Accounts that are gone here, whose provider has not confirmed it; a newer key of one that stands makes no line. */
function endingViews({ deps, all, names }: Facts, revocations: readonly RevocationJob[]): readonly EndingView[] {
  const standing = new Set(distinctAccounts(all).map(({ id }) => id))
  const gone = revocations.filter(({ accountId }) => !standing.has(accountId))
  return [...Map.groupBy(gone, ({ accountId }) => accountId)].flatMap(([id, jobs]) => {
    const connection = names.connection(jobs[0]?.connectionId)
    if (connection === undefined) return []
    const tried = jobs.some(({ attempts }) => attempts > 0)
    const nextTryAt = Math.max(deps.clock(), Math.min(...jobs.map(({ dueAt }) => dueAt)))
    return [{ id, ...shownConnection(connection), nextTryAt: tried ? nextTryAt : undefined }]
  })
}

function availableView({ ways, all }: Facts, connection: Connection): AvailableView {
  const { id, name, authenticationActive, connectedAccountsActive } = connection
  const kind = kindOf(connection)
  const use = !authenticationActive ? 'agents' : connectedAccountsActive ? 'both' : 'sign-in'
  const purpose = kind === 'mail' || kind === 'passkey' ? kind : use
  return {
    connection: name,
    displayName: shownConnection(connection).displayName,
    purpose,
    hasOne:
      ways.some(({ identity }) => identity.connectionId === id) || all.some(({ connectionId }) => connectionId === id),
  }
}

function isCalled(names: readonly string[], find: string | undefined): boolean {
  const wanted = (find ?? '').trim().toLowerCase()
  return names.some((one) => one.toLowerCase().includes(wanted))
}
