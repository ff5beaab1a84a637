// Key-encryption keys over their life: a first look at start, a new one without downtime, an old one's end.
import { setTimeout as sleep } from 'node:timers/promises'
import { headerOf, keyIdOf } from '../crypto/envelope.ts'
import { KeyringError } from '../crypto/key-file.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock } from '../lib/time.ts'
import type { SealedRow } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import { META_SECRETS, resealMetaSecrets } from './meta-secrets.ts'

export interface KeyParts {
  readonly storage: Storage
  readonly keyring: Keyring
  readonly clock: Clock
}

const BATCH = 200
/** Servers notice a new key within a second; until then they may still seal under the old one. */
const NOTICE_MS = 1500

export interface RotationReport {
  readonly activeKeyId: string
  /** Envelopes that were brought under it. */
  readonly resealed: number
}

/**
 * Makes a new key-encryption key the active one and brings what older keys sealed under it, in batches, beside serving
 * processes. When it is cut off, servers carry on by themselves.
 *
 * @throws {KeyringError} the keys come from the environment, and there is one only; the message says what to do.
 */
export async function rotateVaultKeys(parts: KeyParts): Promise<RotationReport> {
  const { storage, keyring, clock } = parts
  try {
    keyring.rotate()
  } catch (error) {
    // From the environment: with several keys, the one in front is the new one.
    if (!(error instanceof KeyringError) || keyring.ids().length < 2) throw error
  }
  let resealed = await rewrapAll(parts)
  await sleep(NOTICE_MS)
  resealed += await rewrapAll(parts)
  const { activeKeyId } = keyring
  const event = {
    type: 'keys.vault_rotated',
    at: clock(),
    outcome: 'ok',
    data: { key_id: activeKeyId, resealed },
  } as const
  await storage.transaction((tx) => tx.events.append(event))
  return { activeKeyId, resealed }
}

/** Carries on where a rotation was cut off. Cheap when there is one key, or nothing left to do since the last look. */
export async function resumeRewrapping(parts: KeyParts): Promise<void> {
  if (parts.keyring.ids().length > 1) await rewrapAll(parts)
}

/** How many envelopes each key-encryption key is needed for; keys without any may be removed. */
export async function keyReferences({
  storage,
  keyring,
}: Omit<KeyParts, 'clock'>): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>(keyring.ids().map((id) => [id, 0]))
  const add = (id: string, count = 1) => counts.set(id, (counts.get(id) ?? 0) + count)
  for (const [id, count] of await storage.userKeys.countByKey()) add(id, count)
  for (const id of keyring.ids()) add(id, await storage.sealed.countOf(headerOf(id)))
  for (const name of META_SECRETS) {
    const value = await storage.meta.find(name)
    if (value !== undefined) add(keyIdOf(Buffer.from(value, 'base64')))
  }
  return counts
}

/**
 * Removes keys that nothing needs any more. Backups that were made under them are lost with them.
 *
 * @returns the ids removed.
 */
export async function pruneVaultKeys(parts: KeyParts): Promise<readonly string[]> {
  await rewrapAll(parts)
  await sleep(NOTICE_MS)
  const references = await keyReferences(parts)
  return parts.keyring.remove(parts.keyring.ids().filter((id) => references.get(id) === 0))
}

/** Brings everything under the active key. Returns how many envelopes it changed. */
export async function rewrapAll(parts: KeyParts): Promise<number> {
  return (await rewrapUserKeys(parts)) + (await resealRows(parts)) + (await resealMetaSecrets(parts))
}

async function rewrapUserKeys({ storage, keyring }: KeyParts): Promise<number> {
  let changed = 0
  for (;;) {
    const rows = await storage.userKeys.listNotUnder(keyring.activeKeyId, BATCH)
    if (rows.length === 0) return changed
    const wrapped = rows.map(({ userId, keyId, wrapped }) => ({
      key: { userId, ...keyring.wrap(userId, keyring.unwrap(userId, wrapped)) },
      keyId,
    }))
    changed += await storage.transaction(async (tx) => {
      let count = 0
      for (const { key, keyId } of wrapped) if (await tx.userKeys.rewrap(key, keyId)) count++
      return count
    })
  }
}

async function resealRows({ storage, keyring }: KeyParts): Promise<number> {
  let changed = 0
  for (;;) {
    const rows = await storage.sealed.listOutside(headerOf(keyring.activeKeyId), BATCH)
    if (rows.length === 0) return changed
    const sealed = rows.map((row) => ({ row, envelope: resealed(keyring, row) }))
    const count = await storage.transaction(async (tx) => {
      let done = 0
      // False when somebody wrote or took the row meanwhile: the next turn sees what stands.
      for (const { row, envelope } of sealed) if (await tx.sealed.replace(row, envelope)) done++
      return done
    })
    changed += count
  }
}

function resealed(keyring: Keyring, { kind, id, envelope }: SealedRow): Uint8Array {
  const context = `${kind}:${id}`
  return keyring.seal(context, keyring.open(context, envelope))
}
