// Small helpers between rows and records.
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { isJsonObject, type JsonObject, stringsOf } from '../../lib/json.ts'
import type { Dialect } from './statement.ts'

/** The named members of a statement's parameters, as values of an insert or update. */
export const pick = <P, C extends keyof P>(params: P, columns: readonly C[]): Pick<P, C> =>
  // Object.fromEntries forgets the keys that it was given.
  Object.fromEntries(columns.map((column) => [column, params[column]])) as Pick<P, C>

/** For `on conflict … do update set`: each column from the row that was refused. */
export const fromExcluded = <C extends string>(columns: readonly C[]): Record<C, RawBuilder<never>> =>
  // As in `pick`; a value of type never fits whatever the column holds, which is right, since it is that column's own.
  Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)])) as Record<C, RawBuilder<never>>

export const flag = (value: boolean): number => (value ? 1 : 0)

/** Documents are written by us alone; anything but an object means that the database was altered by hand. */
export function documentOf(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new Error('a stored document is not a JSON object')
  return value
}

export const listOf = (text: string): readonly string[] => (text === '[]' ? [] : stringsOf(JSON.parse(text)))

/** The only row of a `count(*)`. */
export const countOf = (rows: readonly { count: number | string | bigint }[]): number => Number(rows[0]?.count ?? 0)

/** A list for `in`, which PostgreSQL does not take empty: no key or name is the empty text. */
export const orNone = <T extends string>(values: readonly T[]): readonly T[] =>
  // The stand-in is compared with and never read.
  values.length === 0 ? ['' as T] : values

/** Locks the rows and passes over those that another node has; SQLite's one writer needs neither. */
export const passingLocked = <S, T extends keyof S, R>(
  rows: SelectQueryBuilder<S, T, R>,
  dialect: Dialect,
): SelectQueryBuilder<S, T, R> => (dialect === 'postgres' ? rows.forUpdate().skipLocked() : rows)
