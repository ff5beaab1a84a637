// The proxy in the OpenAPI document: no operation of ours, for what it takes and gives is the provider's.
import type { JsonObject } from '../../lib/json.ts'
import { PROXY_METHODS } from '../../protocol/agent-policy-document.ts'
import { PROXY_PREFIX } from './proxy-target.ts'

/** What a token needs, besides the vault's grant: whoever may use a person's accounts may know of them. */
export const PROXY_SCOPE = 'read:me:connected_accounts'

const parameter = (name: string, place: 'path' | 'header', description: string): JsonObject => ({
  name,
  in: place,
  required: place === 'path',
  description,
  schema: { type: 'string' },
})

const PARAMETERS = [
  parameter('account', 'path', 'The connected account, `cac_…`.'),
  parameter('path', 'path', "The path of the provider's API, with all its segments; a query goes along."),
  parameter('tenon-host', 'header', 'Another host than the first that the connection lists.'),
  parameter('tenon-purpose', 'header', 'What it is for, up to 256 characters; the person sees it.'),
]

const REFUSALS = {
  400: 'The path is not a plain one, or a header has no meaning',
  401: 'No token, or none for this interface',
  403: 'insufficient_scope, policy_denied, approval_pending, scope_missing, host_not_allowed',
  404: 'There is no such connected account',
  409: 'reconnect_required',
  413: 'payload_too_large',
  429: 'rate_limited or too_many_requests, with `retry-after`',
  502: 'provider_unavailable, or its answer cannot be used',
  504: 'The provider took too long',
} as const

/** @param refusal reference to the shape of a refusal. */
export function proxyPaths(refusal: string): JsonObject {
  const content = { 'application/problem+json': { schema: { $ref: refusal } } }
  const refusals = Object.entries(REFUSALS).map(([status, description]) => [status, { description, content }])
  const responses = {
    ...Object.fromEntries(refusals),
    default: { description: "The provider's answer, as it comes", content: { '*/*': {} } },
  }
  const operations = PROXY_METHODS.map((method) => {
    const takesBody = method !== 'GET' && method !== 'HEAD'
    return [
      method.toLowerCase(),
      {
        operationId: `me_${method.toLowerCase()}_proxy`,
        summary: "Calls the provider's API with the account's token, which stays here",
        tags: ['connected-accounts'],
        security: [{ oauth2: [PROXY_SCOPE] }],
        parameters: PARAMETERS,
        ...(takesBody && { requestBody: { required: false, content: { '*/*': {} } } }),
        responses,
      },
    ]
  })
  return { [`${PROXY_PREFIX}{account}/{path}`]: Object.fromEntries(operations) }
}
