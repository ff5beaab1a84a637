// Version 1: every table of the first release. docs/formats/storage.md explains them.
import type { ColumnTypes } from '../migrations.ts'

export const firstSchema = (types: ColumnTypes): readonly string[] => [
  ...deployment(types),
  ...people(types),
  ...protocol(types),
  ...vault(types),
  ...queues(types),
]

const deployment = ({ text, integer, bytes, tableEnd }: ColumnTypes) => [
  `create table meta (key ${text} primary key, value ${text} not null${tableEnd}`,
  `create table clients (
    client_id ${text} primary key,
    secret_hash ${text},
    document ${text} not null,
    created_at ${integer} not null,
    updated_at ${integer} not null
  ${tableEnd}`,
  `create table connections (
    id ${text} primary key,
    name ${text} not null unique,
    strategy ${text} not null,
    document ${text} not null,
    secret_envelope ${bytes},
    created_at ${integer} not null,
    updated_at ${integer} not null
  ${tableEnd}`,
  `create table connection_clients (
    connection_id ${text} not null references connections (id) on delete cascade,
    client_id ${text} not null,
    primary key (connection_id, client_id)
  ${tableEnd}`,
  'create index connection_clients_client on connection_clients (client_id)',
  `create table resource_servers (
    id ${text} primary key,
    identifier ${text} not null unique,
    document ${text} not null
  ${tableEnd}`,
  `create table client_grants (
    id ${text} primary key,
    client_id ${text} not null,
    audience ${text} not null,
    subject_type ${text} not null,
    scopes ${text} not null,
    document ${text} not null,
    unique (client_id, audience, subject_type)
  ${tableEnd}`,
  `create table signing_keys (
    kid ${text} primary key,
    state ${text} not null,
    public_jwk ${text} not null,
    envelope ${bytes} not null,
    created_at ${integer} not null,
    changed_at ${integer} not null
  ${tableEnd}`,
]

const people = ({ text, integer, tableEnd }: ColumnTypes) => [
  `create table given_user_ids (user_id ${text} primary key${tableEnd}`,
  `create table users (
    user_id ${text} primary key references given_user_ids (user_id),
    email ${text},
    address ${text},
    email_verified ${integer} not null,
    name ${text},
    given_name ${text},
    family_name ${text},
    nickname ${text},
    username ${text},
    picture ${text},
    phone_number ${text},
    user_metadata ${text} not null,
    app_metadata ${text} not null,
    blocked ${integer} not null,
    created_at ${integer} not null,
    updated_at ${integer} not null,
    last_login ${integer},
    last_ip ${text},
    logins_count ${integer} not null
  ${tableEnd}`,
  'create index users_address on users (address)',
  'create index users_created on users (created_at, user_id)',
  `create table user_aliases (
    retired_user_id ${text} primary key,
    primary_user_id ${text} not null,
    retired_at ${integer} not null
  ${tableEnd}`,
  `create table identities (
    connection_id ${text} not null,
    subject ${text} not null,
    user_id ${text} not null references users (user_id) on delete cascade,
    position ${integer} not null,
    profile_data ${text} not null,
    created_at ${integer} not null,
    last_login ${integer},
    primary key (connection_id, subject)
  ${tableEnd}`,
  'create index identities_user on identities (user_id, position)',
  'create index identities_subject on identities (subject)',
  `create table identity_tombstones (
    connection_id ${text} not null,
    subject ${text} not null,
    user_id ${text} not null,
    unlinked_at ${integer} not null,
    primary key (connection_id, subject)
  ${tableEnd}`,
  `create table passwords (
    connection_id ${text} not null,
    subject ${text} not null,
    address ${text} not null,
    hash ${text} not null,
    changed_at ${integer} not null,
    primary key (connection_id, subject),
    unique (connection_id, address)
  ${tableEnd}`,
  `create table evidence (
    user_id ${text} not null references users (user_id) on delete cascade,
    address ${text} not null,
    source ${text} not null,
    grade ${integer} not null,
    said_at ${integer} not null,
    primary key (user_id, address, source)
  ${tableEnd}`,
  'create index evidence_address on evidence (address)',
]

const protocol = ({ text, integer, bytes, tableEnd }: ColumnTypes) => [
  `create table artifacts (
    kind ${text} not null,
    id_hash ${text} not null,
    uid ${text},
    grant_id ${text},
    user_id ${text},
    client_id ${text},
    payload ${text} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null,
    consumed_at ${integer},
    successor_envelope ${bytes},
    identity_key ${text},
    primary key (kind, id_hash)
  ${tableEnd}`,
  'create index artifacts_uid on artifacts (uid) where uid is not null',
  'create index artifacts_grant on artifacts (grant_id) where grant_id is not null',
  'create index artifacts_user on artifacts (user_id, kind) where user_id is not null',
  'create index artifacts_client on artifacts (client_id) where client_id is not null',
  'create index artifacts_expiry on artifacts (expires_at)',
  `create table upstream_transactions (
    state_hash ${text} primary key,
    kind ${text} not null,
    connection_id ${text} not null,
    callback_path ${text} not null,
    browser_hash ${text} not null,
    interaction_hash ${text} not null,
    session_uid ${text},
    user_id ${text},
    client_id ${text},
    nonce ${text} not null,
    verifier_envelope ${bytes} not null,
    scopes ${text} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null
  ${tableEnd}`,
  'create index upstream_transactions_user on upstream_transactions (user_id) where user_id is not null',
  'create index upstream_transactions_expiry on upstream_transactions (expires_at)',
  `create table connect_requests (
    auth_session_hash ${text} primary key,
    ticket_hash ${text} not null unique,
    connect_code_hash ${text},
    user_id ${text} not null references users (user_id) on delete cascade,
    client_id ${text} not null,
    connection_id ${text} not null,
    redirect_uri ${text} not null,
    state ${text},
    code_challenge ${text},
    scopes ${text} not null,
    authorization_params ${text} not null,
    dpop_thumbprint ${text},
    status ${text} not null,
    browser_hash ${text},
    session_uid ${text},
    pending_envelope ${bytes},
    created_at ${integer} not null,
    expires_at ${integer} not null
  ${tableEnd}`,
  'create index connect_requests_user on connect_requests (user_id)',
  'create index connect_requests_expiry on connect_requests (expires_at)',
  `create table proofs (
    id_hash ${text} primary key,
    kind ${text} not null,
    user_id ${text} not null references users (user_id) on delete cascade,
    address ${text} not null,
    bound_to ${text} not null,
    attempts ${integer} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null
  ${tableEnd}`,
  'create index proofs_user on proofs (user_id)',
  'create index proofs_expiry on proofs (expires_at)',
]

const vault = ({ text, integer, bytes, tableEnd }: ColumnTypes) => [
  `create table accounts (
    id ${text} primary key,
    user_id ${text} not null references users (user_id) on delete cascade,
    connection_id ${text} not null,
    subject ${text} not null,
    purpose ${text} not null,
    label ${text} not null,
    is_default ${integer} not null,
    client_id ${text},
    scopes_asked ${text} not null,
    scopes_granted ${text} not null,
    health ${text} not null,
    health_reason ${text},
    extras ${text} not null,
    created_at ${integer} not null,
    connected_at ${integer} not null,
    last_used_at ${integer},
    access_expires_at ${integer},
    refresh_expires_at ${integer},
    has_refresh_token ${integer} not null,
    generation ${integer} not null,
    intent_generation ${integer},
    intent_started_at ${integer},
    lease_holder ${text},
    lease_generation ${integer},
    lease_until ${integer},
    envelope ${bytes} not null,
    unique (user_id, connection_id, subject, purpose)
  ${tableEnd}`,
  'create index accounts_subject on accounts (connection_id, subject)',
  'create index accounts_expiry on accounts (access_expires_at) where has_refresh_token = 1',
  'create index accounts_intent on accounts (intent_started_at) where intent_generation is not null',
  `create table user_keys (
    user_id ${text} primary key references users (user_id) on delete cascade,
    key_id ${text} not null,
    wrapped ${bytes} not null
  ${tableEnd}`,
  'create index user_keys_key on user_keys (key_id)',
]

const queues = ({ text, integer, bytes, serial, tableEnd }: ColumnTypes) => [
  `create table revocations (
    id ${text} primary key,
    user_id ${text} not null,
    connection_id ${text} not null,
    account_id ${text} not null,
    subject ${text} not null,
    hint ${text} not null,
    envelope ${bytes} not null,
    attempts ${integer} not null,
    due_at ${integer} not null
  ${tableEnd}`,
  'create index revocations_due on revocations (due_at)',
  'create index revocations_account on revocations (account_id)',
  `create table mails (
    id ${text} primary key,
    envelope ${bytes} not null,
    attempts ${integer} not null,
    due_at ${integer} not null
  ${tableEnd}`,
  'create index mails_due on mails (due_at)',
  `create table events (
    seq ${serial},
    type ${text} not null,
    at ${integer} not null,
    outcome ${text} not null,
    user_id ${text},
    client_id ${text},
    actor ${text},
    connection_id ${text},
    account_id ${text},
    data ${text}
  ${tableEnd}`,
  'create index events_user on events (user_id, seq) where user_id is not null',
  `create table limits (key ${text} primary key, points ${integer} not null, expires_at ${integer} not null${tableEnd}`,
  'create index limits_expiry on limits (expires_at)',
]
