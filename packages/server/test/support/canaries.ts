// Secrets on the loose: collects what must not lie anywhere, and finds it in whatever shape it lies there.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What was found, without the secret itself. */
export interface Finding {
  readonly secret: string
  readonly place: string
  readonly shape: string
}

export interface Place {
  readonly name: string
  readonly bytes: Buffer
}

/** Shorter ones would be found by chance. */
const SHORTEST = 12

export class Canaries {
  readonly #named = new Map<string, string>()

  get size(): number {
    return this.#named.size
  }

  /** @param name what to call it in a finding */
  add(name: string, ...values: readonly (string | null | undefined)[]): void {
    for (const value of values) if (value) this.#add(name, value)
  }

  #add(name: string, value: string): void {
    if (value.length < SHORTEST) throw new Error(`${name} is too short to be searched for`)
    this.#named.set(value, name)
  }

  /** @param except names that may stand there */
  search(places: readonly Place[], except: readonly string[] = []): readonly Finding[] {
    const wanted = [...this.#named].filter(([, name]) => !except.includes(name))
    return wanted.flatMap(([value, secret]) =>
      shapesOf(value).flatMap(([shape, needle]) =>
        places.filter(({ bytes }) => bytes.includes(needle)).map(({ name: place }) => ({ secret, place, shape })),
      ),
    )
  }
}

/** As it is, reversed, in UTF-16, hexadecimal, and in base64 wherever in a group of three bytes it begins. */
function shapesOf(value: string): readonly (readonly [string, Buffer])[] {
  const bytes = Buffer.from(value, 'utf8')
  const hex = bytes.toString('hex')
  return [
    ['plain', bytes],
    ['URL-encoded', Buffer.from(encodeURIComponent(value))],
    ['reversed', Buffer.from(bytes).reverse()],
    ['UTF-16 little-endian', Buffer.from(value, 'utf16le')],
    ['UTF-16 big-endian', Buffer.from(value, 'utf16le').swap16()],
    ['hexadecimal', Buffer.from(hex)],
    ['upper hexadecimal', Buffer.from(hex.toUpperCase())],
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
  ]
}

function base64At(bytes: Buffer, offset: number): readonly (readonly [string, Buffer])[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  // The first and the last characters depend on what stands beside.
  const inner = text.slice(offset === 0 ? 0 : offset + 1, -1)
  const url = inner.replaceAll('+', '-').replaceAll('/', '_')
  return [
    ['base64', Buffer.from(inner)],
    ['base64url', Buffer.from(url)],
  ]
}

/** Every file of a folder and of those in it. */
export function filesOf(folder: string): readonly Place[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: path.slice(folder.length + 1), bytes: readFileSync(path) }))
}

export const text = (name: string, content: string): Place => ({ name, bytes: Buffer.from(content) })
