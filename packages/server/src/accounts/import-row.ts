// One row of an import, in the transaction that it is given. Everything is looked at before anything is written, so that
// a refused row leaves nothing.
import { randomHex } from '../crypto/hashing.ts'
import { NO_PASSWORD } from '../crypto/passwords.ts'
import { canonicalAddress, gradeOf } from '../domain/address.ts'
import { PASSWORD_STRATEGY, PREFIXED_STRATEGIES } from '../domain/connection.ts'
import { connectionSource } from '../domain/identity-key.ts'
import { decideRow, type RowIdentity } from '../domain/import.ts'
import { patchMetadata, profileOf, profileToWire } from '../domain/profile.ts'
import type { Grade, Identity, User } from '../domain/user.ts'
import { plainUserId } from '../domain/user-id.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ImportedIdentity, ImportedUser, ImportRefusalCode, RowFault } from '../protocol/imported-user.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { addIdentity } from './add-identity.ts'
import { updateUser } from './update-user.ts'

export type RowOutcome =
  | { readonly kind: 'inserted' | 'updated' | 'unchanged' }
  | { readonly kind: 'refused'; readonly fault: RowFault }

/** A row with what is stored for its password. */
export interface PreparedRow {
  readonly user: ImportedUser
  readonly passwordHash: string | undefined
}

export interface ImportContext {
  readonly vault: AccountVault
  /** Every connection, by name. */
  readonly connections: ReadonlyMap<string, ConnectionRecord>
  /** Users who are there are changed as well. */
  readonly upsert: boolean
  readonly at: EpochSeconds
}

interface Resolved {
  readonly connection: ConnectionRecord
  readonly subject: string
  readonly from: ImportedIdentity
}

export async function importRow(tx: Repositories, context: ImportContext, row: PreparedRow): Promise<RowOutcome> {
  const sorted = resolveIdentities(context, row)
  if ('code' in sorted) return { kind: 'refused', fault: sorted }
  const named = await nameByAddress(tx, sorted)
  const { identities, email } = named
  const { existing, isMerged, owned, addressTakenBy } = await lookUp(tx, named)
  const { upsert } = context
  const decision = decideRow({ existing, isMerged, identities: owned, addressTakenBy, email, upsert })
  if (decision.kind === 'leave') return { kind: 'unchanged' }
  if (decision.kind === 'refuse') return refuse(decision.code, decision.field)
  if (existing === undefined || decision.kind === 'create') return create(tx, { context, row, ...named })
  const missing = identities.filter((one) => decision.identities.some(({ key }) => sameKey(key, keyOf(one))))
  return add(tx, existing, { context, row, ...named, missing })
}

const refuse = (code: ImportRefusalCode, field: string): RowOutcome => ({ kind: 'refused', fault: { code, field } })

interface Sorted {
  /** Undefined where the row names none. */
  readonly userId: string | undefined
  readonly identities: readonly Resolved[]
  readonly email: string | undefined
  /** The one that signs in by password. */
  readonly password: Resolved | undefined
}

function resolveIdentities({ connections }: ImportContext, { user, passwordHash }: PreparedRow): Sorted | RowFault {
  const email = user.email === undefined ? undefined : canonicalAddress(user.email)
  if (user.email !== undefined && email === undefined) return { code: 'address_invalid', field: '/email' }
  const identities: Resolved[] = []
  for (const from of user.identities) {
    const connection = connectionOf(connections, from)
    if (connection === undefined) return { code: 'connection_unknown', field: from.field }
    if (connection.strategy !== from.provider) return { code: 'provider_mismatch', field: from.field }
    const subject = subjectOf(connection, from.userId)
    if (subject === undefined) return { code: 'subject_invalid', field: from.field }
    if (identities.some((one) => one.connection.id === connection.id && one.subject === subject))
      return { code: 'identity_repeated', field: from.field }
    identities.push({ connection, subject, from })
  }
  const password = identities.find(({ connection }) => connection.strategy === PASSWORD_STRATEGY)
  if (passwordHash !== undefined && password === undefined)
    return { code: 'password_without_identity', field: '/identities' }
  if (password !== undefined && email === undefined) return { code: 'address_missing', field: '/email' }
  return { userId: user.userId, identities, email, password }
}

/** By its name, or as the one connection of its provider. */
function connectionOf(
  connections: ImportContext['connections'],
  { connection, provider, userId }: ImportedIdentity,
): ConnectionRecord | undefined {
  if (connection !== undefined) return connections.get(connection)
  if (PREFIXED_STRATEGIES.has(provider)) return connections.get(userId.slice(0, Math.max(userId.indexOf('|'), 0)))
  const [only, another] = [...connections.values()].filter(({ strategy }) => strategy === provider)
  return another === undefined ? only : undefined
}

/** As the connection's own answers would give it; made where the row names none. */
function subjectOf({ strategy, name }: ConnectionRecord, userId: string): string | undefined {
  if (userId === '') return randomHex(24)
  const prefix = `${name}|`
  const subject = PREFIXED_STRATEGIES.has(strategy) && userId.startsWith(prefix) ? userId.slice(prefix.length) : userId
  // OpenID Connect Core §2: at most 255 ASCII characters, compared case-sensitively.
  return /^[!-~](?:[ -~]{0,253}[!-~])?$/.test(subject) ? subject : undefined
}

const keyOf = ({ connection, subject }: Resolved) => ({ connectionId: connection.id, subject })

const sameKey = (a: RowIdentity['key'], b: RowIdentity['key']): boolean =>
  a.connectionId === b.connectionId && a.subject === b.subject

/** A row without an id is about whoever signs in by its address. */
async function nameByAddress(tx: Repositories, sorted: Sorted): Promise<Sorted> {
  const { userId, email, password } = sorted
  if (userId !== undefined || password === undefined || email === undefined) return sorted
  const record = await tx.passwords.findByAddress(password.connection.id, email)
  const identity = record && (await tx.identities.find(record.connectionId, record.subject))
  if (identity === undefined) return sorted
  const own: Resolved = { ...password, subject: identity.subject }
  return { email, userId: identity.userId, password: own, identities: [own] }
}

/** In one round trip. */
async function lookUp(tx: Repositories, { userId, identities, email, password }: Sorted) {
  const [existing, alias, record, owned] = await Promise.all([
    userId === undefined ? undefined : tx.users.find(userId),
    userId === undefined ? undefined : tx.users.findAlias(userId),
    password && email !== undefined ? tx.passwords.findByAddress(password.connection.id, email) : undefined,
    Promise.all(
      identities.map(async (one): Promise<RowIdentity> => {
        const key = keyOf(one)
        const [identity, tombstone] = await Promise.all([
          tx.identities.find(key.connectionId, key.subject),
          tx.identities.findTombstone(key.connectionId, key.subject),
        ])
        return { key, field: one.from.field, ownerId: identity?.userId, unlinkedFrom: tombstone?.userId }
      }),
    ),
  ])
  const addressTakenBy = record?.subject === password?.subject ? undefined : record?.subject
  return { existing, isMerged: alias !== undefined, owned, addressTakenBy }
}

interface Writing extends Sorted {
  readonly context: ImportContext
  readonly row: PreparedRow
}

async function create(tx: Repositories, writing: Writing): Promise<RowOutcome> {
  const { context, row, email, identities } = writing
  const [first] = identities
  const userId = writing.userId ?? (first && plainUserId(first.connection, first.subject))
  // Every reader of rows gives at least one identity.
  if (first === undefined || userId === undefined) return refuse('row_invalid', '/identities')
  // It was somebody's who has gone; tokens and records outside of this server still name them.
  if (!(await tx.users.claimId(userId))) return refuse('user_id_taken', '/user_id')
  const user = newUser(row.user, { userId, email, at: context.at })
  const grade: Grade = user.emailVerified ? 3 : 0
  await tx.users.insert(user)
  await Promise.all([
    ...identities.map((one, position) => insertIdentity(tx, user, one, position)),
    ...passwordRows(tx, writing, context.at),
    ...(email === undefined
      ? []
      : [tx.evidence.put({ userId, address: email, source: 'operator', grade, saidAt: context.at })]),
    ...identities.slice(1).map((one) => fileAddress(tx, userId, one, context.at)),
    tx.events.append({
      type: 'user.imported',
      at: context.at,
      outcome: 'ok',
      userId,
      connectionId: first.connection.id,
      data: { subject: first.subject, identities: identities.length, grade },
    }),
  ])
  return { kind: 'inserted' }
}

function newUser(
  given: ImportedUser,
  { userId, email, at }: { readonly userId: string; readonly email: string | undefined; readonly at: EpochSeconds },
): User {
  return {
    userId,
    email,
    emailVerified: email !== undefined && given.emailVerified === true,
    profile: profileOf(given.profile),
    userMetadata: given.userMetadata ?? {},
    appMetadata: given.appMetadata ?? {},
    blocked: given.blocked ?? false,
    createdAt: given.createdAt ?? at,
    updatedAt: given.updatedAt ?? at,
    lastLogin: given.lastLogin,
    lastIp: given.lastIp,
    loginsCount: given.loginsCount ?? 0,
  }
}

async function insertIdentity(tx: Repositories, user: User, one: Resolved, position: number): Promise<void> {
  const { connection, subject, from } = one
  const identity: Identity = {
    connectionId: connection.id,
    subject,
    userId: user.userId,
    position,
    profileData: from.profileData ?? ownProfileData(user),
    createdAt: user.createdAt,
    lastLogin: position === 0 ? user.lastLogin : undefined,
  }
  // Somebody signed in by it since the look: the whole is done again, and then sees them.
  if (!(await tx.identities.insert(identity))) throw new RowOvertaken()
}

/** Another writer was faster than the look before. */
export class RowOvertaken extends Error {}

/** The root of an export is what the first identity says. */
const ownProfileData = ({ profile, email, emailVerified }: User): JsonObject => ({
  ...profileToWire(profile),
  ...(email === undefined ? {} : { email, email_verified: emailVerified }),
})

function passwordRows({ passwords }: Repositories, { password, email, row }: Writing, at: EpochSeconds) {
  if (password === undefined || email === undefined) return []
  const record = {
    connectionId: password.connection.id,
    subject: password.subject,
    address: email,
    hash: row.passwordHash ?? NO_PASSWORD,
    changedAt: at,
  }
  return [
    passwords.insert(record).then((isNew) => {
      if (!isNew) throw new RowOvertaken()
    }),
  ]
}

/** What a linked account said of its address counts for as much as when it is said at a sign-in. */
async function fileAddress(tx: Repositories, userId: string, one: Resolved, at: EpochSeconds): Promise<void> {
  const { address, grade } = claimOf(one)
  if (address === undefined) return
  await tx.evidence.put({ userId, address, source: connectionSource(one.connection.id), grade, saidAt: at })
}

function claimOf({ connection, from }: Resolved): { address: string | undefined; grade: Grade } {
  const { email, email_verified: emailVerified } = from.profileData ?? {}
  const address = isString(email) ? canonicalAddress(email) : undefined
  const options = isJsonObject(connection.document.options) ? connection.document.options : {}
  return { address, grade: gradeOf({ email: address, emailVerified, connection: { options } }) }
}

async function add(
  tx: Repositories,
  existing: User,
  writing: Writing & { readonly missing: readonly Resolved[] },
): Promise<RowOutcome> {
  const { context, row, missing } = writing
  const { at, upsert, vault } = context
  const { userId } = existing
  const gotPassword = await addPassword(tx, existing, writing)
  const change = upsert ? changeOf(existing, row.user) : undefined
  if (change !== undefined) await updateUser(tx, vault, { userId, change, at })
  for (const one of missing) {
    const { address: email, grade } = claimOf(one)
    const { connection, subject, from } = one
    const added = await addIdentity(tx, {
      ...{ userId, connectionId: connection.id, subject, profileData: from.profileData ?? {}, email, grade, at },
      rule: 'import',
      proof: { by: 'operator' },
    })
    if (added.kind === 'conflict') throw new RowOvertaken()
  }
  return { kind: gotPassword || change !== undefined || missing.length > 0 ? 'updated' : 'unchanged' }
}

/** Only where there is none: a password that is there is never replaced. */
async function addPassword(
  tx: Repositories,
  { userId }: User,
  { row, password, email, context: { at } }: Writing,
): Promise<boolean> {
  const { passwordHash: hash } = row
  if (hash === undefined || password === undefined || email === undefined) return false
  const { connectionId, subject } = keyOf(password)
  const [identity, record] = await Promise.all([
    tx.identities.find(connectionId, subject),
    tx.passwords.find(connectionId, subject),
  ])
  if (identity?.userId !== userId || (record !== undefined && record.hash !== NO_PASSWORD)) return false
  const isAdded =
    record === undefined
      ? await tx.passwords.insert({ connectionId, subject, address: email, hash, changedAt: at })
      : await tx.passwords.renewHash(connectionId, subject, hash, NO_PASSWORD)
  if (!isAdded) throw new RowOvertaken()
  await tx.events.append({ type: 'user.updated', at, outcome: 'ok', userId, data: { changed: ['password'] } })
  return true
}

/** What the row says otherwise; undefined when it says nothing new. A proof of the address is only ever added. */
function changeOf(existing: User, given: ImportedUser) {
  const changes = {
    emailVerified:
      given.emailVerified === true && !existing.emailVerified && existing.email !== undefined ? true : undefined,
    blocked: given.blocked !== undefined && given.blocked !== existing.blocked ? given.blocked : undefined,
    profile: differs(
      profileToWire({ ...existing.profile, ...profileOf(given.profile) }),
      profileToWire(existing.profile),
    )
      ? profileToWire(profileOf(given.profile))
      : undefined,
    userMetadata: patchOf(existing.userMetadata, given.userMetadata),
    appMetadata: patchOf(existing.appMetadata, given.appMetadata),
  }
  return Object.values(changes).some((one) => one !== undefined) ? changes : undefined
}

function patchOf(current: JsonObject, given: JsonObject | undefined): JsonObject | undefined {
  // An empty object would clear all (`patchMetadata`); in an export it says that there was nothing.
  if (given === undefined || Object.keys(given).length === 0) return undefined
  return differs(patchMetadata(current, given), current) ? given : undefined
}

const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b)
