// Sessions that ended, noted by the database itself so that no write of any process can forget it; what their clients are
// told of it; and sign-ups over the API that wait for their mailbox. docs/formats/storage.md explains the tables.
import type { ColumnTypes } from '../migrations.ts'

export const signOutsAndSignUps = (types: ColumnTypes): readonly string[] => [
  ...tables(types),
  ...(types.dialect === 'postgres' ? POSTGRES_TRIGGER : SQLITE_TRIGGER),
]

const tables = ({ text, integer, serial, tableEnd }: ColumnTypes) => [
  `create table ended_sessions (
    id ${serial},
    uid ${text} not null,
    sub ${text} not null,
    payload ${text} not null,
    attempts ${integer} not null,
    due_at ${integer} not null
  ${tableEnd}`,
  'create index ended_sessions_due on ended_sessions (due_at)',
  'create index ended_sessions_uid on ended_sessions (uid)',
  `create table logout_notices (
    id ${text} primary key,
    client_id ${text} not null,
    sub ${text} not null,
    sid ${text} not null,
    url ${text} not null,
    attempts ${integer} not null,
    due_at ${integer} not null
  ${tableEnd}`,
  'create index logout_notices_due on logout_notices (due_at)',
  `create table sign_ups (
    id_hash ${text} primary key,
    connection_id ${text} not null,
    subject ${text} not null,
    address ${text} not null,
    profile ${text} not null,
    user_metadata ${text} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null
  ${tableEnd}`,
  'create index sign_ups_expiry on sign_ups (expires_at)',
]

/** Only sessions that some client knows of; one whose id is new comes back under the same uid. */
const WHEN = `old.kind = 'Session' and old.uid is not null and old.user_id is not null
    and old.payload like '%"authorizations"%'`
const NOTE = `insert into ended_sessions (uid, sub, payload, attempts, due_at)
      values (old.uid, old.user_id, old.payload, 0, 0);`

const SQLITE_TRIGGER = [
  `create trigger session_ended after delete on artifacts when ${WHEN}
    begin ${NOTE} end`,
]

const POSTGRES_TRIGGER = [
  `create function note_ended_session() returns trigger language plpgsql as $$
    begin ${NOTE} return null; end $$`,
  `create trigger session_ended after delete on artifacts for each row when (${WHEN})
    execute function note_ended_session()`,
]
