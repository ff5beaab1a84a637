// The tables as Kysely sees them; docs/formats/storage.md says what each column holds. Rows leave `sql/` only as records
// and domain nouns.
import type { Generated } from 'kysely'
import type { SecondFactorKind } from '../domain/second-factor.ts'
import type { Health, Purpose } from '../domain/tokenset.ts'
import type {
  ArtifactKind,
  ConnectStatus,
  MailProof,
  RevocationJob,
  SigningKeyRecord,
  SubjectType,
  UpstreamTransaction,
} from './records.ts'

/** 0 or 1: SQLite has no booleans, and one form for both databases spares a conversion. */
export type Flag = number
/** Text that `JSON.parse` understands. */
export type JsonText = string

export interface Schema {
  readonly meta: { key: string; value: string }
  readonly clients: ClientsTable
  readonly connections: ConnectionsTable
  readonly former_connections: ConnectionsTable
  /** PostgreSQL alone; SQLite's is a number that nothing here reads. */
  readonly facts_version: { version: string }
  /** PostgreSQL alone. */
  readonly user_facts_versions: { user_id: string; version: string; changed_in: string }
  readonly connection_clients: { connection_id: string; client_id: string }
  readonly resource_servers: { id: string; identifier: string; document: JsonText }
  readonly client_grants: ClientGrantsTable
  readonly exchange_profiles: ExchangeProfilesTable
  readonly given_user_ids: { user_id: string }
  readonly users: UsersTable
  readonly user_aliases: { retired_user_id: string; primary_user_id: string; retired_at: number }
  readonly identities: IdentitiesTable
  readonly links: LinksTable
  readonly link_snapshots: { link_id: string; envelope: Uint8Array; expires_at: number }
  readonly identity_tombstones: { connection_id: string; subject: string; user_id: string; unlinked_at: number }
  readonly passwords: PasswordsTable
  readonly second_factors: SecondFactorsTable
  readonly recovery_codes: { user_id: string; code_hash: string }
  readonly passkeys: PasskeysTable
  readonly evidence: EvidenceTable
  readonly artifacts: ArtifactsTable
  readonly replay_marks: { id_hash: string; expires_at: number }
  readonly open_calls: { id: string; began_at: number; event: string }
  readonly upstream_transactions: UpstreamTransactionsTable
  readonly connect_requests: ConnectRequestsTable
  readonly accounts: AccountsTable
  readonly users_apart: UsersApartTable
  readonly agent_stops: { user_id: string; client_id: string; stopped_at: number }
  readonly user_keys: { user_id: string; key_id: string; wrapped: Uint8Array }
  readonly signing_keys: SigningKeysTable
  readonly revocations: RevocationsTable
  readonly proofs: ProofsTable
  readonly ended_sessions: {
    id: Generated<number>
    uid: string
    sub: string
    payload: JsonText
    attempts: number
    due_at: number
  }
  readonly logout_notices: {
    id: string
    client_id: string
    sub: string
    sid: string
    url: string
    attempts: number
    due_at: number
  }
  readonly sign_ups: {
    id_hash: string
    connection_id: string
    subject: string
    address: string
    profile: JsonText
    user_metadata: JsonText
    created_at: number
    expires_at: number
  }
  readonly mails: { id: string; envelope: Uint8Array; attempts: number; due_at: number }
  readonly webhooks: WebhooksTable
  readonly webhook_patterns: { webhook_id: string; pattern: string }
  readonly webhook_deliveries: WebhookDeliveriesTable
  readonly events: EventsTable
  readonly limits: { key: string; points: number; expires_at: number }
}

export interface ClientsTable {
  client_id: string
  secret_hash: string | null
  document: JsonText
  created_at: number
  updated_at: number
}

export interface ConnectionsTable {
  id: string
  name: string
  strategy: string
  document: JsonText
  secret_envelope: Uint8Array | null
  created_at: number
  updated_at: number
}

export interface ExchangeProfilesTable {
  id: string
  name: string
  subject_token_type: string
  connection_id: string
  audiences: JsonText
  created_at: number
  updated_at: number
}

export interface WebhooksTable {
  id: string
  url: string
  envelope: Uint8Array
  lease_until: number
  paused_until: number
  failures: number
  failing_since: number | null
  last_failure: string | null
}

export interface WebhookDeliveriesTable {
  webhook_id: string
  seq: number
  event_at: number
  due_at: number
  attempts: number
  failing_since: number | null
}

export interface ClientGrantsTable {
  id: string
  client_id: string
  audience: string
  subject_type: SubjectType
  scopes: JsonText
  document: JsonText
}

export interface UsersTable {
  user_id: string
  email: string | null
  /** Canonical form of `email`: what the address is found by. */
  address: string | null
  email_verified: Flag
  name: string | null
  given_name: string | null
  family_name: string | null
  nickname: string | null
  username: string | null
  picture: string | null
  phone_number: string | null
  user_metadata: JsonText
  app_metadata: JsonText
  blocked: Flag
  created_at: number
  updated_at: number
  last_login: number | null
  last_ip: string | null
  logins_count: number
  /** `name` as it is looked for. */
  name_key: string | null
}

export interface UsersApartTable {
  lesser_user_id: string
  greater_user_id: string
  kept_at: number
  kept_by: string
}

export interface IdentitiesTable {
  connection_id: string
  subject: string
  user_id: string
  position: number
  profile_data: JsonText
  created_at: number
  last_login: number | null
}

export interface LinksTable {
  seq: Generated<number>
  id: string
  primary_user_id: string
  secondary_user_id: string | null
  connection_id: string | null
  subject: string | null
  client_id: string | null
  actor: string | null
  rule: string
  proof: JsonText
  plan: JsonText
  plan_hash: string
  created_at: number
  undo_until: number
  undone_at: number | null
  undone_by: string | null
}

export interface PasswordsTable {
  connection_id: string
  subject: string
  address: string
  hash: string
  changed_at: number
}

export interface EvidenceTable {
  user_id: string
  address: string
  source: string
  grade: number
  said_at: number
}

export interface ArtifactsTable {
  kind: ArtifactKind
  id_hash: string
  uid: string | null
  grant_id: string | null
  user_id: string | null
  client_id: string | null
  payload: JsonText
  created_at: number
  expires_at: number
  consumed_at: number | null
  successor_envelope: Uint8Array | null
  identity_key: string | null
}

export interface UpstreamTransactionsTable {
  state_hash: string
  kind: UpstreamTransaction['kind']
  connection_id: string
  callback_path: string
  browser_hash: string
  interaction_hash: string
  session_uid: string | null
  user_id: string | null
  client_id: string | null
  nonce: string
  verifier_envelope: Uint8Array
  scopes: JsonText
  created_at: number
  expires_at: number
}

export interface ConnectRequestsTable {
  auth_session_hash: string
  ticket_hash: string
  connect_code_hash: string | null
  user_id: string
  client_id: string
  connection_id: string
  redirect_uri: string
  state: string | null
  code_challenge: string | null
  scopes: JsonText
  authorization_params: JsonText
  dpop_thumbprint: string | null
  status: ConnectStatus
  browser_hash: string | null
  session_uid: string | null
  pending_envelope: Uint8Array | null
  created_at: number
  expires_at: number
}

export interface AccountsTable {
  id: string
  user_id: string
  connection_id: string
  subject: string
  purpose: Purpose
  label: string
  is_default: Flag
  client_id: string | null
  scopes_asked: JsonText
  scopes_granted: JsonText
  health: Health
  health_reason: string | null
  extras: JsonText
  created_at: number
  connected_at: number
  last_used_at: number | null
  access_expires_at: number | null
  refresh_expires_at: number | null
  has_refresh_token: Flag
  generation: number
  intent_generation: number | null
  intent_started_at: number | null
  lease_holder: string | null
  lease_generation: number | null
  lease_until: number | null
  envelope: Uint8Array
}

export interface SigningKeysTable {
  kid: string
  state: SigningKeyRecord['state']
  public_jwk: JsonText
  envelope: Uint8Array
  created_at: number
  changed_at: number
}

export interface RevocationsTable {
  id: string
  user_id: string
  connection_id: string
  account_id: string
  subject: string
  hint: RevocationJob['hint']
  envelope: Uint8Array
  attempts: number
  due_at: number
}

export interface SecondFactorsTable {
  id: string
  user_id: string
  kind: SecondFactorKind
  envelope: Uint8Array | null
  last_step: number
  added_at: number
}

export interface PasskeysTable {
  connection_id: string
  subject: string
  user_handle: string
  public_key: Uint8Array
  counter: number
  transports: JsonText
  label: string
}

export interface ProofsTable {
  id_hash: string
  kind: MailProof['kind']
  user_id: string
  address: string
  bound_to: string
  goes_to: JsonText | null
  attempts: number
  created_at: number
  expires_at: number
}

export interface EventsTable {
  seq: Generated<number>
  type: string
  at: number
  outcome: 'ok' | 'refused'
  user_id: string | null
  client_id: string | null
  actor: string | null
  connection_id: string | null
  account_id: string | null
  data: JsonText | null
}
