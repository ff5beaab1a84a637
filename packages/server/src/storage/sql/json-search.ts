// Tests of what stands inside a JSON document. Members are found along a path; an array on the way stands for its elements,
// one level deep, as PostgreSQL's lax paths have it.
import { type RawBuilder, sql } from 'kysely'
import type { TextMatch } from '../../domain/search.ts'
import { type Condition, textCondition } from './search.ts'
import type { Dialect } from './statement.ts'

export function jsonCondition(
  dialect: Dialect,
  document: RawBuilder<string>,
  path: readonly string[],
  match: TextMatch,
): Condition {
  return dialect === 'sqlite' ? sqliteCondition(document, path, match) : postgresCondition(document, path, match)
}

/**
 * For each step: the elements of an array, or the one value that is none; and of those that are objects, the member of
 * that name. `json_each` walks one level at a time.
 */
function sqliteCondition(document: RawBuilder<string>, path: readonly string[], match: TextMatch): Condition {
  const tables: RawBuilder<unknown>[] = []
  const names: RawBuilder<unknown>[] = []
  let value: RawBuilder<unknown> = document
  let type: RawBuilder<unknown> = sql`'object'`
  for (const [at, name] of path.entries()) {
    const [element, member] = [sql.ref(`e${at}`), sql.ref(`m${at}`)]
    tables.push(
      sql`json_each(case ${type} when 'array' then ${value} when 'object' then json_array(json(${value})) else '[]' end) as ${element}`,
      sql`json_each(case ${element}.type when 'object' then ${element}.value else '{}' end) as ${member}`,
    )
    names.push(sql`${member}.key = ${name}`)
    value = sql`${member}.value`
    type = sql`${member}.type`
  }
  tables.push(
    sql`json_each(case ${type} when 'array' then ${value} when 'object' then json_array(json(${value}))
      when 'true' then '[true]' when 'false' then '[false]' when 'null' then '[]' else json_array(${value}) end) as leaf`,
  )
  const kind = sql`case leaf.type when 'integer' then 'number' when 'real' then 'number'
    when 'true' then 'flag' when 'false' then 'flag' else leaf.type end`
  const text = sql<string>`case leaf.type when 'true' then 'true' when 'false' then 'false' else leaf.value end`
  const leaf = { kind, text, number: sql<number>`leaf.value` }
  return sql`exists (select 1 from ${sql.join(tables)} where ${sql.join([...names, leafCondition('sqlite', leaf, match)], sql` and `)})`
}

/** A document that PostgreSQL's binary form cannot hold, for half a surrogate pair or NUL in it, is passed over. */
function postgresCondition(document: RawBuilder<string>, path: readonly string[], match: TextMatch): Condition {
  const steps = `lax $${path.map((name) => `.${JSON.stringify(name)}`).join('')}[*]`
  const readable = sql`(case when ${document} ~ ${UNREADABLE} then '{}' else ${document} end)::jsonb`
  const kind = sql`case jsonb_typeof(leaf.value) when 'boolean' then 'flag' when 'string' then 'text' else jsonb_typeof(leaf.value) end`
  const text = sql<string>`(leaf.value #>> '{}') collate "C"`
  const leaf = { kind, text, number: sql<number>`(leaf.value #>> '{}')::float8` }
  return sql`exists (select 1 from jsonb_path_query(${readable}, ${steps}::text::jsonpath) as leaf(value)
    where ${leafCondition('postgres', leaf, match)})`
}

const UNREADABLE = '\\\\u(0000|[dD][89a-fA-F])'

interface Leaf {
  /** `text`, `number`, `flag`, `null`, `object` or `array`. */
  readonly kind: RawBuilder<unknown>
  readonly text: RawBuilder<string>
  readonly number: RawBuilder<number>
}

/** `case` keeps the order of its tests, so that no text is read as a number. */
function leafCondition(dialect: Dialect, { kind, text, number }: Leaf, match: TextMatch): Condition {
  if (match.kind === 'exists') return sql`${kind} <> 'null'`
  const flags = match.kind === 'is' ? textCondition(dialect, text, match) : sql`1 = 0`
  return sql`case ${kind} when 'text' then ${textCondition(dialect, text, match)}
    when 'number' then ${numberLeaf(number, match)} when 'flag' then ${flags} else 1 = 0 end`
}

const NUMBER = /^-?\d{1,15}(?:\.\d{1,9})?$/

/** A number in a document is tested as one, when the search names numbers. */
function numberLeaf(number: RawBuilder<number>, match: Exclude<TextMatch, { kind: 'exists' }>): Condition {
  const value = (text: string) => sql`${Number(text)}`
  if (match.kind === 'is') return NUMBER.test(match.text) ? sql`${number} = ${value(match.text)}` : sql`1 = 0`
  if (match.kind === 'like') return sql`1 = 0`
  const { from, to } = match
  if (![from, to].every((bound) => bound === undefined || NUMBER.test(bound.value))) return sql`1 = 0`
  const low = from && sql`${number} ${sql.raw(from.inclusive ? '>=' : '>')} ${value(from.value)}`
  const high = to && sql`${number} ${sql.raw(to.inclusive ? '<=' : '<')} ${value(to.value)}`
  return sql`(${sql.join([low ?? sql`1 = 1`, high ?? sql`1 = 1`], sql` and `)})`
}
