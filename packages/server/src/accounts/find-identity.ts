// Finds whom `{provider, user_id}` means, as the compatible API names an identity (auth0-wire.md §3.2, §3.3).
import { identityUserId } from '../domain/connection.ts'
import { Invalid } from '../domain/errors.ts'
import type { Identity } from '../domain/user.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export interface NamedIdentity {
  readonly provider: string
  /** As in `identities[]`, or the whole `provider|user_id`. */
  readonly userId: string
  /** Tells connections of one strategy apart. */
  readonly connectionId?: string | undefined
}

export interface KnownIdentity {
  readonly identity: Identity
  readonly connection: ConnectionRecord
}

/** More connections of one strategy than anybody configures. */
const MAX_CONNECTIONS = 1000

/**
 * The identity of that name, whoever has it.
 *
 * @throws {Invalid} `ambiguous_identity`: connections of one strategy hold the same subject and none was named.
 */
export async function findNamedIdentity(tx: Repositories, name: NamedIdentity): Promise<KnownIdentity | undefined> {
  const page = await tx.connections.list({ strategies: [name.provider], offset: 0, limit: MAX_CONNECTIONS })
  const wanted = page.items.filter(({ id }) => name.connectionId === undefined || id === name.connectionId)
  const exact = await collect(tx, wanted, name.userId)
  const found = exact.length > 0 ? exact : await collect(tx, wanted, withoutPrefix(name.userId, `${name.provider}|`))
  return onlyOne(found)
}

async function collect(tx: Repositories, connections: readonly ConnectionRecord[], userId: string) {
  const found: KnownIdentity[] = []
  for (const connection of connections) {
    const subject = subjectIn(connection, userId)
    const identity = subject === undefined ? undefined : await tx.identities.find(connection.id, subject)
    if (identity !== undefined) found.push({ identity, connection })
  }
  return found
}

/** Undoes `identityUserId`: undefined when this connection has no identity of such a name. */
function subjectIn(connection: ConnectionRecord, userId: string): string | undefined {
  const isPrefixed = identityUserId(connection, '') !== ''
  if (!isPrefixed) return userId
  const prefix = `${connection.name}|`
  return userId.startsWith(prefix) ? userId.slice(prefix.length) : undefined
}

/**
 * The identity of that name among those of one user; `userId` may carry a `{connection}|` in front.
 *
 * @throws {Invalid} `ambiguous_identity`.
 */
export async function findIdentityOfUser(
  tx: Repositories,
  identities: readonly Identity[],
  { provider, userId }: NamedIdentity,
): Promise<KnownIdentity | undefined> {
  const known = (await withConnections(tx, identities)).filter(({ connection }) => connection.strategy === provider)
  const named = known.filter(({ connection, identity }) => identityUserId(connection, identity.subject) === userId)
  if (named.length > 0) return onlyOne(named)
  return onlyOne(
    known.filter(
      ({ connection, identity }) => `${connection.name}|${identityUserId(connection, identity.subject)}` === userId,
    ),
  )
}

/** Identities with their connections; one whose connection has gone is left out. */
export async function withConnections(
  tx: Repositories,
  identities: readonly Identity[],
): Promise<readonly KnownIdentity[]> {
  const known: KnownIdentity[] = []
  for (const identity of identities) {
    const connection = await tx.connections.find(identity.connectionId)
    if (connection !== undefined) known.push({ identity, connection })
  }
  return known
}

const withoutPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text

function onlyOne(found: readonly KnownIdentity[]): KnownIdentity | undefined {
  if (found.length > 1)
    throw new Invalid('ambiguous_identity', 'Several connections hold this identity: name the connection.')
  return found[0]
}
