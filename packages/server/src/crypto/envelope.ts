// Seals and opens envelopes: docs/formats/envelope.md. Pure but for the random nonce; knows no storage and no key store.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'

/** A key with its id. Held as a `KeyObject`: it does not print, and ciphers start ten times as fast as from bytes. */
export interface SealingKey {
  readonly id: string
  readonly key: KeyObject
}

/** Where an envelope lies; opening with another binding than it was sealed with fails. */
export type Binding = readonly string[]

/** An envelope that does not open. Says nothing of the content, nor which of key, binding or bytes is wrong. */
export class EnvelopeError extends Error {
  readonly code = 'envelope_invalid'
}

export const KEY_BYTES = 32
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const MAX_KEY_ID_BYTES = 64
const CIPHER = 'aes-256-gcm'
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/

export const accountBinding = (place: { userId: string; accountId: string; field: string; generation: number }) =>
  ['account', place.userId, place.accountId, place.field, String(place.generation)] as const

export const dataKeyBinding = (userId: string): Binding => ['data-key', userId]

export const contextBinding = (context: string): Binding => ['context', context]

export function seal({ id, key }: SealingKey, binding: Binding, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associatedData(id, binding))
  return Buffer.concat([headerOf(id), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** @throws {EnvelopeError} */
export function open({ id, key }: SealingKey, binding: Binding, envelope: Uint8Array): Buffer {
  if (keyIdOf(envelope) !== id) throw new EnvelopeError('sealed by another key')
  const nonceAt = 2 + id.length
  const textAt = nonceAt + NONCE_BYTES
  const tagAt = envelope.length - TAG_BYTES
  try {
    const decipher = createDecipheriv(CIPHER, key, envelope.subarray(nonceAt, textAt), { authTagLength: TAG_BYTES })
    decipher.setAAD(associatedData(id, binding))
    decipher.setAuthTag(envelope.subarray(tagAt))
    const plain = decipher.update(envelope.subarray(textAt, tagAt))
    return Buffer.concat([plain, decipher.final()])
  } catch (cause) {
    throw new EnvelopeError('does not open', { cause })
  }
}

/**
 * The id of the key that sealed it, from the header alone: an unproven word until the envelope opens.
 *
 * @throws {EnvelopeError} the bytes are no envelope of a known version.
 */
export function keyIdOf(envelope: Uint8Array): string {
  const [version, length] = envelope
  if (version !== VERSION) throw new EnvelopeError('unknown version')
  if (length === undefined || length === 0 || length > MAX_KEY_ID_BYTES) throw new EnvelopeError('malformed')
  if (envelope.length < 2 + length + NONCE_BYTES + TAG_BYTES) throw new EnvelopeError('malformed')
  const id = Buffer.from(envelope.subarray(2, 2 + length)).toString('latin1')
  if (!KEY_ID.test(id)) throw new EnvelopeError('malformed')
  return id
}

/** How every envelope of one key begins. */
export const headerOf = (keyId: string): Uint8Array =>
  Buffer.from([VERSION, keyId.length, ...Buffer.from(keyId, 'latin1')])

/** Makes a key of 32 bytes usable, with the id that follows from them. */
export function sealingKey(prefix: 'kek_' | 'dk_', bytes: Uint8Array): SealingKey {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`)
  const id = prefix + createHmac('sha256', bytes).update('tenon key id').digest('hex').slice(0, 16)
  return { id, key: createSecretKey(bytes) }
}

/** version ‖ count ‖ (length ‖ bytes)…: lengths in front, so that no two bindings give the same bytes. */
export function associatedData(keyId: string, binding: Binding): Buffer {
  const parts = [keyId, ...binding]
  if (parts.length > 255) throw new RangeError('too many parts')
  const chunks = [Buffer.from([VERSION, parts.length])]
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    chunks.push(length, bytes)
  }
  return Buffer.concat(chunks)
}
