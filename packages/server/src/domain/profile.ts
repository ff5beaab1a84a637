// What a connection says about a person (`profileData`, wire names) and our profile of a user.
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { isString } from '../lib/json.ts'
import type { Profile } from './user.ts'

/** Our profile fields by their name on the wire. */
export const PROFILE_FIELDS = {
  name: 'name',
  given_name: 'givenName',
  family_name: 'familyName',
  nickname: 'nickname',
  username: 'username',
  picture: 'picture',
  phone_number: 'phoneNumber',
} as const satisfies Readonly<Record<string, keyof Profile>>

export type ProfileWireName = keyof typeof PROFILE_FIELDS

// The cast restores what Object.entries forgets: the keys of a constant object.
const FIELDS = Object.entries(PROFILE_FIELDS) as readonly (readonly [ProfileWireName, keyof Profile])[]

/** The profile that a connection's answer gives; what is no text, or empty, is left out. */
export function profileOf(profileData: JsonObject): Profile {
  const profile: Record<string, string> = {}
  for (const [wire, field] of FIELDS) {
    const value = profileData[wire]
    if (isString(value) && value !== '') profile[field] = value
  }
  return profile
}

const NAME_KEY_LETTERS = 100

/**
 * A name as it is looked for: its beginning, in small letters. Each letter by itself, so that the key of a beginning is
 * the beginning of the key: a sigma is small in one way, wherever it stands.
 */
export const nameKey = (name: string): string =>
  [...name.normalize('NFC')]
    .slice(0, NAME_KEY_LETTERS)
    .map((letter) => (letter === 'ς' ? 'σ' : letter.toLowerCase()))
    .join('')

/** A profile in wire names, as `profileData` and the Management API have it. */
export function profileToWire(profile: Profile): Readonly<Record<string, string>> {
  const wire: Record<string, string> = {}
  for (const [name, field] of FIELDS) {
    const value = profile[field]
    if (value !== undefined) wire[name] = value
  }
  return wire
}

/**
 * The root profile after a sign-in by the user's first identity: fields that the connection says differently than at the
 * sign-in before follow it. What an operator wrote over the same word of the connection stays.
 */
export function followProfile(current: Profile, before: JsonObject, now: JsonObject): Profile {
  const next: Record<string, string> = { ...current }
  const [said, says] = [profileOf(before), profileOf(now)]
  for (const [, field] of FIELDS) {
    const value = says[field]
    if (value !== undefined && (value !== said[field] || current[field] === undefined)) next[field] = value
  }
  return next
}

/** Changes single fields; `null` takes one away. */
export function changeProfile(
  current: Profile,
  change: Readonly<Partial<Record<ProfileWireName, string | null>>>,
): Profile {
  const next: Record<string, string> = { ...current }
  for (const [wire, field] of FIELDS) {
    const value = change[wire]
    if (value === null) delete next[field]
    else if (value !== undefined) next[field] = value
  }
  return next
}

/**
 * Metadata after a patch: top-level keys merge, `null` removes one, `{}` clears all (Auth0's rule). Undefined changes nothing.
 */
export function patchMetadata(current: JsonObject, patch: JsonObject | undefined): JsonObject {
  if (patch === undefined) return current
  const entries = Object.entries(patch)
  if (entries.length === 0) return {}
  const next = new Map<string, JsonValue>(Object.entries(current))
  for (const [key, value] of entries) {
    if (value === null) next.delete(key)
    else next.set(key, value)
  }
  return Object.fromEntries(next)
}
