// Requests that a person answers apart from the client's browser, or without one: back-channel authentication (OpenID CIBA
// Core 1.0, poll mode) and the device flow (RFC 8628), as the engine is configured for them.
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { type ApprovalDeps, askApproval } from '../accounts/approvals.ts'
import {
  APPROVAL_SECONDS,
  DEVICE_SECONDS,
  isBindingMessage,
  LONGEST_APPROVAL_SECONDS,
  POLL_SECONDS,
} from '../domain/approval.ts'
import { isJsonObject, isString, type JsonValue } from '../lib/json.ts'
import type { Artifact } from '../storage/records.ts'
import type { EngineDeps } from './engine.ts'

/** Paths whose answers tell how often to poll. */
export const ASKING_PATHS: ReadonlySet<string> = new Set(['/bc-authorize', '/oauth/device/code'])

export { POLL_SECONDS }

type Features = NonNullable<Configuration['features']>

/** The engine's two features; what it would do by itself when a person answers is done by our pages. */
export function approvalFeatures(deps: EngineDeps): Pick<Features, 'ciba' | 'deviceFlow'> {
  const { errors } = deps.library
  return {
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      validateRequestContext: async (ctx) => requireServable(ctx, deps),
      validateBindingMessage: async (_ctx, message) => {
        if (message !== undefined && !isBindingMessage(message))
          throw new errors.InvalidBindingMessage('binding_message is one line of 1 to 64 visible characters')
      },
      processLoginHint: async (_ctx, hint) => userOfHint(hint, deps),
      processLoginHintToken: async () => {
        throw new errors.InvalidRequest('login_hint_token is not supported')
      },
      verifyUserCode: async () => {},
      // The person was asked when the request was kept.
      triggerAuthenticationDevice: async () => {},
    },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: (ctx) => {
        requireShowable(ctx, deps)
        return {}
      },
    },
  }
}

export const approvalLifetimes = {
  BackchannelAuthenticationRequest: ({ oidc }: KoaContextWithOIDC): number =>
    isString(oidc.params?.requested_expiry) ? Number(oidc.params.requested_expiry) : APPROVAL_SECONDS,
  DeviceCode: (): number => DEVICE_SECONDS,
}

function requireServable(ctx: KoaContextWithOIDC, deps: EngineDeps): void {
  const { errors } = deps.library
  const { client, params } = ctx.oidc
  // Whoever knows the id could poll for the answer (CIBA Core §4: clients are authenticated).
  if (client?.tokenEndpointAuthMethod === 'none') throw new errors.UnauthorizedClient('a public client may not ask')
  requireShowable(ctx, deps)
  if (Number(params?.requested_expiry ?? 1) > LONGEST_APPROVAL_SECONDS)
    throw new errors.InvalidRequest(`requested_expiry is at most ${LONGEST_APPROVAL_SECONDS}`)
}

const NO_DETAILS = /^\s*(?:\[\s*\])?\s*$/

/** One answer of the person is for one audience, and what cannot be shown to them is not taken as allowed (T-AGT-05). */
function requireShowable(ctx: KoaContextWithOIDC, { library: { errors } }: EngineDeps): void {
  if (Array.isArray(ctx.oidc.params?.resource)) throw new errors.InvalidTarget('one resource at a time')
  // The engine leaves out what it does not serve.
  const { body } = ctx.req as { readonly body?: Readonly<Record<string, unknown>> }
  const details = body?.authorization_details
  if (details !== undefined && !(isString(details) && NO_DETAILS.test(details)))
    throw new errors.InvalidAuthorizationDetails('authorization_details are not supported')
}

/** `{"format":"iss_sub","iss":…,"sub":…}` (RFC 9493 §3.2.2), as a text. */
function userOfHint(hint: string | undefined, { issuer, library }: EngineDeps): string | undefined {
  const { errors } = library
  const value = parseJson(hint ?? '')
  if (!isJsonObject(value) || value.format !== 'iss_sub' || !isString(value.iss) || !isString(value.sub))
    throw new errors.InvalidRequest('login_hint is a JSON object with format "iss_sub", iss and sub')
  if (value.iss !== issuer && `${value.iss}/` !== issuer)
    throw new errors.InvalidRequest('iss of login_hint is another issuer')
  return value.sub
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** @returns what the engine's storage calls in the place of a plain write. */
export function asker(deps: Pick<EngineDeps, 'library' | 'storage'> & { readonly approvals: ApprovalDeps }) {
  const { library, storage, approvals } = deps
  return async (artifact: Artifact, authReqId: string): Promise<void> => {
    const answer = await storage.transaction((tx) => askApproval(tx, approvals, artifact, authReqId))
    if (answer.kind === 'asked') return
    const { errors } = library
    const { CustomOIDCProviderError } = errors
    if (!('retryAfterSeconds' in answer)) {
      if (answer.reason === 'user_gone') throw new errors.UnknownUserId('could not identify end-user')
      throw new errors.AccessDenied('The user has stopped this client.')
    }
    library.Provider.ctx?.set('retry-after', String(answer.retryAfterSeconds))
    const why = answer.reason === 'denied_lately' ? 'The user said no lately.' : 'The user has not answered yet.'
    throw Object.assign(new CustomOIDCProviderError('too_many_requests', why), { status: 429, statusCode: 429 })
  }
}
