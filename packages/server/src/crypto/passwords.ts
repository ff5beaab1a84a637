// Passwords: argon2id at OWASP's setting, off the main thread, and the rules that a new one must meet.
import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { type ImportedHash, verifyImported, wrapQuick } from './imported-hash.ts'

export interface Passwords {
  hash(password: string): Promise<string>
  /**
   * True when `password` is the one behind `hash`. Without a hash, because nobody has that name, the same work is done
   * and the answer is false: an unknown name takes as long as a wrong password.
   */
  verify(hash: string | undefined, password: string): Promise<boolean>
  /** What to store for a hash that came from elsewhere. */
  adopt(imported: Exclude<ImportedHash, { kind: 'fault' }>): Promise<string>
}

/** Stands where somebody has no password yet, and verifies none: they choose one by the mailed link. */
export const NO_PASSWORD = '!'

/** False for a hash that came from elsewhere: to be made anew once its password is known. */
export const isOurHash = (stored: string): boolean => stored.startsWith(OURS)

/** m = 19 MiB, t = 2, p = 1 (OWASP Password Storage Cheat Sheet); argon2id is the library's algorithm by default. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const OURS = '$argon2id$v=19$m=19456,t=2,p=1$'

/**
 * @param maxConcurrent hashes computed at a time; others wait. Each takes 19 MiB and a thread of the pool that file and
 * name look-ups use as well.
 */
export function createPasswords({ maxConcurrent = 2 }: { maxConcurrent?: number } = {}): Passwords {
  const limited = createLimit(maxConcurrent)
  const dummy = hash(randomBytes(16), COST)
  return {
    hash: (password) => limited(() => hash(password.normalize('NFC'), COST)),
    async verify(stored, password) {
      const normal = password.normalize('NFC')
      const isOurs = stored !== undefined && isOurHash(stored)
      const compared = isOurs ? stored : await dummy
      const matches = await limited(() => verify(compared, normal))
      if (isOurs && (matches || normal === password)) return matches
      if (stored === undefined || stored === NO_PASSWORD) return false
      return limited(() => verifyImported(stored, password))
    },
    adopt: async (imported) => (imported.kind === 'slow' ? imported.stored : limited(() => wrapQuick(imported, COST))),
  }
}

export type PasswordProblem = 'too_short' | 'too_long' | 'malformed' | 'is_address' | 'too_common'

export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 256

/** What is wrong with a new password, if anything; `address` is the one that it will belong to. */
export function passwordProblem(password: string, address?: string): PasswordProblem | undefined {
  if (!password.isWellFormed()) return 'malformed'
  const normal = password.normalize('NFC')
  const length = [...normal].length
  if (length < PASSWORD_MIN_LENGTH) return 'too_short'
  if (length > PASSWORD_MAX_LENGTH) return 'too_long'
  const folded = normal.toLowerCase()
  if (address !== undefined && folded === address.normalize('NFC').toLowerCase()) return 'is_address'
  if (COMMONEST.has(folded) || new Set(folded).size === 1) return 'too_common'
  return undefined
}

/** Those at the head of every published list that are long enough to pass otherwise. */
const COMMONEST = new Set(
  `password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 0123456789
  87654321 987654321 0987654321 12341234 11223344 123123123 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qwertyui qwertyuiop qwerty12
  qwerty123 qwerty1234 asdfghjkl zxcvbnm123 iloveyou sunshine princess football baseball superman starwars whatever
  trustno1 computer internet michelle jennifer abcd1234 abc12345 letmein1 letmein123 welcome1 welcome123 changeme
  changeme1 admin123 administrator football1 charlie1 monkey123 dragon123`.split(/\s+/),
)

/** Runs at most `max` at a time, the others in their order. */
function createLimit(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    // The one that ends hands its place over, so that `running` never exceeds `max`.
    if (running >= max) await new Promise<void>((go) => waiting.push(go))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
