// Authentication methods of the calling user, to look at (auth0-wire.md §3.5). They are changed in `enrol-method.ts` and
// `change-method.ts`, behind a proof of a moment ago.
import { z } from 'zod'
import { isActive } from '../../domain/connection-use.ts'
import { type Operation, operation } from '../operation.ts'
import { changeMethodOperations } from './change-method.ts'
import type { MeDeps, MethodDeps } from './deps.ts'
import { enrolMethodOperations } from './enrol-method.ts'
import { userOf } from './me-caller.ts'
import {
  METHOD_TYPES,
  type MethodType,
  methodParams,
  methodShape,
  ownMethods,
  requireMethod,
  serializeMethod,
  TYPE_OF_STRATEGY,
  USAGE,
  usageShape,
} from './method-view.ts'

const factorShape = z.object({ type: z.enum(METHOD_TYPES), usage: usageShape })

export function authenticationMethodOperations(deps: MethodDeps): readonly Operation[] {
  return [
    listFactors(deps),
    listMethods(deps),
    getMethod(deps),
    ...enrolMethodOperations(deps),
    ...changeMethodOperations(deps),
  ]
}

const listFactors = ({ storage }: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/factors',
      summary: 'Kinds of authentication methods that the user can have',
      tag: 'authentication-methods',
      scopes: ['read:me:factors'],
      answers: { 200: { description: 'The kinds', schema: z.object({ factors: z.array(factorShape) }) } },
    },
    async ({ caller }) => {
      const connections = await storage.connections.listForClient(userOf(caller).clientId)
      const own = connections
        .filter(({ document }) => isActive(document, 'authentication', true))
        .flatMap(({ strategy }) => TYPE_OF_STRATEGY.get(strategy) ?? [])
      // Whoever may sign in may set up an app.
      const types = new Set<MethodType>([...own, 'totp', 'recovery-code'])
      return { status: 200, body: { factors: [...types].map((type) => ({ type, usage: USAGE[type] })) } }
    },
  )

const listMethods = ({ storage }: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/authentication-methods',
      summary: 'Authentication methods of the user',
      tag: 'authentication-methods',
      scopes: ['read:me:authentication_methods'],
      query: z.object({ type: z.enum(METHOD_TYPES).optional() }),
      answers: {
        200: { description: 'The methods', schema: z.object({ authentication_methods: z.array(methodShape) }) },
      },
    },
    async ({ caller, query }) => {
      const methods = await ownMethods(storage, userOf(caller).userId)
      const wanted = methods.filter(({ type }) => query.type === undefined || type === query.type)
      return { status: 200, body: { authentication_methods: wanted.map(serializeMethod) } }
    },
  )

const getMethod = ({ storage }: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/authentication-methods/{id}',
      summary: 'One authentication method of the user',
      tag: 'authentication-methods',
      scopes: ['read:me:authentication_methods'],
      params: methodParams,
      answers: {
        200: { description: 'The method', schema: methodShape },
        404: { description: 'The user has no such method' },
      },
    },
    async ({ caller, params }) => {
      const method = await requireMethod(storage, userOf(caller).userId, params.id)
      return { status: 200, body: serializeMethod(method) }
    },
  )
