// Calls through the proxy that went out, and of which nobody has said yet what came of them. docs/formats/storage.md explains
// the table.
import type { ColumnTypes } from '../migrations.ts'

export const openCalls = ({ text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table open_calls (
    id ${text} primary key,
    began_at ${integer} not null,
    event ${text} not null
  ${tableEnd}`,
  'create index open_calls_began on open_calls (began_at)',
]
