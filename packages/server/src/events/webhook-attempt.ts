// One attempt to deliver a webhook, and what its outcome means for what comes after.
import { EnvelopeError } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock } from '../lib/time.ts'
import type { WebhookDelivery } from '../storage/webhook-repository.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../upstream/errors.ts'
import { requireAvailable, type SafeFetch } from '../upstream/safe-fetch.ts'
import { webhookMessage } from './webhook-message.ts'
import { openWebhookSecrets } from './webhook-secrets.ts'
import { signedHeaders } from './webhook-signature.ts'

export type AttemptOutcome =
  | { readonly kind: 'delivered' }
  /** The receiver works, and said no to this event. */
  | { readonly kind: 'refused'; readonly failure: string }
  /** Nothing can be delivered there now. */
  | { readonly kind: 'unavailable'; readonly failure: string; readonly retryAfterSeconds?: number | undefined }

export interface AttemptParts {
  readonly keyring: Pick<Keyring, 'open'>
  readonly fetch: SafeFetch
  readonly clock: Clock
}

export const ATTEMPT_SECONDS = 10

/** Posts once. No redirect is followed: where events go is the operator's word alone. */
export async function attempt(
  { keyring, fetch, clock }: AttemptParts,
  { webhook, event }: Pick<WebhookDelivery, 'webhook' | 'event'>,
): Promise<AttemptOutcome> {
  try {
    const { id, body } = webhookMessage(event)
    const signature = signedHeaders({ id, at: clock(), body }, openWebhookSecrets(keyring, webhook))
    const answer = await fetch(webhook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      timeoutSeconds: ATTEMPT_SECONDS,
    })
    if (answer.status >= 200 && answer.status < 300) return { kind: 'delivered' }
    requireAvailable(answer)
    const failure = `status_${answer.status}`
    return answer.status === 408 || answer.status === 425
      ? { kind: 'unavailable', failure }
      : { kind: 'refused', failure }
  } catch (error) {
    return unavailable(error)
  }
}

/** A code: what a receiver wrote stays out of our log and database. */
function unavailable(error: unknown): AttemptOutcome {
  if (error instanceof EnvelopeError) return { kind: 'unavailable', failure: 'secret_unreadable' }
  if (error instanceof UpstreamRefused) return { kind: 'unavailable', failure: error.code }
  if (!(error instanceof UpstreamUnavailable)) throw error
  const failure = error.reason === 'status' && error.detail ? `status_${error.detail}` : error.reason
  return { kind: 'unavailable', failure, retryAfterSeconds: error.retryAfterSeconds }
}
