// Links that an operator hands to a person (auth0-wire.md §6.4).
import { z } from 'zod'
import { issueTicket, mayLeadTo, placesOf, RESET_BY_TICKET, type TicketEnd } from '../../accounts/tickets.ts'
import { canonicalAddress } from '../../domain/address.ts'
import { PASSWORD_CONNECTION } from '../../domain/connection.ts'
import { Invalid } from '../../domain/errors.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import { emailField } from '../../protocol/user-document.ts'
import type { PasswordRecord, Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { addressOf, issueVerification, requireClient, TICKET_SECONDS, verificationFields } from './verification.ts'

const MAX_SECONDS = 30 * 86_400

const shared = {
  result_url: z.string().min(1).max(2048).optional().meta({
    description:
      'Where the browser goes afterwards: an address that the client registered, or one of allowed_logout_urls of the tenant when no client is named, or another page of the same website.',
  }),
  ttl_sec: z.int().min(0).max(MAX_SECONDS).optional().meta({ description: 'Seconds; 0 is five days.' }),
  includeEmailInRedirect: z.boolean().optional().meta({ description: 'result_url is told the address.' }),
} as const

const verificationBody = z.strictObject({ ...verificationFields, ...shared })

const passwordBody = z.strictObject({
  user_id: z.string().min(1).max(512).optional(),
  email: emailField.optional(),
  connection_id: z.string().min(1).max(64).optional(),
  client_id: clientIdField.optional(),
  ...shared,
  mark_email_as_verified: z
    .boolean()
    .optional()
    .meta({ description: 'The link is sent to the mailbox alone, so that whoever uses it has proven the address.' }),
})

const ticketShape = z.object({ ticket: z.string() })

export function ticketOperations(deps: ManagementDeps): readonly Operation[] {
  return [emailVerification(deps), passwordChange(deps)]
}

const emailVerification = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/tickets/email-verification',
      summary: 'A link by which somebody who is signed in shows that an address is theirs; the one of before ends',
      tag: 'tickets',
      scopes: ['create:user_tickets'],
      body: verificationBody,
      answers: {
        201: { description: 'The link, for the mailbox that it is about', schema: ticketShape },
        400: { description: 'operation_not_supported, inexistent_client' },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, body: asked }) => {
      const at = deps.clock()
      const path = await deps.storage.transaction(async (tx) => {
        const verification = await addressOf(tx, asked)
        const goesTo = await endOfTicket(deps, tx, asked)
        const { userId } = verification
        await tx.events.append({ type: 'user.ticket_made', at, outcome: 'ok', userId, clientId: caller.clientId })
        return issueVerification(tx, verification, { at, seconds: asked.ttl_sec || TICKET_SECONDS, goesTo })
      })
      return { status: 201, body: { ticket: new URL(path, deps.issuer).href } }
    },
  )

const passwordChange = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/tickets/password-change',
      summary: 'A link by which a person chooses a new password; those of before end',
      tag: 'tickets',
      scopes: ['create:user_tickets'],
      body: passwordBody,
      answers: {
        201: { description: 'The link: whoever has it can choose the password', schema: ticketShape },
        400: { description: 'operation_not_supported, inexistent_client' },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, body: asked }) => {
      const at = deps.clock()
      const path = await deps.storage.transaction(async (tx) => {
        const holder = await holderOf(tx, asked)
        const goesTo = await endOfTicket(deps, tx, asked)
        const { userId } = holder
        await tx.events.append({ type: 'user.ticket_made', at, outcome: 'ok', userId, clientId: caller.clientId })
        const boundTo = asked.mark_email_as_verified === true ? '' : RESET_BY_TICKET
        return issueTicket(tx, {
          ...holder,
          kind: 'reset',
          boundTo,
          goesTo,
          at,
          seconds: asked.ttl_sec || TICKET_SECONDS,
        })
      })
      return { status: 201, body: { ticket: new URL(path, deps.issuer).href } }
    },
  )

interface AskedEnd {
  readonly result_url?: string | undefined
  readonly client_id?: string | undefined
  readonly includeEmailInRedirect?: boolean | undefined
}

/** A ticket is a link of ours: it leads to nobody's website but those that the operator registered (T-AS-02). */
async function endOfTicket(
  { settings }: ManagementDeps,
  tx: Repositories,
  { result_url: url, client_id: clientId, includeEmailInRedirect: withAddress = false }: AskedEnd,
): Promise<TicketEnd | undefined> {
  await requireClient(tx, clientId)
  if (url === undefined) return undefined
  const places = clientId === undefined ? settings().allowedLogoutUrls : await placesOf(tx, clientId)
  if (!mayLeadTo(url, places ?? []))
    throw invalidBody('result_url is not at a website that is registered for this.', '/result_url')
  return { url, withAddress }
}

type AskedPassword = Pick<z.infer<typeof passwordBody>, 'user_id' | 'email' | 'connection_id'>

/** Who signs in by the password, and the address that they do so with. */
async function holderOf(tx: Repositories, asked: AskedPassword): Promise<{ userId: string; address: string }> {
  if ((asked.user_id === undefined) === (asked.email === undefined))
    throw invalidBody('Either user_id, or email with connection_id.')
  const connection = await tx.connections.findByName(PASSWORD_CONNECTION)
  if (connection === undefined) throw inexistentUser()
  if (asked.connection_id !== undefined && asked.connection_id !== connection.id)
    throw invalidBody('Only the password connection has passwords that a link can change.', '/connection_id')
  const password =
    asked.user_id === undefined
      ? await tx.passwords.findByAddress(connection.id, canonicalAddress(asked.email ?? '') ?? '')
      : await passwordOf(tx, asked.user_id, connection.id)
  const identity = password && (await tx.identities.find(connection.id, password.subject))
  if (password === undefined || identity === undefined) throw inexistentUser()
  return { userId: identity.userId, address: password.address }
}

/** @throws {Invalid} `operation_not_supported`: they come in by other ways alone. */
async function passwordOf(tx: Repositories, userId: string, connectionId: string): Promise<PasswordRecord> {
  if ((await tx.users.find(userId)) === undefined) throw inexistentUser()
  const identities = await tx.identities.listOfUser(userId)
  const own = identities.find((one) => one.connectionId === connectionId)
  const password = own && (await tx.passwords.find(connectionId, own.subject))
  if (password === undefined) throw new Invalid('operation_not_supported', 'The user has no password.')
  return password
}
