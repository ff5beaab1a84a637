// Many rows as parameters of one statement that stays the same however many there are. PostgreSQL alone: each column is
// an array.
import { type RawBuilder, sql } from 'kysely'

/** Column by column, as a statement over `given` takes them. */
export type Columns<Row> = { readonly [C in keyof Row]: readonly Row[C][] }

export const columnsOf = <Row extends object>(columns: readonly (keyof Row)[], rows: readonly Row[]): Columns<Row> =>
  // Object.fromEntries forgets the keys that it was given.
  Object.fromEntries(columns.map((column) => [column, rows.map((row) => row[column])])) as unknown as Columns<Row>

/**
 * The rows as a table expression. Where each stands in the arrays, from 1, is its `turn`.
 *
 * @param types of the columns, in PostgreSQL's words.
 */
export function given<Row extends object>(
  columns: Columns<Row>,
  types: Readonly<Record<keyof Row & string, 'text' | 'bigint'>>,
): RawBuilder<Row & { turn: number }> {
  const names = Object.keys(types) as (keyof Row & string)[]
  const arrays = names.map((name) => sql`${columns[name]}::${sql.raw(types[name])}[]`)
  const heads = [...names, 'turn'].map((name) => sql.ref(name))
  return sql`(select * from unnest(${sql.join(arrays)}) with ordinality as given (${sql.join(heads)}))`
}
