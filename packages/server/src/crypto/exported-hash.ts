// Password hashes on their way out, in the members that Auth0's bulk import takes them by.
import type { JsonObject } from '../lib/json.ts'

/** Undefined for one that only this server can compare, and where there is none. */
export function exportHash(stored: string): JsonObject | undefined {
  const algorithm = [...NAMES].find(([beginning]) => stored.startsWith(beginning))?.[1]
  if (algorithm === undefined) return undefined
  return algorithm === 'scrypt' ? scryptDocument(stored) : { algorithm, hash: { value: stored, encoding: 'utf8' } }
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['$argon2', 'argon2'],
  ['$2', 'bcrypt'],
  ['$pbkdf2-', 'pbkdf2'],
  ['$scrypt$', 'scrypt'],
])

function scryptDocument(stored: string): JsonObject | undefined {
  const [, log, blockSize, lanes, salt = '', digest = ''] =
    /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored) ?? []
  if (log === undefined) return undefined
  const value = Buffer.from(digest, 'base64')
  return {
    algorithm: 'scrypt',
    hash: { value: value.toString('hex'), encoding: 'hex' },
    salt: { value: Buffer.from(salt, 'base64').toString('base64'), encoding: 'base64' },
    keylen: value.length,
    cost: 2 ** Number(log),
    blockSize: Number(blockSize),
    parallelization: Number(lanes),
  }
}
