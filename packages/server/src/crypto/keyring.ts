// Key-encryption keys: several at once, one active. The interface is what a key service (KMS) will have to fit: it may
// hold a local key that the service unwrapped at start, so that sealing stays synchronous.
import { statSync } from 'node:fs'
import { type Clock, systemClock } from '../lib/time.ts'
import { contextBinding, dataKeyBinding, EnvelopeError, keyIdOf, open, type SealingKey, seal } from './envelope.ts'
import {
  createKeyFile,
  type KeyFile,
  KeyringError,
  newEntry,
  parseKey,
  readKeyFile,
  replaceKeyFile,
} from './key-file.ts'

export interface Keyring {
  /** Seals what is new. */
  readonly activeKeyId: string
  /** All that open something, the active one first. */
  ids(): readonly string[]
  /** Seals under the active key for one context (docs/formats/envelope.md lists them). */
  seal(context: string, plain: Uint8Array): Uint8Array
  /** @throws {EnvelopeError} damaged, of another context, or of a key that is not here. */
  open(context: string, sealed: Uint8Array): Buffer
  /** Wraps a user's data key under the active key. */
  wrap(userId: string, dataKey: Uint8Array): { readonly keyId: string; readonly wrapped: Uint8Array }
  /** @throws {EnvelopeError} */
  unwrap(userId: string, wrapped: Uint8Array): Buffer
  /**
   * Adds a new key and makes it the active one, durably; others open what they sealed until removed.
   *
   * @returns the new key's id.
   * @throws {KeyringError} these keys are somebody else's to change; the message says how.
   */
  rotate(): string
  /** Removes keys that seal nothing any more; the active one stays. @returns the ids removed. */
  remove(ids: readonly string[]): readonly string[]
  /** Stops watching for changes. */
  close(): void
}

export interface KeyringOptions {
  /** `file:PATH` or `env:NAME`. */
  readonly source: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Makes the file when there is none (`serve`); otherwise its absence is an error. */
  readonly create?: boolean
  readonly clock?: Clock
  /** How soon a key that another process added is noticed; 0 never looks. */
  readonly pollMs?: number
  /** Told when a changed file cannot be read; the keys read before stay in use. */
  readonly onReloadError?: (error: unknown) => void
}

/** @throws {KeyringError} no such source, or no usable key in it. */
export function openKeyring(options: KeyringOptions): Keyring {
  const [kind, place] = splitSource(options.source)
  if (kind === 'file' && place) return fileKeyring(place, options)
  if (kind === 'env' && place) return environmentKeyring(place, options.environment ?? process.env)
  throw new KeyringError(`found ${JSON.stringify(options.source)}, expected file:PATH or env:NAME`)
}

interface Keys {
  readonly active: SealingKey
  readonly all: ReadonlyMap<string, SealingKey>
}

function fileKeyring(path: string, options: KeyringOptions): Keyring {
  const { clock = systemClock, pollMs = 500, create = false, onReloadError } = options
  const file = readKeyFile(path) ?? (create ? createKeyFile(path, clock()) : undefined)
  if (!file) throw new KeyringError(`there is no vault key file ${path}`)
  let keys = keysOfFile(file)
  let stamp = stampOf(path)

  const use = (next: KeyFile) => {
    keys = keysOfFile(next)
    stamp = stampOf(path)
  }
  const reload = () => {
    const now = stampOf(path)
    if (now === stamp) return
    try {
      const next = readKeyFile(path)
      if (next) keys = keysOfFile(next)
      stamp = now
    } catch (error) {
      onReloadError?.(error)
    }
  }
  // Reads what stands now, not what was read last: another process may have rotated since.
  const change = (edit: (now: KeyFile) => KeyFile) => {
    const now = readKeyFile(path)
    if (!now) throw new KeyringError(`the vault key file ${path} has gone`)
    const next = edit(now)
    replaceKeyFile(path, next)
    use(next)
  }
  const timer = pollMs > 0 ? setInterval(reload, pollMs) : undefined
  timer?.unref()

  return keyring(() => keys, {
    reload,
    rotate() {
      const entry = newEntry(clock())
      change((now) => ({ active: entry.id, keys: [entry, ...now.keys] }))
      return entry.id
    },
    remove(ids) {
      const gone = ids.filter((id) => id !== keys.active.id && keys.all.has(id))
      if (gone.length > 0)
        change((now) => ({ ...now, keys: now.keys.filter(({ id }) => id === now.active || !gone.includes(id)) }))
      return gone.filter((id) => !keys.all.has(id))
    },
    close: () => clearInterval(timer),
  })
}

function environmentKeyring(name: string, environment: Readonly<Record<string, string | undefined>>): Keyring {
  const text = environment[name]
  if (!text) throw new KeyringError(`the environment variable ${name} is empty; expected 32 bytes in base64`)
  const all = text.split(',').map((part) => parseKey(part.trim(), `the environment variable ${name}`))
  const keys = keysOf(all, all[0]?.id)
  const howTo =
    `put a new key (32 random bytes, base64) in front of the present one in ${name}, separated by a comma, ` +
    'restart every server with it, run "tenon keys rotate --vault" with it, and then remove the old one'
  return keyring(() => keys, {
    reload() {},
    rotate() {
      throw new KeyringError(`a vault key from the environment is rotated where it is set: ${howTo}`)
    },
    remove: () => [],
    close() {},
  })
}

function keyring(keys: () => Keys, source: Pick<Keyring, 'rotate' | 'remove' | 'close'> & { reload(): void }): Keyring {
  const keyFor = (envelope: Uint8Array): SealingKey => {
    const id = keyIdOf(envelope)
    // Another process may have rotated a moment ago and sealed with a key that is not read yet.
    if (!keys().all.has(id)) source.reload()
    const key = keys().all.get(id)
    if (!key) throw new EnvelopeError('sealed by a key-encryption key that is not here')
    return key
  }
  return {
    get activeKeyId() {
      return keys().active.id
    },
    ids: () => [keys().active.id, ...[...keys().all.keys()].filter((id) => id !== keys().active.id)],
    seal: (context, plain) => seal(keys().active, contextBinding(context), plain),
    open: (context, sealed) => open(keyFor(sealed), contextBinding(context), sealed),
    wrap(userId, dataKey) {
      const { active } = keys()
      return { keyId: active.id, wrapped: seal(active, dataKeyBinding(userId), dataKey) }
    },
    unwrap: (userId, wrapped) => open(keyFor(wrapped), dataKeyBinding(userId), wrapped),
    rotate: source.rotate,
    remove: source.remove,
    close: source.close,
  }
}

const keysOfFile = (file: KeyFile): Keys =>
  keysOf(
    file.keys.map(({ key }) => parseKey(key, 'the vault key file')),
    file.active,
  )

function keysOf(all: readonly SealingKey[], activeId: string | undefined): Keys {
  const active = all.find(({ id }) => id === activeId)
  if (!active) throw new KeyringError('no active vault key')
  return { active, all: new Map(all.map((key) => [key.id, key])) }
}

/** Changes whenever the file is replaced: rename gives a new inode even within one tick of mtime. */
function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat ? `${stat.ino}.${stat.mtimeNs}.${stat.size}` : 'absent'
}

function splitSource(source: string): readonly [string, string] {
  const cut = source.indexOf(':')
  return [source.slice(0, cut), source.slice(cut + 1)]
}
