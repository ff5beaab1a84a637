// Which tokens of providers are exchanged for ours. docs/formats/storage.md explains the table.
import type { ColumnTypes } from '../migrations.ts'

export const exchangeProfiles = ({ text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table exchange_profiles (
    id ${text} primary key,
    name ${text} not null unique,
    subject_token_type ${text} not null unique,
    connection_id ${text} not null,
    audiences ${text} not null,
    created_at ${integer} not null,
    updated_at ${integer} not null
  ${tableEnd}`,
]
