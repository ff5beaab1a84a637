// Marks of what serves once get a table of their own: each client that signs its requests writes one with every request, and
// among the artifacts each cost three B-trees and triggers. docs/formats/storage.md explains the table.
import type { ColumnTypes } from '../migrations.ts'

export const replayMarks = ({ dialect, text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table replay_marks (
    id_hash ${text} primary key,
    expires_at ${integer} not null
  ${tableEnd}${dialect === 'sqlite' ? ', without rowid' : ''}`,
  'create index replay_marks_expiry on replay_marks (expires_at)',
  `insert into replay_marks (id_hash, expires_at)
   select id_hash, expires_at from artifacts where kind = 'ReplayDetection'`,
  "delete from artifacts where kind = 'ReplayDetection'",
]
