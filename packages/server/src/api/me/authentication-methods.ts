// What the calling user signs in and proves themselves with (auth0-wire.md §3.5). To look at: they are added, changed and
// taken away on our pages alone, behind a proof of a moment ago that an app's token is not.
import { z } from 'zod'
import { askedFactors } from '../../accounts/second-factors.ts'
import { type WayIn, waysIn } from '../../accounts/ways-in.ts'
import { MAIL_STRATEGY, PASSKEY_STRATEGY, PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { isActive } from '../../domain/connection-use.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { PasskeyRecord } from '../../storage/factor-repository.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { ApiRefusal } from '../refusal.ts'
import type { MeDeps } from './deps.ts'
import { userOf } from './me-caller.ts'

const TYPES = ['password', 'passkey', 'email', 'totp', 'recovery-code'] as const
type MethodType = (typeof TYPES)[number]

const usage = z.array(z.enum(['primary', 'secondary']))
const factorShape = z.object({ type: z.enum(TYPES), usage })
const methodShape = z.object({
  id: z.string(),
  type: z.enum(TYPES),
  usage,
  created_at: z.string(),
  confirmed: z.boolean().optional(),
  name: z.string().optional(),
  email: z.string().optional(),
  last_auth_at: z.string().optional(),
  last_password_reset: z.string().optional(),
  identity_user_id: z.string().optional(),
  key_id: z.string().optional(),
  public_key: z.string().optional(),
  user_handle: z.string().optional(),
  transports: z.array(z.string()).optional(),
})

export function authenticationMethodOperations(deps: MeDeps): readonly Operation[] {
  return [listFactors(deps), listMethods(deps), getMethod(deps)]
}

/** What each kind of method is for. A passkey is two proofs at once. */
const USAGE = {
  password: ['primary'],
  email: ['primary'],
  passkey: ['primary', 'secondary'],
  totp: ['secondary'],
  'recovery-code': ['secondary'],
} as const satisfies Record<MethodType, z.infer<typeof usage>>

const TYPE_OF_STRATEGY: ReadonlyMap<string, MethodType> = new Map([
  [PASSWORD_STRATEGY, 'password'],
  [MAIL_STRATEGY, 'email'],
  [PASSKEY_STRATEGY, 'passkey'],
])

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
      query: z.object({ type: z.enum(TYPES).optional() }),
      answers: {
        200: { description: 'The methods', schema: z.object({ authentication_methods: z.array(methodShape) }) },
      },
    },
    async ({ caller, query }) => {
      const methods = await methodsOf(storage, userOf(caller).userId)
      const wanted = methods.filter(({ type }) => query.type === undefined || type === query.type)
      return { status: 200, body: { authentication_methods: wanted } }
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
      params: z.object({ id: z.string().max(1024) }),
      answers: {
        200: { description: 'The method', schema: methodShape },
        404: { description: 'The user has no such method' },
      },
    },
    async ({ caller, params }) => {
      const method = (await methodsOf(storage, userOf(caller).userId)).find(({ id }) => id === params.id)
      if (method === undefined) throw new ApiRefusal(404, 'not_found', 'There is no such authentication method.')
      return { status: 200, body: method }
    },
  )

/** In the order of the user's identities, then what is asked for besides. */
async function methodsOf(storage: Repositories, userId: string): Promise<readonly JsonObject[]> {
  const [ways, passkeys] = [await waysIn(storage, userId), await storage.passkeys.listOfUser(userId)]
  const own = ways.map((way) => serializeWay(way, passkeys)).filter((one) => one !== undefined)
  return [...own, ...(await secondSteps(storage, userId))]
}

function serializeWay(way: WayIn, passkeys: readonly PasskeyRecord[]): JsonObject | undefined {
  const { identity, connection, password } = way
  const { subject, connectionId, createdAt, lastLogin, profileData } = identity
  const type = TYPE_OF_STRATEGY.get(connection.strategy)
  if (type === undefined) return undefined
  const common = {
    id: `${type}|${subject}`,
    type,
    usage: USAGE[type],
    created_at: toIso(createdAt),
    identity_user_id: subject,
    ...(lastLogin === undefined ? {} : { last_auth_at: toIso(lastLogin) }),
  }
  if (password !== undefined) return { ...common, last_password_reset: toIso(password.changedAt) }
  const passkey = passkeys.find((one) => one.connectionId === connectionId && one.subject === subject)
  if (passkey !== undefined) return { ...common, ...serializePasskey(passkey) }
  return { ...common, confirmed: true, ...(profileData.email === undefined ? {} : { email: profileData.email }) }
}

const serializePasskey = ({ subject, publicKey, userHandle, transports, label }: PasskeyRecord): JsonObject => ({
  key_id: subject,
  public_key: Buffer.from(publicKey).toString('base64url'),
  user_handle: userHandle,
  transports,
  name: label,
})

async function secondSteps(storage: Repositories, userId: string): Promise<readonly JsonObject[]> {
  const enrolled = await storage.secondFactors.listOfUser(userId)
  const since = Math.min(...enrolled.map(({ addedAt }) => addedAt))
  const { codes } = await askedFactors(storage, userId)
  const described = (type: MethodType, id: string, at: number) => ({
    id,
    type,
    usage: USAGE[type],
    created_at: toIso(at),
    confirmed: true,
  })
  return [
    ...enrolled
      .filter(({ kind }) => kind === 'totp')
      .map(({ id, addedAt }) => described('totp', `totp|${id}`, addedAt)),
    // One row for all that are left: each is good once, and none can be shown.
    ...(enrolled.length > 0 && codes > 0 ? [described('recovery-code', 'recovery-code', since)] : []),
  ]
}
