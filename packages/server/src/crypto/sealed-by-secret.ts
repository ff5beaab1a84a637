// A short text sealed under a key that only the holder of another secret can derive. The secret is used for one sealing
// only, so that the key is fresh each time.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { deriveKey } from './hashing.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** nonce ‖ ciphertext ‖ tag (AES-256-GCM), the context as associated data. */
export function seal(secret: string, context: string, text: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, context), nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws when the secret or context is another, or a byte was changed. */
export function open(secret: string, context: string, sealed: Uint8Array): string {
  const bytes = Buffer.from(sealed)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, context), bytes.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES))
  return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}

const keyOf = (secret: string, context: string) => createSecretKey(deriveKey(secret, context))
