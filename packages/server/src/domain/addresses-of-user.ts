// What the evidence says about a user's addresses: how sure each is, and which is the best one.
import type { AddressEvidence, Grade } from './user.ts'

/** The best grade that any source gives this address; undefined when nobody said anything about it. */
export function gradeOfAddress(evidence: readonly AddressEvidence[], address: string): Grade | undefined {
  return evidence
    .filter((one) => one.address === address)
    .reduce<Grade | undefined>((best, one) => (best === undefined || one.grade > best ? one.grade : best), undefined)
}

/** A user's `email_verified`: somebody we trust, or we ourselves, said so. */
export function isAddressProven(evidence: readonly AddressEvidence[], address: string | undefined): boolean {
  return address !== undefined && (gradeOfAddress(evidence, address) ?? 0) >= 1
}

/**
 * The address to show and mail to when the present one has gone: the best grade first, then the word that is oldest
 * (it has stood longest), then the alphabet, so that the answer never depends on the order of rows.
 */
export function electAddress(evidence: readonly AddressEvidence[]): string | undefined {
  return [...evidence].sort(
    (a, b) => b.grade - a.grade || a.saidAt - b.saidAt || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0),
  )[0]?.address
}

/**
 * A user whose primary address is unproven may link and connect nothing (threats T-PRE); one without any address may.
 */
export const mayLink = (user: { readonly email: string | undefined; readonly emailVerified: boolean }): boolean =>
  user.email === undefined || user.emailVerified
