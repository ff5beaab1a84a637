// Naming and deleting authentication methods by an app of the tenant's own (auth0-wire.md §3.5): what the pages decide, record
// and mail, decided, recorded and mailed in the same place.
import { z } from 'zod'
import { removeFactor } from '../../accounts/change-factors.ts'
import { labelPasskey } from '../../accounts/label-passkey.ts'
import { removeWay } from '../../accounts/remove-way.ts'
import { LABEL_LENGTH } from '../../domain/label.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { ApiRefusal, invalidBody } from '../refusal.ts'
import type { MethodDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'
import { methodParams, methodShape, type OwnMethod, requireMethod, serializeMethod } from './method-view.ts'
import { changeAsOwner, proofRefusals } from './recent-proof.ts'

export const changeMethodOperations = (deps: MethodDeps): readonly Operation[] => [rename(deps), remove(deps)]

const notFound = { 404: { description: 'The user has no such method' } } as const

const rename = (deps: MethodDeps) =>
  operation(
    {
      method: 'patch',
      path: '/authentication-methods/{id}',
      summary: 'Name a passkey',
      tag: 'authentication-methods',
      scopes: ['update:me:authentication_methods'],
      params: methodParams,
      body: z.strictObject({ name: z.string().min(1).max(200) }),
      answers: {
        200: { description: 'The method', schema: methodShape },
        400: { description: 'operation_not_supported: only passkeys have names; or the name is none' },
        ...proofRefusals,
        ...notFound,
      },
    },
    async ({ caller, params: { id }, body: { name } }) => {
      const user = userOf(caller)
      const method = await changeAsOwner(deps, user, async (tx) => {
        const method = await requireMethod(tx, user.userId, id)
        if (method.type !== 'passkey' || method.passkey === undefined)
          throw new ApiRefusal(400, 'operation_not_supported', 'Only passkeys have names.')
        if ((await labelPasskey(tx, method.passkey, name)) === undefined)
          throw invalidBody(`A name is one line of up to ${LABEL_LENGTH} visible characters.`, '/name')
        return requireMethod(tx, user.userId, id)
      })
      return { status: 200, body: serializeMethod(method) }
    },
  )

const remove = (deps: MethodDeps) =>
  operation(
    {
      method: 'delete',
      path: '/authentication-methods/{id}',
      summary: 'Delete an authentication method; what signs in by it ends',
      tag: 'authentication-methods',
      scopes: ['delete:me:authentication_methods'],
      params: methodParams,
      answers: {
        204: { description: 'Gone' },
        400: { description: 'operation_not_supported: the first or the last way to sign in, or recovery codes' },
        ...proofRefusals,
        ...notFound,
      },
    },
    async ({ caller, params: { id } }) => {
      const user = userOf(caller)
      await changeAsOwner(deps, user, async (tx) => {
        await removeMethod(deps, tx, user, await requireMethod(tx, user.userId, id))
      })
      return { status: 204 }
    },
  )

async function removeMethod(
  deps: MethodDeps,
  tx: Repositories,
  { userId, clientId }: MeCaller,
  method: OwnMethod,
): Promise<void> {
  const change = { userId, clientId, at: deps.clock() }
  switch (method.type) {
    case 'totp':
      await removeFactor(deps, tx, { ...change, kind: 'totp' })
      return
    case 'recovery-code':
      throw new ApiRefusal(400, 'operation_not_supported', 'Recovery codes go with the second step they stand in for.')
    default: {
      const { connectionId, subject } = method.way.identity
      await removeWay(deps, tx, { ...change, connectionId, subject })
    }
  }
}
