// The file of key-encryption keys (docs/formats/envelope.md, Keys): read whole, replaced whole.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isJsonObject, type JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { KEY_BYTES, type SealingKey, sealingKey } from './envelope.ts'

export interface KeyFile {
  readonly active: string
  readonly keys: readonly KeyFileEntry[]
}

export interface KeyFileEntry {
  readonly id: string
  /** 32 bytes, base64. */
  readonly key: string
  readonly createdAt: EpochSeconds
}

/** Keys that cannot be used, with what to do about it; never shows a key. */
export class KeyringError extends Error {
  readonly code = 'vault_key'
}

/**
 * Reads the file, and checks that each id is its key's own.
 *
 * @returns undefined when there is no file.
 * @throws {KeyringError} it is damaged or cannot be read.
 */
export function readKeyFile(path: string): KeyFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (isErrorCode(cause, 'ENOENT')) return undefined
    throw new KeyringError(`the vault key file ${path} cannot be read`, { cause })
  }
  return parseKeyFile(text, path)
}

/** Makes the file with one new key, in a folder of mode 0700; takes the other's when two start at once. */
export function createKeyFile(path: string, now: EpochSeconds): KeyFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const entry = newEntry(now)
  const temporary = writeBeside(path, { active: entry.id, keys: [entry] })
  try {
    // link(2) fails when the name is taken, where rename(2) would throw the other's key away.
    linkSync(temporary, path)
  } catch (cause) {
    if (!isErrorCode(cause, 'EEXIST')) throw cause
  } finally {
    unlinkSync(temporary)
  }
  syncFolder(path)
  const file = readKeyFile(path)
  if (!file) throw new KeyringError(`the vault key file ${path} vanished`)
  return file
}

/** Replaces the file atomically and durably. */
export function replaceKeyFile(path: string, file: KeyFile): void {
  renameSync(writeBeside(path, file), path)
  syncFolder(path)
}

export function newEntry(createdAt: EpochSeconds): KeyFileEntry {
  const bytes = randomBytes(KEY_BYTES)
  return { id: sealingKey('kek_', bytes).id, key: bytes.toString('base64'), createdAt }
}

/**
 * A key-encryption key from base64.
 *
 * @param where named in the error: a file, or a variable.
 */
export function parseKey(text: string, where: string): SealingKey {
  const bytes = Buffer.from(text, 'base64')
  const exact = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (!exact || bytes.length !== KEY_BYTES)
    throw new KeyringError(`${where} holds no vault key: expected ${KEY_BYTES} bytes in base64`)
  return sealingKey('kek_', bytes)
}

function parseKeyFile(text: string, path: string): KeyFile {
  const damaged = new KeyringError(`the vault key file ${path} is damaged; put back its backup`)
  let value: JsonValue
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message would quote the text.
    throw damaged
  }
  if (!isJsonObject(value) || typeof value.active !== 'string' || !Array.isArray(value.keys)) throw damaged
  const { active } = value
  const keys = value.keys.map((entry: JsonValue): KeyFileEntry => {
    if (!isJsonObject(entry) || typeof entry.id !== 'string' || typeof entry.key !== 'string') throw damaged
    if (parseKey(entry.key, `the vault key file ${path}`).id !== entry.id) throw damaged
    return { id: entry.id, key: entry.key, createdAt: typeof entry.created_at === 'number' ? entry.created_at : 0 }
  })
  if (!keys.some((key) => key.id === active)) throw damaged
  return { active, keys }
}

function writeBeside(path: string, file: KeyFile): string {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    const keys = file.keys.map(({ id, key, createdAt }) => ({ id, key, created_at: createdAt }))
    writeSync(descriptor, `${JSON.stringify({ active: file.active, keys }, undefined, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return temporary
}

/** The name is durable once the folder is. */
function syncFolder(path: string): void {
  const descriptor = openSync(dirname(path), 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const isErrorCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
