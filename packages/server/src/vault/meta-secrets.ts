// Sealed values in `meta`: the check that the keys are the right ones, and the secret that other secrets derive from.
import { randomBytes } from 'node:crypto'
import { EnvelopeError, keyIdOf } from '../crypto/envelope.ts'
import { equalSecrets } from '../crypto/hashing.ts'
import { KeyringError } from '../crypto/key-file.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { SigningCertificate } from '../crypto/signing-certificate.ts'
import type { Storage } from '../storage/storage.ts'

export interface MetaSecretParts {
  readonly storage: Storage
  readonly keyring: Keyring
}

const CHECK = 'vault-check'
const ROOT = 'meta:root-secret'
/** Keys in `meta`, which are the contexts as well; each value is an envelope in base64. */
const SAML_KEY = 'meta:saml-key'
const SAML_DECRYPTION_KEY = 'meta:saml-decryption-key'
export const META_SECRETS = [CHECK, ROOT, SAML_KEY, SAML_DECRYPTION_KEY] as const

const CHECK_CONTENT = 'tenon vault key check'

/**
 * Makes sure that these keys open this database. Writes once, in an empty one.
 *
 * @throws {KeyringError} they do not: nothing was written.
 */
export async function checkVaultKey({ storage, keyring }: MetaSecretParts): Promise<void> {
  const stored = await storage.meta.find(CHECK)
  if (stored === undefined) return firstCheck({ storage, keyring })
  try {
    const content = keyring.open(CHECK, Buffer.from(stored, 'base64')).toString('utf8')
    if (equalSecrets(content, CHECK_CONTENT)) return
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error
  }
  throw wrongKey(keyring)
}

async function firstCheck({ storage, keyring }: MetaSecretParts): Promise<void> {
  // A database that lost its check value still has data keys to try.
  const [row] = await storage.userKeys.listNotUnder('', 1)
  if (row && !keyring.ids().includes(row.keyId)) throw wrongKey(keyring)
  const value = Buffer.from(keyring.seal(CHECK, Buffer.from(CHECK_CONTENT))).toString('base64')
  await storage.transaction((tx) => tx.meta.putIfAbsent(CHECK, value))
}

const wrongKey = (keyring: Keyring) =>
  new KeyringError(
    `the vault key does not open this database: it was written under another one than ${keyring.ids().join(', ')}; ` +
      'give the key that belongs to it with --vault-key',
  )

/**
 * 32 bytes that all nodes of the deployment share and that last. Cookie keys, nonces and the like are derived from
 * them, each under its own context (`deriveKey`).
 */
export async function deploymentSecret({ storage, keyring }: MetaSecretParts): Promise<Buffer> {
  const fresh = Buffer.from(keyring.seal(ROOT, randomBytes(32))).toString('base64')
  const stored =
    (await storage.meta.find(ROOT)) ?? (await storage.transaction((tx) => tx.meta.putIfAbsent(ROOT, fresh)))
  return keyring.open(ROOT, Buffer.from(stored, 'base64'))
}

/**
 * What all nodes of the deployment share once the first of them has made it: the key that signs our SAML requests. An
 * identity provider keeps its certificate, so that it lasts.
 */
export const samlKey = (parts: MetaSecretParts): Promise<SigningCertificate> =>
  lastingKey(parts, SAML_KEY, 'Tenon SAML requests')

/** Made and kept like `samlKey`: the key that opens assertions which are encrypted to us. */
export const samlDecryptionKey = (parts: MetaSecretParts): Promise<SigningCertificate> =>
  lastingKey(parts, SAML_DECRYPTION_KEY, 'Tenon SAML encryption')

type LastingKey = typeof SAML_KEY | typeof SAML_DECRYPTION_KEY

async function lastingKey(parts: MetaSecretParts, name: LastingKey, subject: string): Promise<SigningCertificate> {
  const stored = (await parts.storage.meta.find(name)) ?? (await firstKey(parts, name, subject))
  // Sealed by us, from this very type.
  return JSON.parse(parts.keyring.open(name, Buffer.from(stored, 'base64')).toString('utf8')) as SigningCertificate
}

async function firstKey({ storage, keyring }: MetaSecretParts, name: LastingKey, subject: string): Promise<string> {
  // Its library is slow to load, and this happens once in a deployment's life.
  const { createSigningCertificate } = await import('../crypto/signing-certificate.ts')
  const fresh = Buffer.from(JSON.stringify(await createSigningCertificate(subject)))
  const sealed = Buffer.from(keyring.seal(name, fresh)).toString('base64')
  return storage.transaction((tx) => tx.meta.putIfAbsent(name, sealed))
}

/** Brings these values under the active key. Returns how many it changed. */
export async function resealMetaSecrets({ storage, keyring }: MetaSecretParts): Promise<number> {
  let changed = 0
  for (const name of META_SECRETS) {
    const stored = await storage.meta.find(name)
    if (stored === undefined) continue
    const envelope = Buffer.from(stored, 'base64')
    if (keyIdOf(envelope) === keyring.activeKeyId) continue
    const next = Buffer.from(keyring.seal(name, keyring.open(name, envelope))).toString('base64')
    // Written once and changed here alone, always to the same content: whoever is last is right as well.
    await storage.transaction((tx) => tx.meta.put(name, next))
    changed++
  }
  return changed
}
