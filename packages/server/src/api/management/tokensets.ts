// What the vault keeps of a user, as old SDKs ask for it (auth0-wire.md §2.7); `connected-accounts` is its successor.
import { z } from 'zod'
import { transact } from '../../accounts/transact.ts'
import { NotFound } from '../../domain/errors.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import { type Operation, operation } from '../operation.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { userIdParams } from './users.ts'

const tokenset = z.object({
  id: z.string(),
  connection: z.string(),
  scope: z.string(),
  expires_at: z.string().optional(),
  issued_at: z.string(),
  last_used_at: z.string().optional(),
})

export const tokensetOperations = (deps: ManagementDeps): readonly Operation[] => [
  listTokensets(deps),
  deleteTokenset(deps),
]

const listTokensets = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/federated-connections-tokensets',
      summary: 'Tokensets that the vault keeps of a user',
      tag: 'users',
      scopes: ['read:federated_connections_tokens'],
      params: userIdParams,
      answers: {
        200: { description: 'All of them; never a token', schema: z.array(tokenset) },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ params: { id } }) => {
      if ((await storage.users.find(id)) === undefined) throw inexistentUser()
      const accounts = (await storage.accounts.listOfUser(id)).filter(({ health }) => health !== 'revoked')
      const names = new Map<string, string>()
      for (const { connectionId } of accounts)
        names.set(connectionId, (await storage.connections.find(connectionId))?.name ?? '')
      return { status: 200, body: accounts.map((one) => serializeTokenset(one, names.get(one.connectionId) ?? '')) }
    },
  )

function serializeTokenset(account: VaultAccount, connection: string): JsonObject {
  const { id, scopesGranted, accessExpiresAt, connectedAt, lastUsedAt } = account
  return {
    id,
    connection,
    scope: scopesGranted.join(' '),
    ...(accessExpiresAt === undefined ? {} : { expires_at: toIso(accessExpiresAt) }),
    issued_at: toIso(connectedAt),
    ...(lastUsedAt === undefined ? {} : { last_used_at: toIso(lastUsedAt) }),
  }
}

const deleteTokenset = ({ storage, vault, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}/federated-connections-tokensets/{tokenset_id}',
      summary: 'Take a tokenset away: its tokens are gone at once and revoked upstream',
      tag: 'users',
      scopes: ['delete:federated_connections_tokens'],
      params: userIdParams.extend({ tokenset_id: z.string().min(1).max(64) }),
      answers: { 204: { description: 'Gone' }, 404: { description: 'inexistent_user, inexistent_tokenset' } },
    },
    async ({ caller, params: { id: userId, tokenset_id: accountId } }) => {
      await transact(storage, async (tx) => {
        if ((await tx.users.find(userId)) === undefined) throw inexistentUser()
        const account = await tx.accounts.find(accountId)
        if (account?.userId !== userId) throw new NotFound('inexistent_tokenset', 'The tokenset does not exist.')
        const at = clock()
        await vault.drop(tx, account, at)
        const { connectionId } = account
        const event = {
          type: 'connected_account.disconnected',
          at,
          outcome: 'ok',
          userId,
          connectionId,
          accountId,
        } as const
        await tx.events.append({ ...event, clientId: caller.clientId })
      })
      return { status: 204 }
    },
  )
