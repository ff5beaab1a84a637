// The forms of a page in the OpenAPI document (auth0-wire.md §6).
import { z } from 'zod'

/** A bare array; wrapped with `include_totals`; with a cursor. `key` names the list where it is wrapped. */
export const listAnswer = (key: string, item: z.ZodType) =>
  z.union([
    z.array(item),
    z.object({ start: z.int(), limit: z.int(), length: z.int(), total: z.int(), [key]: z.array(item) }),
    cursorAnswer(key, item),
  ])

export const cursorAnswer = (key: string, item: z.ZodType) =>
  z.object({ [key]: z.array(item), next: z.string().optional() })
