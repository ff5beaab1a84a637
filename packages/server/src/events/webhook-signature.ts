// How a webhook says that it is ours: Standard Webhooks 1.0, symmetric signatures. docs/notes/webhooks.md says why.
import { createHmac } from 'node:crypto'
import type { EpochSeconds } from '../lib/time.ts'

export interface SignedMessage {
  /** The same for every attempt. */
  readonly id: string
  /** Of this attempt: receivers refuse what is more than five minutes away from their own clock (T-NET-07). */
  readonly at: EpochSeconds
  readonly body: string
}

/**
 * The headers that prove a message: HMAC-SHA256 over `id.at.body`, once for each secret, so that a receiver can change
 * over from one to the next.
 */
export function signedHeaders(message: SignedMessage, secrets: readonly string[]): Readonly<Record<string, string>> {
  const { id, at, body } = message
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${at}.${body}`).digest('base64')
    return `v1,${mac}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signatures.join(' ') }
}

const PREFIX = 'whsec_'

/** `whsec_` and base64, as libraries make them; any other text is taken byte by byte. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret)
