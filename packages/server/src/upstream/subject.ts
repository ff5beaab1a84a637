// Who an upstream account is: an exact string, read strictly (threats T-PRE-06, T-PRE-08, T-PRE-09).
import { UpstreamRefused } from './errors.ts'
import { isLosslessObject, type LosslessValue, NumberText, valueAt } from './lossless-json.ts'

/** How a provider writes its ids. `either`: a generic provider, whose ids we cannot know beforehand. */
export type SubjectType = 'string' | 'integer' | 'either'

/**
 * The stable id as a string; an integer as its decimal digits, however long.
 *
 * @throws {UpstreamRefused} `subject_invalid`: absent, of another type, empty, over 255 characters, or not visible ASCII.
 */
export function readSubject(value: LosslessValue | undefined, type: SubjectType): string {
  if (typeof value === 'string' && type !== 'integer') return requireText(value)
  if (value instanceof NumberText && type !== 'string') return requireInteger(value)
  throw new UpstreamRefused('subject_invalid', { detail: 'type' })
}

/**
 * The id at these paths; several ids make one, joined by colons. A path that is a member's whole name wins.
 *
 * @throws {UpstreamRefused} `subject_invalid`, as `readSubject`; also when a part of several has a colon in it.
 */
export function readSubjectAt(document: LosslessValue, paths: readonly string[], type: SubjectType): string {
  const parts = paths.map((path) => readSubject(memberAt(document, path), type))
  if (parts.length > 1 && parts.some((part) => part.includes(':')))
    throw new UpstreamRefused('subject_invalid', { detail: 'colon' })
  return requireText(parts.join(':'))
}

const memberAt = (document: LosslessValue, path: string): LosslessValue | undefined =>
  isLosslessObject(document) && Object.hasOwn(document, path) ? document[path] : valueAt(document, path)

// OpenID Connect Core §2: at most 255 ASCII characters, compared case-sensitively.
function requireText(value: string): string {
  if (!/^[!-~](?:[ -~]{0,253}[!-~])?$/.test(value))
    throw new UpstreamRefused('subject_invalid', { detail: 'characters' })
  return value
}

// `1e3` and `12345.0` are other spellings of an integer, and nobody writes ids so but to confuse.
function requireInteger({ text }: NumberText): string {
  if (!/^(?:0|[1-9]\d{0,39})$/.test(text)) throw new UpstreamRefused('subject_invalid', { detail: 'integer' })
  return text
}
