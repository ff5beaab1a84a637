// A user as the Management API shows it (auth0-wire.md §3.1).
import { identityUserId } from '../../domain/connection.ts'
import { profileToWire } from '../../domain/profile.ts'
import type { Identity, User } from '../../domain/user.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'

type Connections = ReadonlyMap<string, ConnectionRecord>

export function serializeUser(user: User, identities: readonly Identity[], connections: Connections): JsonObject {
  return {
    user_id: user.userId,
    ...(user.email === undefined ? {} : { email: user.email, email_verified: user.emailVerified }),
    ...profileToWire(user.profile),
    identities: serializeIdentities(identities, connections),
    user_metadata: user.userMetadata,
    app_metadata: user.appMetadata,
    ...(user.blocked ? { blocked: true } : {}),
    created_at: toIso(user.createdAt),
    updated_at: toIso(user.updatedAt),
    ...(user.lastLogin === undefined ? {} : { last_login: toIso(user.lastLogin) }),
    ...(user.lastIp === undefined ? {} : { last_ip: user.lastIp }),
    logins_count: user.loginsCount,
  }
}

/** `identities[]`: the first is the primary and carries no `profileData`. One whose connection has gone is left out. */
export function serializeIdentities(identities: readonly Identity[], connections: Connections): readonly JsonObject[] {
  return [...identities]
    .sort((a, b) => a.position - b.position)
    .flatMap((identity, at) => {
      const connection = connections.get(identity.connectionId)
      if (connection === undefined) return []
      return {
        connection: connection.name,
        provider: connection.strategy,
        user_id: identityUserId(connection, identity.subject),
        isSocial: !NOT_SOCIAL.has(connection.strategy),
        ...(at === 0 ? {} : { profileData: identity.profileData }),
      }
    })
}

/** Databases and enterprise strategies; all others are social ones to SDKs. */
const NOT_SOCIAL: ReadonlySet<string> = new Set([
  'auth0',
  'oidc',
  'samlp',
  'waad',
  'okta',
  'google-apps',
  'email',
  'passkey',
])

/** Users with everything that their view needs. */
export async function viewUsers(storage: Repositories, users: readonly User[]): Promise<readonly JsonObject[]> {
  if (users.length === 0) return []
  const identities = await storage.identities.listOfUsers(users.map(({ userId }) => userId))
  const connections = await connectionsOf(storage, identities)
  return users.map((user) =>
    serializeUser(
      user,
      identities.filter(({ userId }) => userId === user.userId),
      connections,
    ),
  )
}

export async function viewIdentities(
  storage: Repositories,
  identities: readonly Identity[],
): Promise<readonly JsonObject[]> {
  return serializeIdentities(identities, await connectionsOf(storage, identities))
}

async function connectionsOf(storage: Repositories, identities: readonly Identity[]): Promise<Connections> {
  const ids = [...new Set(identities.map(({ connectionId }) => connectionId))]
  const found = await Promise.all(ids.map((id) => storage.connections.find(id)))
  return new Map(
    found.flatMap((connection) => (connection === undefined ? [] : [[connection.id, connection] as const])),
  )
}
