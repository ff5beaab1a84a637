// How a page of a journey speaks of the person who is signed in.
import { canonicalAddress } from '../domain/address.ts'
import type { Identity, User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'

/** `address` is whole: pages mask it. */
export interface ShownUser {
  readonly name: string
  readonly address: string | undefined
}

/** The name is never the address: beside a masked one it would take the mask off. */
export function shownUser(user: User): ShownUser {
  const { name, nickname } = user.profile
  const ownName = [name, nickname].find((one) => one !== undefined && canonicalAddress(one) === undefined)
  return { name: ownName ?? user.userId, address: user.email }
}

/** What an account is called at its provider; never an address. */
export function ownName({ profileData }: Pick<Identity, 'profileData'>): string | undefined {
  const { nickname, username, name } = profileData
  return [nickname, username, name].filter(isString).find((one) => one !== '' && canonicalAddress(one) === undefined)
}
