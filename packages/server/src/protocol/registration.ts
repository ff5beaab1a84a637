// Client metadata as a stranger may register it (RFC 7591 §2): a client for people, and nothing that we would have to fetch.
import { z } from 'zod'
import { readUrl } from './fields.ts'

const shown = () =>
  z
    .string()
    .max(2048)
    .refine((value) => readUrl(value)?.protocol === 'https:', { error: 'a URL that begins with https://' })

/** Makes us call an address of theirs, or trust what it says. */
const REFUSED = [
  'jwks',
  'jwks_uri',
  'sector_identifier_uri',
  'request_uris',
  'software_statement',
  'backchannel_logout_uri',
  'backchannel_client_notification_endpoint',
] as const

export const registrationBody = z.looseObject({
  client_name: z.string().max(255).optional(),
  redirect_uris: z.array(z.string().max(2048)).min(1).max(20),
  token_endpoint_auth_method: z
    .enum(['none', 'client_secret_basic', 'client_secret_post'])
    .default('client_secret_basic'),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token']))
    .min(1)
    .max(2)
    .default(['authorization_code']),
  response_types: z.array(z.literal('code')).max(1).default(['code']),
  application_type: z.enum(['web', 'native']).default('web'),
  // Taken, and not kept: what strangers say of themselves is not shown to people.
  client_uri: shown().optional(),
  logo_uri: shown().optional(),
  policy_uri: shown().optional(),
  tos_uri: shown().optional(),
  ...Object.fromEntries(REFUSED.map((name) => [name, z.never().optional()])),
})
export type Registration = z.infer<typeof registrationBody>
