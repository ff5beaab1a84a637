// What a person proves besides a way in, and passkeys. docs/formats/storage.md explains the tables.
//
// None refers to `users` or `identities`: a user who was joined into another keeps their second factors for the day when
// that is taken back, and a passkey stays what it is when its identity moves to somebody else.
import type { ColumnTypes } from '../migrations.ts'

export const factors = ({ text, integer, bytes, tableEnd }: ColumnTypes): readonly string[] => [
  `create table second_factors (
    id ${text} primary key,
    user_id ${text} not null,
    kind ${text} not null,
    envelope ${bytes},
    last_step ${integer} not null,
    added_at ${integer} not null,
    unique (user_id, kind)
  ${tableEnd}`,
  `create table recovery_codes (
    user_id ${text} not null,
    code_hash ${text} not null,
    primary key (user_id, code_hash)
  ${tableEnd}`,
  `create table passkeys (
    connection_id ${text} not null,
    subject ${text} not null,
    user_handle ${text} not null,
    public_key ${bytes} not null,
    counter ${integer} not null,
    transports ${text} not null,
    label ${text} not null,
    primary key (connection_id, subject)
  ${tableEnd}`,
  'create index passkeys_subject on passkeys (subject)',
]
