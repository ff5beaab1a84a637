// The two forms in which lists are paged (auth0-wire.md §6): by page number, and by cursor.
import { z } from 'zod'
import type { Page } from '../storage/records.ts'
import type { Answer } from './operation.ts'
import { invalidQuery } from './refusal.ts'

const MAX_PAGE = 100_000
const DEFAULT_SIZE = 50
const MAX_SIZE = 100

/** A whole number as a query has it. */
const number = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'a whole number' })
    .transform(Number)
    .pipe(z.number().min(min).max(max))

export const booleanText = z.enum(['true', 'false']).transform((text) => text === 'true')

export const offsetQuery = {
  page: number(0, MAX_PAGE).optional(),
  per_page: number(0, MAX_SIZE).optional(),
  include_totals: booleanText.optional(),
} as const

export const cursorQuery = {
  from: z.string().min(1).max(200).optional(),
  take: number(1, MAX_SIZE).optional(),
} as const

export interface PageQuery {
  readonly page?: number | undefined
  readonly per_page?: number | undefined
  readonly include_totals?: boolean | undefined
  readonly from?: string | undefined
  readonly take?: number | undefined
}

/** Where a page begins and how many it holds. */
export interface Window {
  readonly offset: number
  readonly limit: number
  readonly form: 'array' | 'wrapped' | 'cursor'
}

/** @throws {ApiRefusal} the cursor is none of ours. */
export function windowOf(query: PageQuery): Window {
  if (query.from !== undefined || query.take !== undefined) {
    const offset = query.from === undefined ? 0 : openCursor(query.from)
    return { offset, limit: query.take ?? DEFAULT_SIZE, form: 'cursor' }
  }
  const limit = query.per_page ?? DEFAULT_SIZE
  return { offset: (query.page ?? 0) * limit, limit, form: query.include_totals === true ? 'wrapped' : 'array' }
}

/** The page in the form that was asked for; `key` names the list where it is wrapped. */
export function pageAnswer(key: string, window: Window, { items, total }: Page<unknown>): Answer {
  const { offset, limit, form } = window
  if (form === 'array') return { status: 200, body: items }
  if (form === 'wrapped')
    return { status: 200, body: { start: offset, limit, length: items.length, total, [key]: items } }
  const next = offset + items.length < total ? { next: sealCursor(offset + items.length) } : {}
  return { status: 200, body: { [key]: items, ...next } }
}

/** Opaque to callers, so that what it holds may change. */
export const sealCursor = (offset: number): string => Buffer.from(`o${offset}`).toString('base64url')

export function openCursor(cursor: string): number {
  const [, digits] = /^o(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (digits === undefined) throw invalidQuery('The cursor is not valid.', 'from')
  return Number(digits)
}

/** Part of a list that is in memory whole. */
export const sliceOf = <T>(items: readonly T[], { offset, limit }: Window): Page<T> => ({
  items: items.slice(offset, offset + limit),
  total: items.length,
})
