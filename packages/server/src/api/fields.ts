// `fields` and `include_fields`: which members of an object an answer shows.
import { z } from 'zod'
import { booleanText } from './paging.ts'

export const fieldsQuery = {
  fields: z
    .string()
    .regex(/^[\w.]{1,64}(,[\w.]{1,64}){0,49}$/, { error: 'names separated by commas' })
    .optional(),
  include_fields: booleanText.optional(),
} as const

/** The shape of an object of which `fields` may leave members out. */
export const shownOf = <T extends z.ZodObject>(shape: T) => shape.partial()

export interface FieldsQuery {
  readonly fields?: string | undefined
  readonly include_fields?: boolean | undefined
}

/** Picks members by their name at the top; a dotted name means the member that it begins with. */
export function selectFields<T extends object>(object: T, { fields, include_fields = true }: FieldsQuery): Partial<T> {
  if (fields === undefined) return object
  const names = new Set(fields.split(',').map((name) => name.split('.')[0]))
  // Members of an object keep their types when some are left out.
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.has(name) === include_fields)) as Partial<T>
}
