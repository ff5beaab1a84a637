// Links that an operator hands to a person (auth0-wire.md §6.4).
import { z } from 'zod'
import { RESET_BY_TICKET } from '../../accounts/reset-ticket.ts'
import { randomToken, sha256Hex } from '../../crypto/hashing.ts'
import { canonicalAddress } from '../../domain/address.ts'
import { PASSWORD_CONNECTION } from '../../domain/connection.ts'
import { Invalid } from '../../domain/errors.ts'
import { emailField } from '../../protocol/user-document.ts'
import type { PasswordRecord, Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './users.ts'

const DEFAULT_SECONDS = 432_000
const MAX_SECONDS = 30 * 86_400

const body = z.strictObject({
  user_id: z.string().min(1).max(512).optional(),
  email: emailField.optional(),
  connection_id: z.string().min(1).max(64).optional(),
  ttl_sec: z.int().min(0).max(MAX_SECONDS).optional().meta({ description: 'Seconds; 0 is five days.' }),
  mark_email_as_verified: z
    .boolean()
    .optional()
    .meta({ description: 'The link is sent to the mailbox alone, so that whoever uses it has proven the address.' }),
})

export function ticketOperations(deps: ManagementDeps): readonly Operation[] {
  return [passwordChange(deps)]
}

const passwordChange = ({ storage, clock, issuer }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/tickets/password-change',
      summary: 'A link by which a person chooses a new password; those of before end',
      tag: 'tickets',
      scopes: ['create:user_tickets'],
      body,
      answers: {
        201: {
          description: 'The link: whoever has it can choose the password',
          schema: z.object({ ticket: z.string() }),
        },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, body: asked }) => {
      const ticket = randomToken()
      const at = clock()
      await storage.transaction(async (tx) => {
        const { userId, address } = await holderOf(tx, asked)
        await tx.proofs.deleteOfUser(userId, 'reset')
        await tx.proofs.insert({
          idHash: sha256Hex(ticket),
          kind: 'reset',
          userId,
          address,
          boundTo: asked.mark_email_as_verified === true ? '' : RESET_BY_TICKET,
          attempts: 0,
          createdAt: at,
          expiresAt: at + (asked.ttl_sec || DEFAULT_SECONDS),
        })
        await tx.events.append({ type: 'user.ticket_made', at, outcome: 'ok', userId, clientId: caller.clientId })
      })
      return { status: 201, body: { ticket: new URL(`reset-password?ticket=${ticket}`, issuer).href } }
    },
  )

/** Who signs in by the password, and the address that they do so with. */
async function holderOf(tx: Repositories, asked: z.infer<typeof body>): Promise<{ userId: string; address: string }> {
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
