// Connections that were deleted while tokens of theirs wait to be revoked at the provider. docs/formats/storage.md explains
// the table.
import type { ColumnTypes } from '../migrations.ts'

export const formerConnections = ({ text, integer, bytes, tableEnd }: ColumnTypes): readonly string[] => [
  `create table former_connections (
    id ${text} primary key,
    name ${text} not null,
    strategy ${text} not null,
    document ${text} not null,
    secret_envelope ${bytes},
    created_at ${integer} not null,
    updated_at ${integer} not null
  ${tableEnd}`,
]
