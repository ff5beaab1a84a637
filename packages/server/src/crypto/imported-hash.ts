// Password hashes that come from elsewhere (Auth0's bulk import: `password_hash`, `custom_password_hash`): which are taken,
// what is stored for them, and how a password is compared. docs/notes/import.md says why these.
//
// A hash is read by the algorithm that it claims and by no other, and its cost is bounded: whoever writes an import file
// decides how long each sign-in computes.
import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'
import { verify as bcryptVerify } from '@node-rs/bcrypt'
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../lib/json.ts'

export type ImportedHash =
  /** Slow by itself: stored as it is. */
  | { readonly kind: 'slow'; readonly stored: string }
  /** Quick to try: stored only inside a slow one. */
  | { readonly kind: 'quick'; readonly recipe: Recipe; readonly digest: Buffer }
  | { readonly kind: 'fault'; readonly fault: HashFault }

export interface HashFault {
  readonly code: 'hash_malformed' | 'hash_unsupported' | 'hash_too_costly'
  /** The member that is at fault, below the hash: `/hash/value`. */
  readonly field: string
}

/** What turns a password into the quick digest. */
export interface Recipe {
  readonly algorithm: QuickAlgorithm
  /** base64 */
  readonly salt: string
  readonly position: 'prefix' | 'suffix'
  readonly encoding: PasswordEncoding
}

const QUICK = ['md5', 'sha1', 'sha256', 'sha512'] as const
type QuickAlgorithm = (typeof QUICK)[number]
const QUICK_BYTES = { md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const
const PASSWORD_ENCODINGS = ['ascii', 'utf8', 'utf16le', 'ucs2', 'latin1', 'binary'] as const
type PasswordEncoding = (typeof PASSWORD_ENCODINGS)[number]

/** `password_hash`: bcrypt in its own form. */
export const parseBcryptHash = (value: string): ImportedHash => parseBcrypt(value, '')

/** `custom_password_hash` of Auth0's bulk import. */
export function parseCustomHash(document: JsonObject): ImportedHash {
  const { algorithm, hash } = document
  if (!isJsonObject(hash) || !isString(hash.value) || hash.value.length > 4096) return malformed('/hash/value')
  const { value } = hash
  switch (algorithm) {
    case 'bcrypt':
      return parseBcrypt(value, '/hash/value')
    case 'argon2':
      return parseArgon2(value)
    case 'pbkdf2':
      return parsePbkdf2(value)
    case 'scrypt':
      return parseScrypt(document, hash)
    case 'ldap':
      return parseLdap(value)
    default:
      return parseQuick(document, hash)
  }
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
/** About a second of work. */
const MAX_BCRYPT_COST = 14

function parseBcrypt(value: string, field: string): ImportedHash {
  const cost = Number(BCRYPT.exec(value)?.[1] ?? Number.NaN)
  if (!(cost >= 4)) return malformed(field)
  if (cost > MAX_BCRYPT_COST) return tooCostly(field)
  // `2y` is PHP's name for `2b`.
  return { kind: 'slow', stored: value.replace(/^\$2y/, '$2b') }
}

const ARGON2 =
  /^\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,128}$/
const MAX_MEMORY_KIB = 262_144
const MAX_ROUNDS = 16

function parseArgon2(value: string): ImportedHash {
  const [memory = 0, time = 0, lanes = 0] = (ARGON2.exec(value) ?? []).slice(1).map(Number)
  if (lanes < 1 || time < 1 || memory < 8 * lanes) return malformed('/hash/value')
  if (memory > MAX_MEMORY_KIB || time > MAX_ROUNDS || lanes > MAX_ROUNDS) return tooCostly('/hash/value')
  return { kind: 'slow', stored: value }
}

const PBKDF2 =
  /^\$pbkdf2-(sha1|sha256|sha512)\$i=(\d{1,10}),l=(\d{1,4})\$([A-Za-z0-9+/]{4,512})\$([A-Za-z0-9+/]{16,512})$/
const MAX_ITERATIONS = 2_000_000
const MIN_DIGEST_BYTES = 16

function parsePbkdf2(value: string): ImportedHash {
  const [, , iterations, length, , digest] = PBKDF2.exec(value) ?? []
  if (digest === undefined || Number(iterations) < 1) return malformed('/hash/value')
  const bytes = Buffer.from(digest, 'base64').length
  if (bytes !== Number(length) || bytes < MIN_DIGEST_BYTES) return malformed('/hash/value')
  return Number(iterations) > MAX_ITERATIONS ? tooCostly('/hash/value') : { kind: 'slow', stored: value }
}

const MAX_SCRYPT_BYTES = 256 * 1024 * 1024

/** In PHC form: `$scrypt$ln=14,r=8,p=1$salt$hash`. */
function parseScrypt(document: JsonObject, hash: JsonObject): ImportedHash {
  const digest = bytesOf(hash, 'hex')
  if (digest === undefined || digest.length < MIN_DIGEST_BYTES || digest.length > 512) return malformed('/hash/value')
  const salt = saltOf(document)
  if (salt === undefined || salt.bytes.length === 0) return malformed('/salt/value')
  if (!isPlainPassword(document)) return unsupported('/password/encoding')
  const { keylen = digest.length, cost = 16_384, blockSize = 8, parallelization = 1 } = document
  if (keylen !== digest.length) return malformed('/keylen')
  const log = Math.log2(Number(cost))
  if (!Number.isInteger(log) || log < 1) return malformed('/cost')
  if (!isCount(blockSize)) return malformed('/blockSize')
  if (!isCount(parallelization)) return malformed('/parallelization')
  if (128 * 2 ** log * blockSize > MAX_SCRYPT_BYTES || parallelization > MAX_ROUNDS) return tooCostly('/cost')
  const parameters = `ln=${log},r=${blockSize},p=${parallelization}`
  return { kind: 'slow', stored: `$scrypt$${parameters}$${unpadded(salt.bytes)}$${unpadded(digest)}` }
}

const LDAP = /^\{(S?)(MD5|SHA|SHA256|SHA512)\}([A-Za-z0-9+/]{1,512}={0,2})$/i
const LDAP_NAMES: Readonly<Record<string, QuickAlgorithm>> = {
  md5: 'md5',
  sha: 'sha1',
  sha256: 'sha256',
  sha512: 'sha512',
}

/** RFC 2307's `userPassword`: in the salted forms the salt follows the digest, and the password when it is hashed. */
function parseLdap(value: string): ImportedHash {
  const [, salted = '', name = '', text = ''] = LDAP.exec(value) ?? []
  const algorithm = LDAP_NAMES[name.toLowerCase()]
  if (algorithm === undefined) return /^\{\w+\}/.test(value) ? unsupported('/hash/value') : malformed('/hash/value')
  const bytes = Buffer.from(text, 'base64')
  const length = QUICK_BYTES[algorithm]
  if (salted === '' ? bytes.length !== length : bytes.length <= length) return malformed('/hash/value')
  const salt = bytes.subarray(length).toString('base64')
  return {
    kind: 'quick',
    digest: bytes.subarray(0, length),
    recipe: { algorithm, salt, position: 'suffix', encoding: 'utf8' },
  }
}

function parseQuick(document: JsonObject, hash: JsonObject): ImportedHash {
  const algorithm = QUICK.find((one) => one === document.algorithm)
  if (algorithm === undefined) return isString(document.algorithm) ? unsupported('/algorithm') : malformed('/algorithm')
  const digest = bytesOf(hash, undefined)
  if (digest?.length !== QUICK_BYTES[algorithm]) return malformed('/hash/value')
  const salt = saltOf(document)
  if (salt === undefined) return malformed('/salt')
  const said = isJsonObject(document.password) ? (document.password.encoding ?? 'utf8') : 'utf8'
  const encoding = PASSWORD_ENCODINGS.find((one) => one === said)
  if (encoding === undefined) return unsupported('/password/encoding')
  const recipe = { algorithm, salt: salt.bytes.toString('base64'), position: salt.position, encoding }
  return { kind: 'quick', digest, recipe }
}

/** An absent salt is an empty one; a malformed one is none. */
function saltOf({ salt }: JsonObject): { bytes: Buffer; position: Recipe['position'] } | undefined {
  if (salt === undefined) return { bytes: Buffer.alloc(0), position: 'prefix' }
  if (!isJsonObject(salt) || !isString(salt.value) || salt.value.length > 1024) return undefined
  const bytes = bytesOf(salt, 'utf8')
  const position = salt.position ?? 'prefix'
  if (bytes === undefined || (position !== 'prefix' && position !== 'suffix')) return undefined
  return { bytes, position }
}

/** `{value, encoding}`; a text that is not quite of its encoding is none. */
function bytesOf({ value, encoding = null }: JsonObject, fallback: 'hex' | 'utf8' | undefined): Buffer | undefined {
  const by: JsonValue = encoding ?? fallback ?? null
  if (!isString(value)) return undefined
  if (by === 'utf8') return Buffer.from(value, 'utf8')
  if (by === 'hex' && /^(?:[0-9a-f]{2})+$/i.test(value)) return Buffer.from(value, 'hex')
  if (by === 'base64' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)) return Buffer.from(value, 'base64')
  return undefined
}

const isPlainPassword = ({ password }: JsonObject): boolean =>
  !isJsonObject(password) || password.encoding === undefined || password.encoding === 'utf8'

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 1
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

const fault =
  (code: HashFault['code']) =>
  (field: string): ImportedHash => ({ kind: 'fault', fault: { code, field } })
const malformed = fault('hash_malformed')
const unsupported = fault('hash_unsupported')
const tooCostly = fault('hash_too_costly')

const WRAPPED = '$quick$'

/** The digest as a password of its own: what is stored is no quicker to try than one of ours. */
export async function wrapQuick(
  { recipe, digest }: Extract<ImportedHash, { kind: 'quick' }>,
  cost: Parameters<typeof argon2Hash>[1],
): Promise<string> {
  return `${WRAPPED}${Buffer.from(JSON.stringify(recipe)).toString('base64url')}${await argon2Hash(digest.toString('hex'), cost)}`
}

/** Compares a password, exactly as it was typed, with a stored hash of any kind but ours. */
export async function verifyImported(stored: string, password: string): Promise<boolean> {
  if (stored.startsWith('$argon2')) return argon2Verify(stored, password)
  if (stored.startsWith('$2')) return bcryptVerify(password, stored)
  if (stored.startsWith('$pbkdf2-')) return verifyPbkdf2(stored, password)
  if (stored.startsWith('$scrypt$')) return verifyScrypt(stored, password)
  return stored.startsWith(WRAPPED) ? verifyWrapped(stored, password) : false
}

async function verifyPbkdf2(stored: string, password: string): Promise<boolean> {
  const [, algorithm = '', iterations, , salt = '', text = ''] = PBKDF2.exec(stored) ?? []
  const digest = Buffer.from(text, 'base64')
  const found = await deriveByPbkdf2(
    password,
    Buffer.from(salt, 'base64'),
    Number(iterations),
    digest.length,
    algorithm,
  )
  return timingSafeEqual(found, digest)
}

const SCRYPT = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/

async function verifyScrypt(stored: string, password: string): Promise<boolean> {
  const [, log, blockSize, lanes, salt = '', text = ''] = SCRYPT.exec(stored) ?? []
  const digest = Buffer.from(text, 'base64')
  const options = {
    N: 2 ** Number(log),
    r: Number(blockSize),
    p: Number(lanes),
    maxmem: MAX_SCRYPT_BYTES + 256 * Number(blockSize) * (Number(lanes) + 2) + 1024 * 1024,
  }
  const found = await new Promise<Buffer>((resolve, reject) => {
    scrypt(password, Buffer.from(salt, 'base64'), digest.length, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
  return timingSafeEqual(found, digest)
}

async function verifyWrapped(stored: string, password: string): Promise<boolean> {
  const end = stored.indexOf('$', WRAPPED.length)
  // Written by `wrapQuick`, from this very type.
  const recipe = JSON.parse(Buffer.from(stored.slice(WRAPPED.length, end), 'base64url').toString('utf8')) as Recipe
  const salt = Buffer.from(recipe.salt, 'base64')
  const typed = Buffer.from(password, recipe.encoding)
  const parts = recipe.position === 'prefix' ? [salt, typed] : [typed, salt]
  const digest = createHash(recipe.algorithm).update(Buffer.concat(parts)).digest('hex')
  return argon2Verify(stored.slice(end), digest)
}

const deriveByPbkdf2 = promisify(pbkdf2)
