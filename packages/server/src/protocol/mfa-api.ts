// Bodies of `/mfa/*` (auth0-wire.md §1.9).
import { z } from 'zod'

/** SDKs send the client's secret as well; the token, which is the same client's, is proof enough of a call that changes nothing. */
export const challengeBody = z.object({
  mfa_token: z.string().min(1).max(4096),
  client_id: z.string().min(1).max(255),
  challenge_type: z.string().min(1).max(255).optional(),
  authenticator_id: z.string().min(1).max(255).optional(),
})
