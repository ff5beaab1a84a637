// A user as Auth0 exports it and as its bulk import takes it. One reader for both, and for the files of password hashes
// that Auth0 hands out: a row says by its members which it is.
import { z } from 'zod'
import { harmIn } from '../lib/harmless-json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { PASSWORD_CONNECTION } from './built-in.ts'
import { jsonObject, metadata } from './fields.ts'

/** Why a row is not taken; which of its members is at fault says `field`. */
export interface RowFault {
  readonly code: ImportRefusalCode
  /** JSON pointer into the row; empty for the row itself. */
  readonly field: string
}

export type ImportRefusalCode =
  | 'row_not_json'
  | 'row_invalid'
  | 'address_missing'
  | 'address_invalid'
  | 'address_in_use'
  | 'address_differs'
  | 'address_unproven'
  | 'connection_unknown'
  | 'provider_mismatch'
  | 'subject_invalid'
  | 'identity_repeated'
  | 'identity_taken'
  | 'identity_unlinked'
  | 'user_id_taken'
  | 'user_blocked'
  | 'password_without_identity'
  | 'hash_malformed'
  | 'hash_unsupported'
  | 'hash_too_costly'

export interface ImportedIdentity {
  readonly provider: string
  /** Undefined where the row does not say: the one connection of that provider. */
  readonly connection: string | undefined
  /** Without the provider. */
  readonly userId: string
  /** Undefined: what the row says of the user itself. */
  readonly profileData: JsonObject | undefined
  readonly field: string
}

export interface ImportedUser {
  /** `provider|…`; undefined where the row names none, and the address finds the user. */
  readonly userId: string | undefined
  readonly email: string | undefined
  readonly emailVerified: boolean | undefined
  /** Profile in wire names. */
  readonly profile: JsonObject
  readonly userMetadata: JsonObject | undefined
  readonly appMetadata: JsonObject | undefined
  readonly blocked: boolean | undefined
  readonly createdAt: EpochSeconds | undefined
  readonly updatedAt: EpochSeconds | undefined
  readonly lastLogin: EpochSeconds | undefined
  readonly lastIp: string | undefined
  readonly loginsCount: number | undefined
  readonly identities: readonly ImportedIdentity[]
  /** bcrypt, as Auth0 keeps it. */
  readonly passwordHash: string | undefined
  /** `custom_password_hash` as it came. */
  readonly customHash: JsonObject | undefined
}

/** Visible ASCII, spaces inside (OpenID Connect Core §2). */
const id = z.union([z.string().regex(/^[!-~](?:[ -~]{0,510}[!-~])?$/), z.int().nonnegative()]).transform(String)
const profileText = z.string().max(2048).nullish()
const instant = z.union([
  z.iso.datetime({ offset: true }).transform((text) => Math.floor(Date.parse(text) / 1000)),
  z.object({ $date: z.iso.datetime({ offset: true }) }).transform(({ $date }) => Math.floor(Date.parse($date) / 1000)),
])

/** Members that we do not know are let be: the root of a social user holds whatever its provider said. */
const row = z.looseObject({
  user_id: id.optional(),
  _id: z.object({ $oid: z.string().regex(/^[0-9a-f]{24}$/) }).optional(),
  connection: z.string().min(1).max(128).optional(),
  email: z.string().max(320).nullish(),
  email_verified: z.boolean().nullish(),
  name: profileText,
  given_name: profileText,
  family_name: profileText,
  nickname: profileText,
  username: profileText,
  picture: profileText,
  phone_number: profileText,
  user_metadata: metadata().nullish(),
  app_metadata: metadata().nullish(),
  blocked: z.boolean().nullish(),
  created_at: instant.nullish(),
  updated_at: instant.nullish(),
  last_login: instant.nullish(),
  last_ip: z.string().max(64).nullish(),
  logins_count: z.int().nonnegative().nullish(),
  identities: z
    .array(
      z.looseObject({
        provider: z.string().min(1).max(128),
        connection: z.string().min(1).max(128).optional(),
        user_id: id,
        profileData: jsonObject().nullish(),
      }),
    )
    .max(100)
    .nullish(),
  password_hash: z.string().max(128).nullish(),
  passwordHash: z.string().max(128).nullish(),
  custom_password_hash: jsonObject().nullish(),
})

export type ReadRow = { readonly user: ImportedUser } | { readonly fault: RowFault }

/** @param connection of users whose row names none. */
export function readImportedUser(text: string, connection: string = PASSWORD_CONNECTION): ReadRow {
  const value = parseRow(text)
  if (value === undefined) return refused('row_not_json', '')
  if (!isJsonObject(value) || harmIn(value) !== undefined) return refused('row_invalid', '')
  const parsed = row.safeParse(value)
  if (!parsed.success) return refused('row_invalid', pointerOf(parsed.error.issues[0]?.path ?? []))
  return { user: userOf(parsed.data, connection) }
}

const refused = (code: ImportRefusalCode, field: string): ReadRow => ({ fault: { code, field } })

const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function parseRow(text: string): JsonValue | undefined {
  try {
    const value = parseStrictJson(text)
    // An id beyond 2^53 must not become another id (threats T-PRE-09).
    return /"user_id"\s*:\s*\d/.test(text) ? (JSON.parse(text, idsAsText) as JsonValue) : value
  } catch {
    return undefined
  }
}

const idsAsText = (key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  key === 'user_id' && typeof value === 'number' ? (context?.source ?? String(value)) : value

type Row = z.infer<typeof row>

const PROFILE = ['name', 'given_name', 'family_name', 'nickname', 'username', 'picture', 'phone_number'] as const

function userOf(given: Row, connection: string): ImportedUser {
  const ids = identitiesOf(given, connection)
  return {
    userId: ids.userId,
    email: given.email ?? undefined,
    emailVerified: given.email_verified ?? undefined,
    profile: Object.fromEntries(PROFILE.flatMap((name) => (given[name] ? [[name, given[name]]] : []))),
    userMetadata: given.user_metadata ?? undefined,
    appMetadata: given.app_metadata ?? undefined,
    blocked: given.blocked ?? undefined,
    createdAt: given.created_at ?? undefined,
    updatedAt: given.updated_at ?? undefined,
    lastLogin: given.last_login ?? undefined,
    lastIp: given.last_ip ?? undefined,
    loginsCount: given.logins_count ?? undefined,
    identities: ids.identities,
    passwordHash: given.passwordHash ?? given.password_hash ?? undefined,
    customHash: given.custom_password_hash ?? undefined,
  }
}

/**
 * What the row is an account at. An export lists it; a file of hashes names the database's own id; the rows of a bulk
 * import name one without its provider, or none.
 */
function identitiesOf(given: Row, fallback: string): Pick<ImportedUser, 'userId' | 'identities'> {
  const { user_id: userId, _id: own, connection } = given
  if (given.identities && given.identities.length > 0)
    return {
      userId: userId ?? `${given.identities[0]?.provider}|${given.identities[0]?.user_id}`,
      identities: given.identities.map((identity, at) => ({
        provider: identity.provider,
        connection: identity.connection,
        userId: identity.user_id,
        profileData: identity.profileData ?? undefined,
        field: `/identities/${at}`,
      })),
    }
  if (userId === undefined && own === undefined)
    return { userId: undefined, identities: [one('auth0', connection ?? fallback, '')] }
  const full = userId === undefined ? `auth0|${own?.$oid}` : userId.includes('|') ? userId : `auth0|${userId}`
  const [provider = '', rest = ''] = full.split(/\|(.*)/s)
  const named = provider === 'auth0' ? (connection ?? fallback) : connection
  return { userId: full, identities: [one(provider, named, rest)] }
}

const one = (provider: string, connection: string | undefined, userId: string): ImportedIdentity => ({
  provider,
  connection,
  userId,
  profileData: undefined,
  field: '/user_id',
})
