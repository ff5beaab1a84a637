// Who runs this deployment, by `settings.operators`. Pure.
import { canonicalAddress } from './address.ts'
import type { AddressEvidence, Grade } from './user.ts'

/** Who acts in the console after entering by a printed link: nobody that we know by a user id, which all hold a pipe. */
export const CONSOLE_LINK = 'console link'

/** User ids and addresses that may enter the console. */
export type OperatorNames = readonly string[]

/**
 * Opens the console to somebody by their id, or by an address that we proved, or that a connection authoritative for its
 * domain says is theirs. A provider that is merely trusted must not be able to make operators.
 */
export const isOperator = (names: OperatorNames, userId: string, evidence: readonly AddressEvidence[]): boolean =>
  isNamed(names, userId, evidence, 2)

/** Guards somebody as an operator: nobody is joined to them without their own proof. */
export const isPrivileged = (names: OperatorNames, userId: string, evidence: readonly AddressEvidence[]): boolean =>
  isNamed(names, userId, evidence, 1)

function isNamed(names: OperatorNames, userId: string, evidence: readonly AddressEvidence[], least: Grade): boolean {
  if (names.includes(userId)) return true
  const addresses = new Set(names.flatMap((name) => canonicalAddress(name) ?? []))
  return evidence.some(({ address, grade }) => grade >= least && addresses.has(address))
}
