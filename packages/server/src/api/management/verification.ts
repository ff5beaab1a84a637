// Asking a person to show that an address is theirs, as tickets and jobs do (auth0-wire.md §6.4).
import { z } from 'zod'
import { issueTicket, type TicketEnd, VERIFY_BY_TICKET } from '../../accounts/tickets.ts'
import { parseClient } from '../../domain/client.ts'
import { Invalid } from '../../domain/errors.ts'
import { queueMail } from '../../events/mail-queue.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import type { Repositories } from '../../storage/storage.ts'
import { ApiRefusal, invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'

/** Five days, as Auth0's. */
export const TICKET_SECONDS = 432_000
const DAY_SECONDS = 86_400
/** Of the limit on mails. */
const MAIL_WINDOW_SECONDS = 900

/** Whose address: members that tickets and jobs share. */
export const verificationFields = {
  user_id: z.string().min(1).max(512),
  client_id: clientIdField.optional(),
  identity: z
    .strictObject({ user_id: z.string().min(1).max(300), provider: z.string().min(1).max(128) })
    .optional()
    .meta({
      description: 'Of the user: the address of this identity with a password, not the one that the user goes by.',
    }),
} as const

export interface Verification {
  readonly userId: string
  /** Canonical. */
  readonly address: string
}

type Asked = Pick<z.infer<z.ZodObject<typeof verificationFields>>, 'user_id' | 'identity'>

/** @throws {NotFound} `inexistent_user`. @throws {Invalid} `operation_not_supported`: there is no address to prove. */
export async function addressOf(tx: Repositories, { user_id: userId, identity }: Asked): Promise<Verification> {
  const user = await tx.users.find(userId)
  if (user === undefined) throw inexistentUser()
  const address = identity === undefined ? user.email : await passwordAddress(tx, userId, identity)
  if (address === undefined) throw new Invalid('operation_not_supported', 'There is no address that could be proven.')
  return { userId, address }
}

async function passwordAddress(
  tx: Repositories,
  userId: string,
  { user_id: id, provider }: NonNullable<Asked['identity']>,
): Promise<string | undefined> {
  const subject = id.startsWith(`${provider}|`) ? id.slice(provider.length + 1) : id
  const own = (await tx.identities.listOfUser(userId)).find((one) => one.subject === subject)
  if (own === undefined || provider !== 'auth0')
    throw invalidBody('The user has no such identity with a password.', '/identity')
  return (await tx.passwords.find(own.connectionId, subject))?.address
}

export async function requireClient(tx: Repositories, clientId: string | undefined): Promise<void> {
  if (clientId !== undefined && (await tx.clients.find(clientId)) === undefined)
    throw new ApiRefusal(400, 'inexistent_client', 'The client does not exist.')
}

/** @returns path of the link. */
export function issueVerification(
  tx: Repositories,
  verification: Verification,
  {
    at,
    seconds = TICKET_SECONDS,
    goesTo,
  }: { readonly at: number; readonly seconds?: number; readonly goesTo?: TicketEnd | undefined },
): Promise<string> {
  return issueTicket(tx, { ...verification, kind: 'verify', boundTo: VERIFY_BY_TICKET, goesTo, at, seconds })
}

/** Counts a mail. @throws {ApiRefusal} 429: too many went to this address. */
export async function requireMailable({ mailLimits }: ManagementDeps, address: string): Promise<void> {
  if (!(await mailLimits.exceeded(address))) return
  const headers = { 'retry-after': String(MAIL_WINDOW_SECONDS) }
  throw new ApiRefusal(429, 'too_many_requests', 'Too many mails went to this address.', { headers })
}

/** @param clientId the mail names its client */
export async function mailVerification(
  { storage, clock, issuer, keyring, settings }: ManagementDeps,
  verification: Verification,
  clientId?: string,
): Promise<void> {
  const at = clock()
  await storage.transaction(async (tx) => {
    const link = new URL(await issueVerification(tx, verification, { at }), issuer).href
    const client = clientId === undefined ? undefined : await tx.clients.find(clientId)
    const app = client === undefined ? {} : { app: parseClient(client).name }
    const values = { tenant: settings().friendlyName, link, days: TICKET_SECONDS / DAY_SECONDS, ...app }
    const { address: to } = verification
    await queueMail(tx, keyring, { to, template: 'verify-link', values, notAfter: at + TICKET_SECONDS })
  })
}
