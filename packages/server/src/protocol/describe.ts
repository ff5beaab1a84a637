// What a schema says of itself, for documents about it.
import { z } from 'zod'
import { defaultOf, descriptionOf, isTolerated, objectIn } from './fields.ts'

export interface MemberDescription {
  /** Dotted path. */
  readonly key: string
  readonly type: string
  readonly required: boolean
  /** JSON. */
  readonly default: string | undefined
  readonly meaning: string
}

export interface DocumentDescription {
  readonly members: readonly MemberDescription[]
  /** Keys that are accepted and have no effect. */
  readonly tolerated: readonly string[]
}

export function describeDocument(schema: z.ZodObject, prefix = ''): DocumentDescription {
  const parts = Object.entries(schema.shape).map(([key, field]) => describeMember(field, prefix + key))
  return { members: parts.flatMap((part) => part.members), tolerated: parts.flatMap((part) => part.tolerated) }
}

function describeMember(field: z.core.$ZodType, key: string): DocumentDescription {
  if (isTolerated(field)) return { members: [], tolerated: [key] }
  const fallback = defaultOf(field)
  const inner = objectIn(field)
  if (inner && fallback === undefined && isDescribed(inner)) return describeDocument(inner, `${key}.`)
  const member = {
    key,
    type: typeOf(field),
    required: !z.safeParse(field, undefined).success,
    default: fallback === undefined ? undefined : JSON.stringify(fallback),
    meaning: descriptionOf(field),
  }
  return { members: [member], tolerated: [] }
}

const isDescribed = (schema: z.ZodObject) => Object.values(schema.shape).every((field) => descriptionOf(field) !== '')

const MOST_VALUES = 20

function typeOf(field: z.core.$ZodType): string {
  if (field instanceof z.ZodOptional || field instanceof z.ZodNullable) return typeOf(field.def.innerType)
  if (field instanceof z.ZodEnum) {
    return field.options.length > MOST_VALUES ? 'text' : field.options.map((one) => `\`${one}\``).join(' ')
  }
  if (field instanceof z.ZodArray) return `array of ${typeOf(field.def.element)}`
  if (field instanceof z.ZodUnion) return [...new Set(field.def.options.map(typeOf))].join(' or ')
  if (field instanceof z.ZodString) return 'text'
  if (field instanceof z.ZodBoolean) return 'true or false'
  if (field instanceof z.ZodNumber) return rangeOf(field)
  return 'object'
}

/** Bounds above this are there for safety alone. */
const UNBOUNDED = 3_000_000_000

function rangeOf({ format, minValue, maxValue }: z.ZodNumber): string {
  const kind = format === 'safeint' ? 'whole number' : 'number'
  if (minValue === null) return kind
  return maxValue === null || maxValue > UNBOUNDED
    ? `${kind}, at least ${minValue}`
    : `${kind}, ${minValue} to ${maxValue}`
}
