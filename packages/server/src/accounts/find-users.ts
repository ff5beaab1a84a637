// Finds users for an operator by whatever was written down of them: an address, an id of now or of before a merge, what a
// provider calls them, or how their name begins. Says by what each was found.
import { canonicalAddress } from '../domain/address.ts'
import { gradeOfAddress } from '../domain/addresses-of-user.ts'
import { fullUserId, identityUserId } from '../domain/connection.ts'
import type { Grade, User } from '../domain/user.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { findMergedInto } from './merged-into.ts'

export interface FoundUser {
  readonly user: User
  readonly by: FoundBy
}

export type FoundBy =
  | { readonly kind: 'address'; readonly address: string; readonly grade: Grade }
  | { readonly kind: 'user_id' }
  /** The id of somebody who was merged into this user. */
  | { readonly kind: 'retired_id' }
  /** What a connection calls them. */
  | { readonly kind: 'identity'; readonly connection: string; readonly subject: string }
  | { readonly kind: 'name' }

/** More connections than anybody configures. */
const MAX_CONNECTIONS = 1000
const MAX_FOUND = 50
const MAX_TEXT = 512

/**
 * Compares exactly, but for the spelling of addresses and of names, which need only begin so; each user once, by the first
 * of the ways in the order of `FoundBy`. Names are looked at when nothing else fits.
 */
export async function findUsers(repositories: Repositories, text: string): Promise<readonly FoundUser[]> {
  const wanted = text.trim()
  // What no column can hold, nobody has.
  if (wanted === '' || wanted.length > MAX_TEXT || wanted.includes('\0') || !wanted.isWellFormed()) return []
  const found = new Map<string, FoundUser>()
  for (const look of [byAddress, byId, byIdentity, byName]) {
    if (look === byName && found.size > 0) break
    for (const { userId, by } of await look(repositories, wanted)) {
      if (found.has(userId) || found.size >= MAX_FOUND) continue
      const user = await repositories.users.find(userId)
      if (user !== undefined) found.set(userId, { user, by })
    }
  }
  return [...found.values()]
}

interface Hit {
  readonly userId: string
  readonly by: FoundBy
}

async function byAddress({ evidence, users }: Repositories, text: string): Promise<readonly Hit[]> {
  const address = canonicalAddress(text)
  if (address === undefined) return []
  const said = await evidence.listForAddress(address)
  const holders = new Set([...said, ...(await users.listByAddress(address))].map(({ userId }) => userId))
  const hits = [...holders].map((userId): Hit & { readonly grade: Grade } => {
    const own = said.filter((one) => one.userId === userId)
    const grade = gradeOfAddress(own, address) ?? 0
    return { userId, grade, by: { kind: 'address', address, grade } }
  })
  return hits.sort((a, b) => b.grade - a.grade)
}

async function byId(repositories: Repositories, text: string): Promise<readonly Hit[]> {
  const mergedInto = await findMergedInto(repositories, text)
  return [
    { userId: text, by: { kind: 'user_id' } },
    ...(mergedInto === undefined ? [] : [{ userId: mergedInto, by: { kind: 'retired_id' } } as const]),
  ]
}

async function byIdentity(repositories: Repositories, text: string): Promise<readonly Hit[]> {
  const { items } = await repositories.connections.list({ offset: 0, limit: MAX_CONNECTIONS })
  const hits: Hit[] = []
  for (const connection of items) {
    for (const subject of subjectsNamed(connection, text)) {
      const identity = await repositories.identities.find(connection.id, subject)
      if (identity === undefined) continue
      hits.push({ userId: identity.userId, by: { kind: 'identity', connection: connection.name, subject } })
    }
  }
  return hits
}

/** The subjects that a text may mean at a connection: bare, as in `identities[]`, or as a whole `provider|user_id`. */
function subjectsNamed(connection: ConnectionRecord, text: string): readonly string[] {
  const prefixes = ['', identityUserId(connection, ''), fullUserId(connection, '')]
  const named = prefixes.filter((prefix) => text.startsWith(prefix)).map((prefix) => text.slice(prefix.length))
  return [...new Set(named)].filter((subject) => subject !== '')
}

const BY_NAME = { field: 'name', descending: false } as const

async function byName({ users }: Repositories, text: string): Promise<readonly Hit[]> {
  const matching = { kind: 'test', test: { on: 'name', beginsWith: text } } as const
  const { items } = await users.list({ offset: 0, limit: MAX_FOUND, matching, sort: BY_NAME })
  return items.map(({ userId }) => ({ userId, by: { kind: 'name' } }))
}
