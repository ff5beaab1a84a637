// What a provider says of a person, in our words. All of it is the provider's claim; none of it identifies anybody.
import { canonicalAddress, maskAddress } from '../domain/address.ts'
import type { Profile } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { ProviderProfile } from './catalogue/profile.ts'
import { type LosslessObject, NumberText, toJsonObject, valueAt } from './lossless-json.ts'

const MAX_TEXT_LENGTH = 300
const MAX_URL_LENGTH = 2048
// Controls, and marks that reverse the reading direction of what stands beside them.
const UNWANTED = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const PROTOCOL_CLAIMS = new Set(
  'iss sub aud exp nbf iat jti nonce azp at_hash c_hash s_hash sid auth_time access_token refresh_token id_token'.split(
    ' ',
  ),
)

/** Our claim → dotted path in what the provider sent. */
export type ClaimPaths = Readonly<Record<string, string>>

export interface EmailClaim {
  readonly email: string | undefined
  readonly emailVerified: boolean
}

export function readProfile(claims: LosslessObject, paths: ClaimPaths): Profile {
  const text = (claim: string) => cleanText(read(claims, paths, claim))
  return defined({
    name: text('name'),
    givenName: text('given_name'),
    familyName: text('family_name'),
    nickname: text('nickname'),
    username: text('username'),
    picture: cleanUrl(read(claims, paths, 'picture')),
    phoneNumber: text('phone_number'),
  })
}

/** The address and the word about it come from one source and stay together. */
export function readEmail(claims: LosslessObject, paths: ClaimPaths, verifiedBy: VerifiedBy = ['true']): EmailClaim {
  return emailClaim(read(claims, paths, 'email'), read(claims, paths, 'email_verified'), verifiedBy)
}

export function emailClaim(email: unknown, verified: unknown, verifiedBy: VerifiedBy = ['true']): EmailClaim {
  const address = typeof email === 'string' ? canonicalAddress(email) : undefined
  return { email: address, emailVerified: address !== undefined && verifiedBy.some((way) => COUNTS[way](verified)) }
}

type VerifiedBy = ProviderProfile['identity']['verifiedBy']

const COUNTS: Readonly<Record<VerifiedBy[number], (verified: unknown) => boolean>> = {
  true: (verified) => verified === true,
  text: (verified) => verified === 'true',
  one: (verified) => verified instanceof NumberText && verified.text === '1',
  // The provider gives out no other address than a proven one.
  present: () => true,
}

/** What to call an account on a page or in a list. */
export function upstreamName(profile: Profile, email: string | undefined, subject: string): string {
  return profile.username ?? profile.name ?? (email === undefined ? subject : maskAddress(email))
}

/** The claims without those that carry the protocol. */
export function personalClaims(claims: LosslessObject): JsonObject {
  const entries = Object.entries(claims).filter(([name]) => !PROTOCOL_CLAIMS.has(name))
  return toJsonObject(Object.fromEntries(entries))
}

function read(claims: LosslessObject, paths: ClaimPaths, claim: string): unknown {
  const path = Object.hasOwn(paths, claim) ? paths[claim] : undefined
  return path === undefined ? undefined : valueAt(claims, path)
}

function cleanText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = [...value.normalize('NFC').replaceAll(UNWANTED, '').trim()].slice(0, MAX_TEXT_LENGTH).join('')
  return text === '' ? undefined : text
}

function cleanUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_URL_LENGTH || !URL.canParse(value)) return undefined
  const url = new URL(value)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
}

function defined(profile: Readonly<Record<keyof Profile, string | undefined>>): Profile {
  return Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined))
}
