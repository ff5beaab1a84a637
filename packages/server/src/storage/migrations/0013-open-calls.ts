// Calls through the proxy that went out, and of which nobody has said yet what came of them. docs/formats/storage.md explains
// the table. No index by age: it holds what is under way, and is looked through once a minute.
import type { ColumnTypes } from '../migrations.ts'

export const openCalls = ({ dialect, text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table open_calls (
    id ${text} primary key,
    began_at ${integer} not null,
    event ${text} not null
  ${tableEnd}${dialect === 'sqlite' ? ', without rowid' : ''}`,
]
