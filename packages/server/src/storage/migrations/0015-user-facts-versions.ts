// On PostgreSQL, what SQLite has had since migration 4: names that change with whatever an exchange is decided on, kept by
// the database itself. One for what all users share, which changes seldom, and one for each user, so that nobody's writes
// wait for those of others; it changes once in a transaction, however much that writes. A name is drawn at random, so that
// none comes back, not even where a failover lost commits.
import type { ColumnTypes } from '../migrations.ts'
import { ACCOUNT_COLUMNS, KINDS } from './0004-facts-version.ts'

export const userFactsVersions = ({ dialect, text }: ColumnTypes): readonly string[] =>
  dialect === 'sqlite'
    ? []
    : [
        'create table facts_version (version uuid not null)',
        'insert into facts_version (version) values (gen_random_uuid())',
        `create function change_facts_version() returns trigger language plpgsql as $$
          begin update facts_version set version = gen_random_uuid(); return null; end $$`,
        ...['clients', 'connections', 'connection_clients'].map(
          (table) => `create trigger facts_of_${table} after insert or update or delete on ${table}
            for each statement execute function change_facts_version()`,
        ),
        `create table user_facts_versions (
          user_id ${text} primary key references users (user_id) on delete cascade on update cascade,
          version uuid not null,
          changed_in xid8 not null
        )`,
        `insert into user_facts_versions (user_id, version, changed_in)
          select user_id, gen_random_uuid(), pg_current_xact_id() from users`,
        `create function add_user_facts_version() returns trigger language plpgsql as $$
          begin
            insert into user_facts_versions (user_id, version, changed_in)
              values (new.user_id, gen_random_uuid(), pg_current_xact_id());
            return null;
          end $$`,
        'create trigger facts_of_new_users after insert on users for each row execute function add_user_facts_version()',
        `create function change_user_facts_version() returns trigger language plpgsql as $$
          begin
            update user_facts_versions set version = gen_random_uuid(), changed_in = pg_current_xact_id()
              where user_id in (old.user_id, new.user_id) and changed_in <> pg_current_xact_id();
            return null;
          end $$`,
        change('users', 'update of user_id, blocked on users'),
        change('agent_stops', 'insert or update or delete on agent_stops'),
        change('accounts', `insert or delete or update of ${ACCOUNT_COLUMNS} on accounts`),
        change('artifacts_written', 'insert or update on artifacts', `new.kind in (${KINDS})`),
        change('artifacts_deleted', 'delete on artifacts', `old.kind in (${KINDS})`),
      ]

/** At the commit, so that nothing is locked for longer than that. */
const change = (name: string, event: string, when?: string): string =>
  `create constraint trigger facts_of_${name} after ${event} deferrable initially deferred
    for each row${when === undefined ? '' : ` when (${when})`} execute function change_user_facts_version()`
