// Changing the address that the account goes by: a code is mailed to the new one, and only its answer changes anything.
import { canonicalAddress } from '../domain/address.ts'
import { backTo, requireOwner } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'
import { startAddressProof } from './prove-address.ts'

const PAGE = '/account'

/** Whether anybody has the address is said to nobody who does not read its mail. @throws {FlowError} `rate_limited`. */
export async function startAddressChange(deps: FlowDeps, request: BrowserRequest, typed: string): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const address = canonicalAddress(typed.trim())
  if (address === undefined) return backTo(deps, request, PAGE, { code: 'address-bad', thing: '' })
  if (address === user.email && user.emailVerified)
    return backTo(deps, request, PAGE, { code: 'address-same', thing: address })
  const returnTo = new URL(PAGE.slice(1), deps.issuer).href
  // One's own address that is not proven yet needs no change, but the proof.
  const change = address !== user.email
  return startAddressProof(deps, request, { userId: user.userId, address, change, returnTo, cancelTo: returnTo })
}
