// Searches as conditions on rows. Whatever a caller wrote becomes a parameter; names of columns are ours.
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { NumberMatch, Search, TextMatch } from '../../domain/search.ts'
import type { Dialect } from './statement.ts'

export type Condition = RawBuilder<SqlBool>
export type TextExpression = RawBuilder<string | null>

const HOLDS: Condition = sql`1 = 1`
const NEVER: Condition = sql`1 = 0`

export const every = (parts: readonly Condition[]): Condition =>
  parts.length === 0 ? HOLDS : sql`(${sql.join(parts, sql` and `)})`

export const some = (parts: readonly Condition[]): Condition =>
  parts.length === 0 ? NEVER : sql`(${sql.join(parts, sql` or `)})`

/**
 * A search as one condition.
 *
 * What is null fails every test. SQL says of it neither yes nor no, which is as good as no until somebody negates it.
 */
export function conditionOf<Test>(
  search: Search<Test>,
  testCondition: (test: Test) => Condition,
  negated = false,
): Condition {
  switch (search.kind) {
    case 'all':
      return every(search.of.map((part) => conditionOf(part, testCondition, negated)))
    case 'any':
      return some(search.of.map((part) => conditionOf(part, testCondition, negated)))
    case 'not':
      return sql`not (${conditionOf(search.of, testCondition, true)})`
    case 'test':
      return negated ? sql`coalesce(${testCondition(search.test)}, 1 = 0)` : testCondition(search.test)
  }
}

export function textCondition(dialect: Dialect, text: TextExpression, match: TextMatch): Condition {
  switch (match.kind) {
    case 'is':
      return sql`${text} = ${match.text}`
    case 'like':
      return likeCondition(dialect, text, match.parts)
    case 'within':
      return every([
        ...(match.from === undefined ? [] : [from(text, match.from)]),
        ...(match.to === undefined ? [] : [upTo(text, match.to)]),
        sql<SqlBool>`${text} is not null`,
      ])
    case 'exists':
      return sql`${text} is not null`
  }
}

export function numberCondition(number: RawBuilder<number | null>, match: NumberMatch): Condition {
  if (match.kind === 'exists') return sql`${number} is not null`
  return every([
    ...(match.from === undefined ? [] : [from(number, match.from)]),
    ...(match.to === undefined ? [] : [upTo(number, match.to)]),
    sql<SqlBool>`${number} is not null`,
  ])
}

interface SqlBound {
  readonly value: unknown
  readonly inclusive: boolean
}

const from = (value: RawBuilder<unknown>, bound: SqlBound): Condition =>
  bound.inclusive ? sql`${value} >= ${bound.value}` : sql`${value} > ${bound.value}`

const upTo = (value: RawBuilder<unknown>, bound: SqlBound): Condition =>
  bound.inclusive ? sql`${value} <= ${bound.value}` : sql`${value} < ${bound.value}`

/** SQLite's LIKE takes no notice of case; its GLOB does. */
function likeCondition(dialect: Dialect, text: TextExpression, parts: readonly string[]): Condition {
  if (dialect === 'sqlite') {
    const pattern = parts.map((part) => part.replaceAll(/[*?[]/g, '[$&]')).join('*')
    return sql`${text} glob ${pattern}`
  }
  const pattern = parts.map((part) => part.replaceAll(/[\\%_]/g, '\\$&')).join('%')
  return sql`${text} like ${pattern} escape '\\'`
}
