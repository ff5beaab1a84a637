// What zod found wrong, as problems that name the place, what stands there and what should.
import type { z } from 'zod'
import { ConfigError, type ConfigProblem } from './config-error.ts'

type Path = readonly PropertyKey[]
type Issue = z.core.$ZodIssue

/**
 * Parses a wire document strictly.
 *
 * @param at pointer of the document inside a larger one, e.g. `/clients/0`.
 * @throws {ConfigError} with every problem, each under its JSON pointer.
 */
export function parseDocument<T>(schema: z.ZodType<T>, document: unknown, at = ''): T {
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  const [first, ...others] = problemsOf(parsed.error, document, at)
  if (!first) throw new Error('a document was refused without a reason')
  throw new ConfigError(first, ...others)
}

export function problemsOf(error: z.ZodError, document: unknown, at = ''): readonly ConfigProblem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, document, at))
}

/** RFC 6901. */
export const pointerOf = (path: Path): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function problemsOfIssue(issue: Issue, document: unknown, at: string): readonly ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: 'unknown_key',
      pointer: at + pointerOf([...issue.path, key]),
      found: `the key ${quote(key)}`,
      expected: 'a key that is known here',
    }))
  }
  const value = valueAt(document, issue.path)
  const code = value === undefined ? 'missing_key' : (CODES[issue.code] ?? 'invalid_value')
  return [
    { code, pointer: at + pointerOf(issue.path), found: describeFound(value, issue.path), expected: expectedOf(issue) },
  ]
}

const CODES: Readonly<Record<string, string>> = { invalid_type: 'wrong_type', invalid_union: 'wrong_type' }

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    document,
  )

function expectedOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return ARTICLES[issue.expected] ?? `a ${issue.expected}`
    case 'invalid_value':
      return oneOf(issue.values.map(String))
    case 'too_small':
      return `${SIZES[issue.origin] ?? ''}at least ${issue.minimum}`
    case 'too_big':
      return `${SIZES[issue.origin] ?? ''}at most ${issue.maximum}`
    case 'invalid_key':
      return 'another key'
    default:
      // Formats, unions and checks of our own say in their message what they want.
      return issue.message
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'an array',
  object: 'an object',
  record: 'an object',
  int: 'a whole number',
  boolean: 'true or false',
}

const SIZES: Readonly<Record<string, string>> = {
  string: 'a length of ',
  array: 'a number of items of ',
  set: 'a number of items of ',
  number: 'a number of ',
  int: 'a whole number of ',
}

const MAX_VALUES_SHOWN = 12

function oneOf(values: readonly string[]): string {
  if (values.length <= MAX_VALUES_SHOWN) return `one of ${values.join(', ')}`
  return `one of ${values.slice(0, MAX_VALUES_SHOWN).join(', ')}, … (${values.length} in all)`
}

const SECRET_NAMES = /secret|password|token|pem|cert|key|credential|private|code|script|header/i
const MAX_SHOWN = 60

/** Type, and the value where it is short and can be no secret. */
export function describeFound(value: unknown, path: Path = []): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') return 'an object'
  if (value === '') return 'an empty string'
  const secret = path.some((part) => typeof part === 'string' && SECRET_NAMES.test(part) && !NOT_SECRET.has(part))
  if (secret) return `a ${typeof value}`
  if (typeof value !== 'string') return `the ${typeof value} ${String(value)}`
  // An address (`@`) names a person, and a URL with `@` may hold credentials.
  if (value.includes('@')) return 'a string'
  return `the string ${quote(value)}`
}

/** Keys that only sound like secrets. */
const NOT_SECRET = new Set(['refresh_token', 'token_endpoint_auth_method', 'tokens', 'token_exchange', 'tokenURL'])

const quote = (text: string) => JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)
