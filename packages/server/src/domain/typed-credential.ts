// What a person types to connect an account that has no OAuth, read strictly: it will stand in a header of every call. Pure.
import { isLabel, tidyLabel } from './label.ts'
import type { CredentialKind } from './tokenset.ts'

export interface TypedCredential {
  readonly username: string | undefined
  readonly secret: string | undefined
  readonly label: string | undefined
}

export type CredentialProblem = 'label_bad' | 'username_bad' | 'secret_missing' | 'secret_bad'

export type ReadCredential =
  | {
      readonly kind: 'read'
      readonly username: string
      readonly secret: string
      /** Undefined: it was not asked for. */
      readonly label: string | undefined
    }
  | { readonly kind: 'refused'; readonly problem: CredentialProblem }

/** Servers take headers of 8 KiB, and often of half of that. */
export const SECRET_LENGTH = 3000
export const USERNAME_LENGTH = 255

/** @param asksLabel the account has no name of its own. */
export function readCredential(
  kind: CredentialKind,
  { username = '', secret = '', label }: TypedCredential,
  asksLabel: boolean,
): ReadCredential {
  const name = tidyLabel(label)
  if (asksLabel && !isLabel(name)) return refused('label_bad')
  const user = username.normalize('NFC').trim()
  if (kind === 'basic' && !isUsername(user)) return refused('username_bad')
  // A password is what it is; blanks around a key come from copying it.
  const whole = kind === 'basic' ? secret : secret.trim()
  if (whole === '') return refused('secret_missing')
  if (whole.length > SECRET_LENGTH || !(kind === 'basic' ? isPassword(whole) : isKey(whole)))
    return refused('secret_bad')
  return { kind: 'read', username: kind === 'basic' ? user : '', secret: whole, label: asksLabel ? name : undefined }
}

const refused = (problem: CredentialProblem): ReadCredential => ({ kind: 'refused', problem })

/** RFC 7617 §2: a colon ends it. */
const isUsername = (name: string): boolean =>
  name !== '' && [...name].length <= USERNAME_LENGTH && !/[:\p{Cc}\p{Cf}\p{Cs}\p{Cn}]/u.test(name)

/** RFC 7617 §2: no control characters. */
const isPassword = (text: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(text)

/** Visible ASCII: nothing else passes through headers unharmed. */
const isKey = (text: string): boolean => /^[!-~]+$/.test(text)
