// Links between users as records, and what undoing them needs. docs/formats/storage.md explains the tables.
import type { ColumnTypes } from '../migrations.ts'

export const links = ({ text, integer, bytes, serial, tableEnd }: ColumnTypes): readonly string[] => [
  `create table links (
    seq ${serial},
    id ${text} not null unique,
    primary_user_id ${text} not null,
    secondary_user_id ${text},
    connection_id ${text},
    subject ${text},
    client_id ${text},
    actor ${text},
    rule ${text} not null,
    proof ${text} not null,
    plan ${text} not null,
    plan_hash ${text} not null,
    created_at ${integer} not null,
    undo_until ${integer} not null,
    undone_at ${integer},
    undone_by ${text}
  ${tableEnd}`,
  'create index links_primary on links (primary_user_id, seq)',
  'create index links_secondary on links (secondary_user_id, seq) where secondary_user_id is not null',
  'create index links_identity on links (connection_id, subject, seq) where connection_id is not null',
  `create table link_snapshots (
    link_id ${text} primary key references links (id) on delete cascade,
    envelope ${bytes} not null,
    expires_at ${integer} not null
  ${tableEnd}`,
  'create index link_snapshots_expiry on link_snapshots (expires_at)',
]
