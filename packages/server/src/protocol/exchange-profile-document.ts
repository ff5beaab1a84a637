// Which tokens of providers are exchanged for ours, as the tenant file and the Management API take it (auth0-wire.md §6.4).
import { z } from 'zod'

/** What Auth0 calls a profile whose subject is proven by the tenant's own means. */
export const PROFILE_TYPE = 'custom_authentication'

/** Names that specifications, Auth0 and Okta give out themselves. */
const RESERVED = /^(?:urn:(?:ietf|auth0|okta|openid):|https?:\/\/(?:[\w-]+\.)*(?:auth0|okta)\.com(?:[/:]|$))/i

export const profileName = z.string().trim().min(1).max(50)

/** Body of `POST /api/v2/token-exchange-profiles`; in the tenant file `action_id` is the name of a connection. */
export const exchangeProfileDocument = z.strictObject({
  name: profileName.meta({ description: 'Unique among the profiles.' }),
  subject_token_type: z
    .string()
    .min(8)
    .max(100)
    .refine((type) => URL.canParse(type) && !RESERVED.test(type), 'must be a URI of your own')
    .meta({ description: 'By which requests name the kind of token.' }),
  type: z.literal(PROFILE_TYPE).meta({ description: 'How the subject is proven.' }),
  action_id: z.string().min(1).max(128).meta({
    description: 'The connection whose ID tokens are believed: its id in the API, its name in the tenant file.',
  }),
  subject_token_audiences: z
    .array(z.string().min(1).max(255))
    .max(20)
    .optional()
    .meta({ description: "Client ids of the operator's other apps at the provider, whose tokens count as well." }),
})
export type ExchangeProfileDocument = z.infer<typeof exchangeProfileDocument>
