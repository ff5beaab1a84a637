// On SQLite, a number that changes with whatever an exchange is decided on, kept by the database itself so that no write
// of any process can forget it. PostgreSQL has none: every such write would wait for the one row.
import type { ColumnTypes } from '../migrations.ts'

export const factsVersion = ({ dialect, integer, tableEnd }: ColumnTypes): readonly string[] =>
  dialect === 'postgres'
    ? []
    : [
        `create table facts_version (version ${integer} not null${tableEnd}`,
        'insert into facts_version (version) values (0)',
        ...['clients', 'connections', 'connection_clients', 'agent_stops'].flatMap((table) => [
          raise(`${table}_inserted`, `insert on ${table}`),
          raise(`${table}_updated`, `update on ${table}`),
          raise(`${table}_deleted`, `delete on ${table}`),
        ]),
        raise('users_inserted', 'insert on users'),
        raise('users_updated', 'update of user_id, blocked on users'),
        raise('users_deleted', 'delete on users'),
        raise('accounts_inserted', 'insert on accounts'),
        raise('accounts_updated', `update of ${ACCOUNT_COLUMNS} on accounts`),
        raise('accounts_deleted', 'delete on accounts'),
        raise('artifacts_inserted', 'insert on artifacts', `new.kind in (${KINDS})`),
        raise('artifacts_updated', 'update on artifacts', `new.kind in (${KINDS})`),
        raise('artifacts_deleted', 'delete on artifacts', `old.kind in (${KINDS})`),
      ]

/** All but the lease, and when it was used last. */
export const ACCOUNT_COLUMNS = [
  'id, user_id, connection_id, subject, purpose, label, is_default, client_id, scopes_asked, scopes_granted, health',
  'health_reason, extras, created_at, connected_at, access_expires_at, refresh_expires_at, has_refresh_token, generation',
  'intent_generation, intent_started_at, envelope',
].join(', ')

/** Of artifacts that an exchange may stand on. */
export const KINDS = "'RefreshToken', 'Grant'"

const raise = (name: string, event: string, when?: string): string =>
  `create trigger facts_of_${name} after ${event}${when === undefined ? '' : ` when ${when}`}
    begin update facts_version set version = version + 1; end`
