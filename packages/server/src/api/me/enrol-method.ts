// Setting up an authenticator app by an app of the tenant's own, in two calls (auth0-wire.md §3.5). What was begun is kept
// nowhere: it travels sealed in `auth_session`, and is nobody's before a code of it came back.
import { z } from 'zod'
import { nameInApp, provenApp } from '../../accounts/app-codes.ts'
import { addFactor } from '../../accounts/change-factors.ts'
import { factorTry } from '../../accounts/second-factors.ts'
import { newFactorId, sha256Hex } from '../../crypto/hashing.ts'
import { openNote, sealNote } from '../../crypto/sealed-note.ts'
import { newTotpSecret, totpKey, totpUri } from '../../crypto/totp.ts'
import { isString } from '../../lib/json.ts'
import { type Operation, operation } from '../operation.ts'
import { ApiRefusal, unauthorized } from '../refusal.ts'
import type { MethodDeps } from './deps.ts'
import { ME_BASE } from './face.ts'
import { type MeCaller, userOf } from './me-caller.ts'
import {
  appMethodId,
  METHOD_TYPES,
  type MethodType,
  methodParams,
  methodShape,
  ownMethods,
  serializeMethod,
} from './method-view.ts'
import { changeAsOwner, proofRefusals, requireRecentProof } from './recent-proof.ts'

const SCOPES = ['create:me:authentication_methods'] as const
const ENROLMENT_SECONDS = 600

export const enrolMethodOperations = (deps: MethodDeps): readonly Operation[] => [enrol(deps), verify(deps)]

const enrol = (deps: MethodDeps) =>
  operation(
    {
      method: 'post',
      path: '/authentication-methods',
      summary: 'Begin to set up an authenticator app; `Location` is what it will be called',
      tag: 'authentication-methods',
      scopes: SCOPES,
      body: z.object({ type: z.enum(METHOD_TYPES) }),
      answers: {
        202: {
          description: 'What to show the person, and what to send to `{id}/verify` with a code, within ten minutes',
          schema: z.object({
            id: z.string(),
            type: z.literal('totp'),
            auth_session: z.string(),
            barcode_uri: z.string(),
            totp_secret: z.string(),
            manual_input_code: z.string(),
          }),
        },
        ...proofRefusals,
        409: { description: 'method_exists' },
      },
    },
    async ({ caller, body }) => {
      requireApp(body.type)
      const { storage, clock, settings, issuer } = deps
      const user = userOf(caller)
      await requireRecentProof(deps, storage, user)
      const known = await storage.users.find(user.userId)
      if (known === undefined) throw unauthorized('Invalid token')
      if ((await ownMethods(storage, user.userId)).some(({ type }) => type === 'totp')) throw exists()
      const [secret, id] = [newTotpSecret(), appMethodId(newFactorId())]
      const key = totpKey(secret)
      return {
        status: 202,
        headers: { location: `${issuer}${ME_BASE.slice(1)}/authentication-methods/${encodeURIComponent(id)}` },
        body: {
          id,
          type: 'totp',
          auth_session: sealNote(deps, contextOf(user, id), { secret: secret.toString('base64url') }, clock()),
          barcode_uri: totpUri(secret, settings().friendlyName, nameInApp(known)),
          // One SDK reads the one, another the other.
          totp_secret: key,
          manual_input_code: key,
        },
      }
    },
  )

const NOT_BY_APPS = {
  password: 'A password is chosen on the pages of the account alone.',
  email: 'A mailbox is added on the pages of the account alone.',
  passkey: 'A passkey belongs to the host of the issuer, and is made on the pages of the account alone.',
  'recovery-code': 'Recovery codes come with a second step, and are renewed on the pages of the account alone.',
} as const satisfies Record<Exclude<MethodType, 'totp'>, string>

function requireApp(type: MethodType): void {
  if (type !== 'totp') throw new ApiRefusal(400, 'operation_not_supported', NOT_BY_APPS[type])
}

const exists = () => new ApiRefusal(409, 'method_exists', 'The user has an authenticator app already: delete it first.')

const contextOf = ({ userId, clientId }: MeCaller, id: string): string =>
  `factor-enrolment:${JSON.stringify([id, userId, clientId])}`

const verify = (deps: MethodDeps) =>
  operation(
    {
      method: 'post',
      path: '/authentication-methods/{id}/verify',
      summary: 'Set up the authenticator app that a code came from; every session of the user ends',
      tag: 'authentication-methods',
      scopes: SCOPES,
      params: methodParams,
      body: z.object({ auth_session: z.string().min(1).max(1000), otp_code: z.string().min(1).max(20) }),
      answers: {
        201: {
          description: 'The method; `recovery_codes` with the first one, to be shown now and never again',
          schema: methodShape.extend({ recovery_codes: z.array(z.string()).optional() }),
        },
        400: { description: 'invalid_request: the auth_session is not for this; invalid_otp_code: the code is wrong' },
        ...proofRefusals,
        409: { description: 'method_exists' },
        429: { description: 'too_many_requests; rate_limited: too many wrong codes' },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const user = userOf(caller)
      await requireRecentProof(deps, deps.storage, user)
      const secret = openEnrolment(deps, user, id, body.auth_session)
      const factor = await proveApp(deps, user, { id, secret, code: body.otp_code })
      const added = await changeAsOwner(deps, user, (tx) =>
        // No session goes on: none can be given another id from here, and a copy of it would go around the second step.
        addFactor(deps, tx, { factor, clientId: user.clientId }),
      )
      if (added.kind === 'exists') throw exists()
      const { codes } = added
      const method = serializeMethod({ id, type: 'totp', factor })
      return { status: 201, body: { ...method, ...(codes === undefined ? {} : { recovery_codes: codes }) } }
    },
  )

/** The same user and client, for this id, lately: what is wrong with it is nobody's business. */
function openEnrolment(deps: MethodDeps, user: MeCaller, id: string, note: string): Buffer {
  const opened = openNote(deps, contextOf(user, id), { note, seconds: ENROLMENT_SECONDS, now: deps.clock() })
  if (!isString(opened?.secret)) throw new ApiRefusal(400, 'invalid_request', 'The auth_session is not valid.')
  return Buffer.from(opened.secret, 'base64url')
}

interface Typed {
  readonly id: string
  readonly secret: Buffer
  readonly code: string
}

/** Guesses count for the account, as those of a second step do. */
async function proveApp(deps: MethodDeps, { userId, clientId }: MeCaller, { id, secret, code }: Typed) {
  const by = factorTry({ userId, by: sha256Hex(`client ${clientId}`), ip: undefined })
  const limited = await deps.signInLimits.attempt(by)
  if (limited !== undefined)
    throw new ApiRefusal(429, 'rate_limited', 'Too many wrong codes: try again later.', {
      headers: { 'retry-after': String(limited.retryAfterSeconds) },
    })
  const factorId = id.slice(appMethodId('').length)
  const factor = provenApp(deps, { id: factorId, userId, secret, code, at: deps.clock() })
  if (factor === undefined) throw new ApiRefusal(400, 'invalid_otp_code', 'The code is not one of this app.')
  await deps.signInLimits.succeeded(by)
  return factor
}
