// Both sides of a merge as they were, sealed (docs/formats/link-snapshot.md). Holds addresses and metadata, and no token.
import type { Keyring } from '../crypto/keyring.ts'
import type { AgentStop, IssuedCounts, MergeSide } from '../domain/merge.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import type { MergeSnapshot } from '../domain/unmerge.ts'
import type { AddressEvidence, Identity, User } from '../domain/user.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'

const VERSION = 1

export function sealSnapshot(keyring: Pick<Keyring, 'seal'>, linkId: string, snapshot: MergeSnapshot): Uint8Array {
  const document = {
    version: VERSION,
    merged_at: snapshot.mergedAt,
    metadata_policy: snapshot.policy.metadata,
    primary: serializeSide(snapshot.primary),
    secondary: serializeSide(snapshot.secondary),
  }
  return keyring.seal(contextOf(linkId), Buffer.from(JSON.stringify(document)))
}

/** @throws {EnvelopeError} damaged, or of another link. */
export function openSnapshot(keyring: Pick<Keyring, 'open'>, linkId: string, envelope: Uint8Array): MergeSnapshot {
  // Sealed by `sealSnapshot`, and by nothing else.
  const document = JSON.parse(keyring.open(contextOf(linkId), envelope).toString('utf8')) as SnapshotDocument
  if (document.version !== VERSION) throw new Error('a snapshot of a link has an unknown version')
  return {
    primary: parseSide(document.primary),
    secondary: parseSide(document.secondary),
    policy: { metadata: document.metadata_policy },
    mergedAt: document.merged_at,
  }
}

/** A user is deleted: what their links hold of them, and of those who became them, goes as well. */
export async function forgetSnapshots(tx: Repositories, userId: string): Promise<void> {
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await tx.links.listOfUser(userId, { offset, limit: PAGE })
    for (const { id, primaryUserId, secondaryUserId, undoneAt } of items) {
      if (primaryUserId !== userId || secondaryUserId === undefined || undoneAt !== undefined) continue
      await tx.links.deleteSnapshot(id)
      // They waited for the day when the merge is undone.
      await tx.secondFactors.deleteOfUser(secondaryUserId)
      // Links into somebody who was merged away: no deeper than merges were chained.
      await forgetSnapshots(tx, secondaryUserId)
    }
    if (items.length < PAGE) return
  }
}

const PAGE = 100

interface SnapshotDocument {
  readonly version: number
  readonly merged_at: number
  readonly metadata_policy: MergeSnapshot['policy']['metadata']
  readonly primary: SideDocument
  readonly secondary: SideDocument
}

interface SideDocument {
  readonly user: JsonObject
  readonly identities: readonly JsonObject[]
  readonly accounts: readonly JsonObject[]
  readonly evidence: readonly JsonObject[]
  readonly stops: readonly JsonObject[]
  readonly issued: JsonObject
}

const contextOf = (linkId: string): string => `link:${linkId}`

/** Stored name of each member: a member that is new, or renamed, has to say here what it is called in the format. */
type Names<T> = Readonly<Record<keyof T, string>>

const USER: Names<User> = {
  userId: 'user_id',
  email: 'email',
  emailVerified: 'email_verified',
  profile: 'profile',
  userMetadata: 'user_metadata',
  appMetadata: 'app_metadata',
  blocked: 'blocked',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  lastLogin: 'last_login',
  lastIp: 'last_ip',
  loginsCount: 'logins_count',
}

const IDENTITY: Names<Identity> = {
  connectionId: 'connection_id',
  subject: 'subject',
  userId: 'user_id',
  position: 'position',
  profileData: 'profile_data',
  createdAt: 'created_at',
  lastLogin: 'last_login',
}

const ACCOUNT: Names<VaultAccount> = {
  id: 'id',
  userId: 'user_id',
  connectionId: 'connection_id',
  subject: 'subject',
  purpose: 'purpose',
  label: 'label',
  isDefault: 'is_default',
  clientId: 'client_id',
  scopesAsked: 'scopes_asked',
  scopesGranted: 'scopes_granted',
  health: 'health',
  healthReason: 'health_reason',
  extras: 'extras',
  createdAt: 'created_at',
  connectedAt: 'connected_at',
  lastUsedAt: 'last_used_at',
  accessExpiresAt: 'access_expires_at',
  refreshExpiresAt: 'refresh_expires_at',
  hasRefreshToken: 'has_refresh_token',
  generation: 'generation',
  intentGeneration: 'intent_generation',
  intentStartedAt: 'intent_started_at',
}

const EVIDENCE: Names<AddressEvidence> = {
  userId: 'user_id',
  address: 'address',
  source: 'source',
  grade: 'grade',
  saidAt: 'said_at',
}

const STOP: Names<AgentStop> = { clientId: 'client_id', stoppedAt: 'stopped_at' }

const ISSUED: Names<IssuedCounts> = {
  sessions: 'sessions',
  grants: 'grants',
  refreshTokens: 'refresh_tokens',
  clientIds: 'client_ids',
}

const serializeSide = ({ user, identities, accounts, evidence, stops, issued }: MergeSide): SideDocument => ({
  user: serialize(USER, user),
  identities: identities.map((one) => serialize(IDENTITY, one)),
  accounts: accounts.map((one) => serialize(ACCOUNT, one)),
  evidence: evidence.map((one) => serialize(EVIDENCE, one)),
  stops: stops.map((one) => serialize(STOP, one)),
  issued: serialize(ISSUED, issued),
})

const parseSide = ({ user, identities, accounts, evidence, stops, issued }: SideDocument): MergeSide => ({
  user: parse(USER, user),
  identities: identities.map((one) => parse(IDENTITY, one)),
  accounts: accounts.map((one) => parse(ACCOUNT, one)),
  evidence: evidence.map((one) => parse(EVIDENCE, one)),
  stops: stops.map((one) => parse(STOP, one)),
  issued: parse(ISSUED, issued),
})

/** Members that are undefined are left out. */
const serialize = <T extends object>(names: Names<T>, noun: T): JsonObject =>
  Object.fromEntries(
    entriesOf(names).flatMap(([member, name]) => {
      // These nouns are made of JSON values, and of undefined.
      const value = noun[member] as JsonValue | undefined
      return value === undefined ? [] : [[name, value]]
    }),
  )

const parse = <T extends object>(names: Names<T>, document: JsonObject): T =>
  // Written by `serialize` from the same names.
  Object.fromEntries(entriesOf(names).map(([member, name]) => [member, document[name]])) as T

/** Object.entries forgets the keys of the type. */
const entriesOf = <T>(names: Names<T>) => Object.entries(names) as unknown as readonly (readonly [keyof T, string])[]
