// What the calling user signs in and proves themselves with, and how their apps see it (auth0-wire.md §3.5).
import { z } from 'zod'
import { askedFactors } from '../../accounts/second-factors.ts'
import { type WayIn, waysIn } from '../../accounts/ways-in.ts'
import { MAIL_STRATEGY, PASSKEY_STRATEGY, PASSWORD_STRATEGY } from '../../domain/connection.ts'
import type { JsonObject } from '../../lib/json.ts'
import { type EpochSeconds, toIso } from '../../lib/time.ts'
import type { PasskeyRecord, SecondFactorRecord } from '../../storage/factor-repository.ts'
import type { Repositories } from '../../storage/storage.ts'
import { ApiRefusal } from '../refusal.ts'

export const METHOD_TYPES = ['password', 'passkey', 'email', 'totp', 'recovery-code'] as const
export type MethodType = (typeof METHOD_TYPES)[number]

export const usageShape = z.array(z.enum(['primary', 'secondary']))
export const methodShape = z.object({
  id: z.string(),
  type: z.enum(METHOD_TYPES),
  usage: usageShape,
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
export const methodParams = z.object({ id: z.string().max(1024) })

/** What each kind of method is for. A passkey is two proofs at once. */
export const USAGE = {
  password: ['primary'],
  email: ['primary'],
  passkey: ['primary', 'secondary'],
  totp: ['secondary'],
  'recovery-code': ['secondary'],
} as const satisfies Record<MethodType, z.infer<typeof usageShape>>

type WayType = Exclude<MethodType, 'totp' | 'recovery-code'>

export const TYPE_OF_STRATEGY: ReadonlyMap<string, WayType> = new Map([
  [PASSWORD_STRATEGY, 'password'],
  [MAIL_STRATEGY, 'email'],
  [PASSKEY_STRATEGY, 'passkey'],
])

export type OwnMethod = { readonly id: string } & (
  | { readonly type: WayType; readonly way: WayIn; readonly passkey: PasskeyRecord | undefined }
  | { readonly type: 'totp'; readonly factor: SecondFactorRecord }
  /** All that are left: each is good once, and none can be shown. */
  | { readonly type: 'recovery-code'; readonly since: EpochSeconds }
)

/** The name that apps know an authenticator app by. */
export const appMethodId = (factorId: string): string => `totp|${factorId}`

/** In the order of the user's identities, then what is asked for besides. */
export async function ownMethods(storage: Repositories, userId: string): Promise<readonly OwnMethod[]> {
  const [ways, passkeys] = [await waysIn(storage, userId), await storage.passkeys.listOfUser(userId)]
  const own = ways.flatMap((way): OwnMethod[] => {
    const { connectionId, subject } = way.identity
    const type = TYPE_OF_STRATEGY.get(way.connection.strategy)
    const passkey = passkeys.find((one) => one.connectionId === connectionId && one.subject === subject)
    return type === undefined ? [] : [{ id: `${type}|${subject}`, type, way, passkey }]
  })
  return [...own, ...(await secondSteps(storage, userId))]
}

/** @throws {ApiRefusal} 404 for what is none of this user's, whosever it is. */
export async function requireMethod(storage: Repositories, userId: string, id: string): Promise<OwnMethod> {
  const method = (await ownMethods(storage, userId)).find((one) => one.id === id)
  if (method === undefined) throw new ApiRefusal(404, 'not_found', 'There is no such authentication method.')
  return method
}

async function secondSteps(storage: Repositories, userId: string): Promise<readonly OwnMethod[]> {
  const enrolled = await storage.secondFactors.listOfUser(userId)
  const since = Math.min(...enrolled.map(({ addedAt }) => addedAt))
  const { codes } = await askedFactors(storage, userId)
  const apps = enrolled.filter(({ kind }) => kind === 'totp')
  return [
    ...apps.map((factor) => ({ id: appMethodId(factor.id), type: 'totp', factor }) as const),
    ...(enrolled.length > 0 && codes > 0 ? [{ id: 'recovery-code', type: 'recovery-code', since } as const] : []),
  ]
}

export function serializeMethod(method: OwnMethod): JsonObject {
  const { id, type } = method
  const common = { id, type, usage: USAGE[type] }
  switch (method.type) {
    case 'totp':
      return { ...common, created_at: toIso(method.factor.addedAt), confirmed: true }
    case 'recovery-code':
      return { ...common, created_at: toIso(method.since), confirmed: true }
    default:
      return { ...common, ...serializeWay(method.way, method.passkey) }
  }
}

function serializeWay({ identity, password }: WayIn, passkey: PasskeyRecord | undefined): JsonObject {
  const { subject, createdAt, lastLogin, profileData } = identity
  const common = {
    created_at: toIso(createdAt),
    identity_user_id: subject,
    ...(lastLogin === undefined ? {} : { last_auth_at: toIso(lastLogin) }),
  }
  if (password !== undefined) return { ...common, last_password_reset: toIso(password.changedAt) }
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
