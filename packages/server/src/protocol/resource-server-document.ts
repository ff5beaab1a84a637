// An API of the operator as the tenant file and the Management API hold it (auth0-wire.md §6.4).
import { z } from 'zod'
import { flag, member, patchOf, scopeValue, text, tolerated, wholeSeconds } from './fields.ts'

const subjectPolicy = (
  values: readonly ['allow_all', 'deny_all', 'require_client_grant'] | readonly ['deny_all', 'require_client_grant'],
) => z.strictObject({ policy: z.enum(values) })

const changeable = {
  name: member(text(200), 'Shown to people.'),
  scopes: member(
    z.array(z.strictObject({ value: scopeValue(), description: z.string().max(500).optional() })).max(1000),
    'Scopes, with the words that a consent page shows.',
    [],
  ),
  signing_alg: member(z.enum(['RS256', 'PS256']), 'Signature of its access tokens.', 'RS256'),
  token_lifetime: member(wholeSeconds(1), 'Life of its access tokens. Default: settings.tokens.access_token_seconds.'),
  token_lifetime_for_web: member(wholeSeconds(1), 'Life of access tokens for spa clients. Default: token_lifetime.'),
  allow_offline_access: member(flag(), 'Refresh tokens may be asked with it.', false),
  skip_consent_for_verifiable_first_party_clients: member(flag(), 'First-party clients ask no consent.', true),
  proof_of_possession: member(
    z
      .strictObject({
        mechanism: z.enum(['dpop']),
        required: flag(),
        required_for: z.enum(['public_clients', 'all_clients']).optional(),
      })
      .nullable(),
    'Its tokens are bound to a key (RFC 9449).',
  ),
  subject_type_authorization: member(
    z.strictObject({
      user: subjectPolicy(['allow_all', 'deny_all', 'require_client_grant']).optional(),
      client: subjectPolicy(['deny_all', 'require_client_grant']).optional(),
    }),
    'Which tokens need a client grant. Default: user allow_all, client require_client_grant; the built-in ones require one of both.',
  ),
  enforce_policies: tolerated(flag()),
  token_dialect: tolerated(z.enum(['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz'])),
  token_encryption: tolerated(z.null()),
  consent_policy: tolerated(),
  authorization_details: tolerated(),
  verificationLocation: tolerated(),
  verificationKey: tolerated(),
} as const

const identifier = z
  .string()
  .regex(/^[\x21-\x7e]{1,600}$/, { error: 'up to 600 printable characters without spaces' })
  .meta({ description: 'The audience of its tokens; immutable.' })

/** In the tenant file, and the body of `POST /api/v2/resource-servers`. */
export const resourceServerDocument = z.strictObject({ identifier, ...changeable })
/** Body of `PATCH /api/v2/resource-servers/{id}`. */
export const resourceServerPatchBody = patchOf(changeable)
