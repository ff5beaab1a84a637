// The statement of an exchange: for each question the client, the connection, the subject token with what it hangs on,
// and the accounts. It joins on primary keys and unique indexes alone.
import { sql } from 'kysely'
import type { ExchangeQuery } from '../records.ts'
import { STORED_COLUMNS } from './account-rows.ts'
import { type Columns, given } from './given.ts'
import { type Builder, statement } from './statement.ts'

/**
 * A question on the wire: the subject token is an artifact, or for an access token the grant that it stands on. A user
 * who is named alone has none.
 */
export interface Asked {
  readonly client_id: string | null
  readonly connection: string
  readonly kind: 'RefreshToken' | 'Grant' | 'User'
  readonly id_hash: string
  /** Whose grant it must be, and given to whom; null for a refresh token. The user who is named. */
  readonly user_id: string | null
  readonly issued_to: string | null
}

export function askedOf({ clientId: client_id = null, connection, subject }: Nullable<ExchangeQuery>): Asked {
  const target = { client_id, connection, user_id: null, issued_to: null }
  if (subject.kind === 'refresh_token') return { ...target, kind: 'RefreshToken', id_hash: subject.tokenHash }
  if (subject.kind === 'none') return { ...target, kind: 'RefreshToken', id_hash: '' }
  if (subject.kind === 'user') return { ...target, kind: 'User', id_hash: '', user_id: subject.userId }
  const { clientId: issued_to, userId: user_id, grantId: id_hash } = subject
  return { client_id, connection, kind: 'Grant', id_hash, user_id, issued_to }
}

type Nullable<Q extends ExchangeQuery> = Omit<Q, 'clientId'> & { readonly clientId?: string | null | undefined }

const TYPES = {
  client_id: 'text',
  connection: 'text',
  kind: 'text',
  id_hash: 'text',
  user_id: 'text',
  issued_to: 'text',
} as const satisfies Record<keyof Asked, 'text'>

export const ASKED_COLUMNS = Object.keys(TYPES) as (keyof Asked)[]

/** One question. */
export const findFacts = statement((q, p: Asked & Params) =>
  factsOf(
    q.selectFrom(
      sql<Asked & { turn: number }>`(select 1 as turn, ${p.client_id} as client_id, ${p.connection} as connection,
        ${p.kind} as kind, ${p.id_hash} as id_hash, ${p.user_id} as user_id, ${p.issued_to} as issued_to)`.as('asked'),
    ),
  ),
)

/** Many questions, each with the version of its facts, which is null for those of no user (PostgreSQL). */
export const findManyFacts = statement((q, p: Columns<Asked> & Params) =>
  manyFacts(q.selectFrom(given<Asked>(p, TYPES).as('asked'))),
)

const manyFacts = (questions: ReturnType<typeof asking>) =>
  factsOf(questions)
    .leftJoin('user_facts_versions', 'user_facts_versions.user_id', 'users.user_id')
    .select(VERSION.as('version'))

/** The versions of what is known of users (PostgreSQL): another one after every commit that may have changed any of it. */
export const findVersions = statement((q, p: Columns<Known> & Params) =>
  q
    .selectFrom(given<Known>(p, { user_id: 'text' }).as('known'))
    .leftJoin('user_facts_versions', 'user_facts_versions.user_id', 'known.user_id')
    .select(['known.turn', VERSION.as('version')]),
)

interface Known {
  readonly user_id: string
}

/** Of what all users share, and of what is the user's own. */
const VERSION = sql<string | null>`(select version from facts_version)::text || user_facts_versions.version::text`

interface Params {
  readonly [name: string]: unknown
}

const asking = (q: Builder) => q.selectFrom(sql<Asked & { turn: number }>`(select 1 as turn)`.as('asked'))

/** Every join is an outer one, so that what is missing shows as null and hides nothing else. */
const factsOf = (questions: ReturnType<typeof asking>) =>
  questions
    .leftJoin('artifacts as token', (join) =>
      join
        .onRef('token.kind', '=', 'asked.kind')
        .onRef('token.id_hash', '=', 'asked.id_hash')
        // What was deleted with the grant, or never was its own, does not count.
        .on((eb) =>
          eb.or([
            eb('asked.user_id', 'is', null),
            eb.and([
              eb('token.user_id', '=', eb.ref('asked.user_id')),
              eb('token.client_id', '=', eb.ref('asked.issued_to')),
            ]),
          ]),
        ),
    )
    .leftJoin('artifacts as grant', (join) =>
      join
        .on('grant.kind', '=', 'Grant')
        .on('grant.id_hash', '=', sql<string>`case token.kind when 'Grant' then token.id_hash else token.grant_id end`),
    )
    .leftJoin('users', (join) =>
      join.on('users.user_id', '=', sql<string>`case asked.kind when 'User' then asked.user_id else token.user_id end`),
    )
    .leftJoin('clients', (join) =>
      join.on('clients.client_id', '=', sql<string>`coalesce(asked.client_id, token.client_id)`),
    )
    .leftJoin('connections', 'connections.name', 'asked.connection')
    .leftJoin('connection_clients', (join) =>
      join
        .onRef('connection_clients.connection_id', '=', 'connections.id')
        .onRef('connection_clients.client_id', '=', 'clients.client_id'),
    )
    // The user's word holds against the client that asks and against the one that the token was issued to.
    .leftJoin('agent_stops as caller_stop', (join) =>
      join.onRef('caller_stop.user_id', '=', 'users.user_id').onRef('caller_stop.client_id', '=', 'clients.client_id'),
    )
    .leftJoin('agent_stops as holder_stop', (join) =>
      join.onRef('holder_stop.user_id', '=', 'users.user_id').onRef('holder_stop.client_id', '=', 'token.client_id'),
    )
    .leftJoin('accounts', (join) =>
      join
        .onRef('accounts.user_id', '=', 'users.user_id')
        // By no index: of a user's accounts those at the connection, never of a connection's, which may be all there are,
        // those of the user. A planner that knows nothing of the tables yet takes either.
        .on(sql`accounts.connection_id || ''`, '=', sql.ref('connections.id')),
    )
    .select([
      'asked.turn',
      'clients.client_id as caller_id',
      'clients.secret_hash',
      'clients.document as client_document',
      'clients.created_at as client_created_at',
      'clients.updated_at as client_updated_at',
      'connections.id as target_id',
      'connections.name',
      'connections.strategy',
      'connections.document as target_document',
      'connections.secret_envelope',
      'connections.created_at as target_created_at',
      'connections.updated_at as target_updated_at',
      'connection_clients.client_id as enabled',
      'token.client_id as issued_to',
      'token.user_id as subject_user_id',
      'token.payload',
      'token.expires_at as token_expires_at',
      'token.consumed_at',
      'grant.expires_at as grant_expires_at',
      'users.user_id as person_id',
      'users.blocked',
      'caller_stop.stopped_at as caller_stopped_at',
      'holder_stop.stopped_at as holder_stopped_at',
    ])
    .select(ACCOUNT_SELECTION)
    .orderBy('asked.turn')
    // 'agents' comes before 'sign_in' in the alphabet.
    .orderBy('accounts.purpose')
    .orderBy('accounts.connected_at', 'desc')
    .orderBy('accounts.id', 'desc')

const ACCOUNT_SELECTION = STORED_COLUMNS.map(
  <C extends (typeof STORED_COLUMNS)[number]>(column: C) =>
    // A template literal's type is string unless it is said otherwise.
    `accounts.${column}` as `accounts.${C}`,
)

export type FactsRow = Awaited<ReturnType<ReturnType<typeof factsOf>['execute']>>[number]
export type VersionedFactsRow = Awaited<ReturnType<ReturnType<typeof manyFacts>['execute']>>[number]
