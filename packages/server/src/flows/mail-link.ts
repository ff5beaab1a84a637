// Adding one's own mailbox as a way to sign in: a code goes to the account's address, and its answer is the proof.
import type { Connection } from '../domain/connection.ts'
import type { User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { Owner } from './account-owner.ts'
import type { Arrival } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import { isMailConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { mailboxArrival } from './mail-sign-in.ts'
import type { Outcome } from './outcome.ts'
import { startAddressProof } from './prove-address.ts'
import { openSealedState, sealState } from './sealed-state.ts'

const PAGE = '/account/connections'
export const MAIL_PROVEN_PAGE = '/account/connections/mail'
const NEXT = { next: { kind: 'account', url: PAGE } } as const
/** As long as a code, and the page that takes it, may take. */
const WAIT_SECONDS = 3600

const areaOf = ({ session }: Pick<Owner, 'session'>): string => `mail-link:${session.uid}`

/**
 * Mails a code. Where the browser goes with it is kept on our side, so that who comes there has read the mail.
 *
 * @throws {FlowError} `address_unproven`: there is no address. `rate_limited`.
 */
export function startMailLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { user, session }: Owner,
  { id }: Connection,
): Promise<Outcome> {
  const { userId, email: address } = user
  if (address === undefined) throw new FlowError('address_unproven', NEXT)
  const url = (path: string) => new URL(path.slice(1), deps.issuer).href
  const proven = sealState(deps, request, areaOf({ session }), { connectionId: id, address })
  const returnTo = url(`${MAIL_PROVEN_PAGE}?proven=${proven}`)
  return startAddressProof(deps, request, { userId, address, returnTo, cancelTo: url(PAGE) })
}

/** The mailbox that was proven. @throws {FlowError} `interaction_expired`. */
export async function provenMailbox(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  proven: string | undefined,
): Promise<Arrival> {
  const area = areaOf(owner)
  const opened = openSealedState(deps, request, { area, state: proven, seconds: WAIT_SECONDS })
  const { connectionId, address } = opened ?? {}
  if (!isString(connectionId) || !isString(address)) throw new FlowError('interaction_expired', NEXT)
  const connection = await deps.connections.find(deps.storage, connectionId)
  if (connection === undefined || !isMailConnection(connection) || !isStill(owner.user, address))
    throw new FlowError('interaction_expired', NEXT)
  return mailboxArrival(deps, connection, address)
}

/** The account goes by it now. */
const isStill = ({ email, emailVerified }: User, address: string): boolean => email === address && emailVerified
