// Everything that is held about a person, as one document for them to keep (docs/formats/account-data.md). No token, no
// secret, no hash of one, and nothing of anybody else.
import type { Event } from '../domain/event.ts'
import { profileToWire } from '../domain/profile.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import type { AddressEvidence, Identity, User } from '../domain/user.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { type EpochSeconds, toIso } from '../lib/time.ts'
import type { ConnectionRecord, LinkRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export const HELD_FORMAT = 'tenon-account-data-1'
const PAGE = 1000
/** Years of anybody's use; more would only be the same again. */
const MAX_EVENTS = 100_000

export interface HeldSession {
  readonly startedAt: EpochSeconds
  readonly authenticatedAt: EpochSeconds
  readonly identityKey: string | undefined
  readonly device: { readonly browser: string | undefined; readonly system: string | undefined } | undefined
}

export interface Collecting {
  readonly now: EpochSeconds
  readonly sessions: readonly HeldSession[]
}

export async function collectHeld(
  repositories: Repositories,
  user: User,
  { now, sessions }: Collecting,
): Promise<JsonObject> {
  const { userId } = user
  const { identities, accounts, evidence, agentStops } = repositories
  const own = await identities.listOfUser(userId)
  const stops = await agentStops.listOfUser(userId)
  const events = await eventsOf(repositories, userId)
  const links = await linksOf(repositories, userId)
  const held = await accounts.listOfUser(userId)
  const connections = await connectionsOf(repositories, [
    ...own.map(({ connectionId }) => connectionId),
    ...held.map(({ connectionId }) => connectionId),
    ...links.flatMap(({ identity }) => identity?.connectionId ?? []),
    ...events.flatMap(({ connectionId }) => connectionId ?? []),
  ])
  return {
    format: HELD_FORMAT,
    made_at: toIso(now),
    profile: profileOf(user),
    addresses: (await evidence.listOfUser(userId)).map((word) => addressOf(word, connections)),
    identities: await Promise.all(own.map((one) => identityOf(repositories, one, connections))),
    ...(await factorsOf(repositories, userId, connections)),
    connected_accounts: held.map((one) => accountOf(one, connections)),
    agents: await agentsOf(repositories, { userId, stops, now }),
    sessions: sessions.map((one) => sessionOf(one, connections)),
    links: links.map((one) => linkOf(one, userId, connections)),
    events: events.map((one) => eventOf(one, connections)),
    ...(events.length >= MAX_EVENTS ? { older_events_left_out: true } : {}),
  }
}

type Connections = ReadonlyMap<string, ConnectionRecord>

async function connectionsOf(repositories: Repositories, ids: readonly string[]): Promise<Connections> {
  const found = await Promise.all([...new Set(ids)].map((id) => repositories.connections.find(id)))
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
}

const nameIn = (connections: Connections, id: string): string => connections.get(id)?.name ?? id

/** Members that are there. */
const given = (members: Readonly<Record<string, JsonValue | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(members).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))

const timeOf = (at: EpochSeconds | undefined): string | undefined => (at === undefined ? undefined : toIso(at))

const profileOf = (user: User): JsonObject =>
  given({
    user_id: user.userId,
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified,
    ...profileToWire(user.profile),
    user_metadata: user.userMetadata,
    app_metadata: user.appMetadata,
    blocked: user.blocked,
    created_at: toIso(user.createdAt),
    updated_at: toIso(user.updatedAt),
    last_login: timeOf(user.lastLogin),
    last_ip: user.lastIp,
    logins_count: user.loginsCount,
  })

function addressOf({ address, source, grade, saidAt }: AddressEvidence, connections: Connections): JsonObject {
  const [kind = '', id] = source.split(':')
  return { address, said_by: id === undefined ? kind : nameIn(connections, id), grade, said_at: toIso(saidAt) }
}

async function identityOf(
  { passwords }: Repositories,
  identity: Identity,
  connections: Connections,
): Promise<JsonObject> {
  const { connectionId, subject, profileData, createdAt, lastLogin } = identity
  const password = await passwords.find(connectionId, subject)
  return given({
    connection: nameIn(connections, connectionId),
    subject,
    profile: profileData,
    added_at: toIso(createdAt),
    last_login: timeOf(lastLogin),
    password: password && { address: password.address, changed_at: toIso(password.changedAt) },
  })
}

async function factorsOf(
  { secondFactors, passkeys }: Repositories,
  userId: string,
  connections: Connections,
): Promise<JsonObject> {
  const factors = await secondFactors.listOfUser(userId)
  return {
    second_factors: factors.map(({ kind, addedAt }) => ({ kind, added_at: toIso(addedAt) })),
    recovery_codes_left: await secondFactors.countCodes(userId),
    passkeys: (await passkeys.listOfUser(userId)).map(({ connectionId, subject, label, transports }) => ({
      connection: nameIn(connections, connectionId),
      credential_id: subject,
      label,
      transports,
    })),
  }
}

const accountOf = (account: VaultAccount, connections: Connections): JsonObject =>
  given({
    id: account.id,
    connection: nameIn(connections, account.connectionId),
    subject: account.subject,
    purpose: account.purpose,
    label: account.label,
    is_default: account.isDefault,
    client_id: account.clientId,
    scopes_asked: account.scopesAsked,
    scopes_granted: account.scopesGranted,
    health: account.health,
    extras: account.extras,
    created_at: toIso(account.createdAt),
    connected_at: toIso(account.connectedAt),
    last_used_at: timeOf(account.lastUsedAt),
    ends_at: timeOf(account.refreshExpiresAt),
  })

/** Clients that were granted something, or stopped. */
async function agentsOf(
  { artifacts, clients }: Repositories,
  { userId, stops, now }: { userId: string; stops: ReadonlyMap<string, EpochSeconds>; now: EpochSeconds },
): Promise<readonly JsonObject[]> {
  const grants = (await artifacts.listOfUser('Grant', userId)).filter(({ expiresAt }) => expiresAt > now)
  const ids = new Set([...grants.flatMap(({ clientId }) => clientId ?? []), ...stops.keys()])
  return Promise.all(
    [...ids].sort().map(async (clientId) => {
      const own = grants.filter((grant) => grant.clientId === clientId)
      const name = (await clients.find(clientId))?.document.name
      return given({
        client_id: clientId,
        name,
        grants: own.map(({ payload, createdAt }) =>
          given({ granted_at: toIso(createdAt), openid: payload.openid, resources: payload.resources }),
        ),
        stopped_at: timeOf(stops.get(clientId)),
      })
    }),
  )
}

function sessionOf({ startedAt, authenticatedAt, identityKey, device }: HeldSession, connections: Connections) {
  const connectionId = identityKey?.slice(0, identityKey.indexOf('|'))
  return given({
    started_at: toIso(startedAt),
    authenticated_at: toIso(authenticatedAt),
    connection: connectionId === undefined ? undefined : nameIn(connections, connectionId),
    browser: device?.browser,
    system: device?.system,
  })
}

async function linksOf({ links }: Repositories, userId: string): Promise<readonly LinkRecord[]> {
  const all: LinkRecord[] = []
  for (;;) {
    const { items } = await links.listOfUser(userId, { offset: all.length, limit: PAGE })
    all.push(...items)
    if (items.length < PAGE) return all
  }
}

/** The other side of a merge that was undone is somebody of their own again: of them no more than the id is said. */
const linkOf = (link: LinkRecord, userId: string, connections: Connections): JsonObject =>
  given({
    id: link.id,
    primary_user_id: link.primaryUserId,
    secondary_user_id: link.secondaryUserId,
    connection: link.identity && nameIn(connections, link.identity.connectionId),
    rule: link.rule,
    client_id: link.clientId,
    by_you: link.actor === undefined ? undefined : link.actor === userId,
    proof: link.undoneAt === undefined ? link.proof : undefined,
    created_at: toIso(link.createdAt),
    undo_until: toIso(link.undoUntil),
    undone_at: timeOf(link.undoneAt),
  })

/** Newest first. */
async function eventsOf({ events }: Repositories, userId: string): Promise<readonly Event[]> {
  const all: Event[] = []
  while (all.length < MAX_EVENTS) {
    const before = all.at(-1)?.seq
    const page = await events.list({
      userId,
      descending: true,
      limit: PAGE,
      ...(before === undefined ? {} : { beforeSeq: before }),
    })
    all.push(...page)
    if (page.length < PAGE) break
  }
  return all
}

const eventOf = (event: Event, connections: Connections): JsonObject =>
  given({
    type: event.type,
    at: toIso(event.at),
    outcome: event.outcome,
    client_id: event.clientId,
    connection: event.connectionId === undefined ? undefined : nameIn(connections, event.connectionId),
    connected_account: event.accountId,
    details: event.data,
  })
