// Tickets: links that an operator hands to a person, and the place where the person's browser goes afterwards
// (auth0-wire.md §6.4).
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { parseClient } from '../domain/client.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { MailProof } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

/** `boundTo` of a reset whose link may have come by any way: using it proves no mailbox. */
export const RESET_BY_TICKET = 'ticket'

/** `boundTo` of a proof that is a link, and no code that an interaction waits for. */
export const VERIFY_BY_TICKET = 'ticket'

/** Where the browser goes afterwards. */
export type TicketEnd = NonNullable<MailProof['goesTo']>

export interface NewTicket extends Pick<MailProof, 'userId' | 'address' | 'boundTo' | 'goesTo'> {
  readonly kind: 'verify' | 'reset'
  readonly at: EpochSeconds
  readonly seconds: number
}

const PATHS: Readonly<Record<NewTicket['kind'], string>> = { verify: 'verify-email', reset: 'reset-password' }

/** Ends the one of before, for one waits for a user at a time (T-PRE-04). @returns path of the link, without a slash before it. */
export async function issueTicket(tx: Repositories, { at, seconds, ...ticket }: NewTicket): Promise<string> {
  const secret = randomToken()
  await tx.proofs.deleteOfUser(ticket.userId, ticket.kind)
  await tx.proofs.insert({
    ...ticket,
    idHash: sha256Hex(secret),
    attempts: 0,
    createdAt: at,
    expiresAt: at + seconds,
  })
  return `${PATHS[ticket.kind]}?ticket=${secret}`
}

/**
 * Whether a ticket may lead there: to an address that the client registered, or the tenant for its logouts when no client
 * is named, or to another page of the same website. Apps of systems (`com.acme.app:/`) are named exactly.
 *
 * @param places registered addresses
 */
export function mayLeadTo(url: string, places: readonly string[]): boolean {
  if (places.includes(url)) return true
  const wanted = URL.parse(url)
  if (wanted === null || !/^https?:$/.test(wanted.protocol) || wanted.username !== '' || wanted.password !== '')
    return false
  return places.some((place) => URL.parse(place)?.origin === wanted.origin)
}

/** Registered addresses of a client; undefined: there is no such client. */
export async function placesOf(tx: Repositories, clientId: string): Promise<readonly string[] | undefined> {
  const record = await tx.clients.find(clientId)
  if (record === undefined) return undefined
  const { callbacks, allowedLogoutUrls, webOrigins, initiateLoginUri } = parseClient(record)
  return [
    ...callbacks,
    ...allowedLogoutUrls,
    ...webOrigins,
    ...(initiateLoginUri === undefined ? [] : [initiateLoginUri]),
  ]
}

/** What the place hears: that it worked, and of whom when it was asked for. */
export function endOf({ url, withAddress }: TicketEnd, address: string): string {
  const end = new URL(url)
  end.searchParams.set('success', 'true')
  end.searchParams.set('code', 'success')
  if (withAddress) end.searchParams.set('email', address)
  return end.href
}
