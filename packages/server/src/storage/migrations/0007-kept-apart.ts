// Users whom an operator keeps apart although their addresses are alike, and names as they are looked for.
// docs/formats/storage.md explains both.
import type { ColumnTypes } from '../migrations.ts'

export const keptApart = ({ dialect, text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table users_apart (
    lesser_user_id ${text} not null,
    greater_user_id ${text} not null,
    kept_at ${integer} not null,
    kept_by ${text} not null,
    primary key (lesser_user_id, greater_user_id)
  ${tableEnd}`,
  'create index users_apart_by_greater on users_apart (greater_user_id)',
  `alter table users add column name_key ${text}`,
  `update users set name_key = substr(${lowered(dialect)}, 1, 100) where name is not null`,
  'create index users_by_name_key on users (name_key)',
]

/**
 * `name` in small letters, the same on both databases: their own `lower` knows ASCII, or what the database was made with.
 * Letters beyond ASCII are replaced one by one, where there are any.
 */
function lowered(dialect: ColumnTypes['dialect']): string {
  const isAscii = dialect === 'sqlite' ? "name not glob '*[^ -~]*'" : "name !~ '[^ -~]'"
  const replaced = [...CAPITALS, ['ς', 'σ'] as const].reduce(
    (inner, [capital, small]) => `replace(${inner}, '${capital}', '${small}')`,
    'lower(name)',
  )
  return `case when ${isAscii} then lower(name) else ${replaced} end`
}

/** Latin, Greek, Cyrillic and Armenian: capitals whose small letter is one letter. */
const CAPITALS: readonly (readonly [string, string])[] = Array.from({ length: 0x0557 - 0x00c0 }, (_, at) => {
  const capital = String.fromCodePoint(0x00c0 + at)
  return [capital, capital.toLowerCase()] as const
}).filter(([capital, small]) => small !== capital && small.length === 1)
