import type { ArtifactFilter, Artifacts } from '../protocol-repositories.ts'
import type { Artifact, ArtifactKind, RefreshSubject } from '../records.ts'
import type { ArtifactsTable } from '../schema.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, fromExcluded, orNone, passingLocked, pick } from './rows.ts'
import { type Builder, type Dialect, statement } from './statement.ts'

export const artifactsTable = (db: Db): Artifacts => ({
  async find(kind, idHash) {
    const row = await db.first(findArtifact, { kind, idHash })
    return row && artifactOf(row)
  },
  async findByUid(kind, uid) {
    const row = await db.first(findByUid, { kind, uid })
    return row && artifactOf(row)
  },
  async listOfUser(kind, userId) {
    return (await db.all(listOfUser, { kind, userId })).map(artifactOf)
  },
  async list(kind, { offset, limit, ...filter }) {
    const matching = artifactsMatching(db.builder, kind, filter)
    const rows = matching.select(COLUMNS).orderBy('created_at').orderBy('id_hash').limit(limit).offset(offset)
    const total = matching.select((eb) => eb.fn.countAll().as('count'))
    return { items: (await db.query(rows)).map(artifactOf), total: countOf(await db.query(total)) }
  },
  async findRefreshSubject(idHash) {
    const row = await db.first(findRefreshSubject, { idHash })
    return row && refreshSubjectOf(row)
  },
  async put(artifact) {
    await db.change(putArtifact, rowOf(artifact))
  },
  async consume(kind, idHash, at) {
    return (await db.change(consumeArtifact, { kind, idHash, at })) === 1
  },
  async listRefreshTokensBeyond({ userId, clientId }, keep) {
    return (await db.all(listBeyond, { userId, clientId, keep })).map(artifactOf)
  },
  async setSuccessor(kind, idHash, envelope) {
    await db.change(setSuccessor, { kind, idHash, envelope })
  },
  async delete(kind, idHash) {
    await db.change(deleteArtifact, { kind, idHash })
  },
  async deleteByGrant(grantId) {
    await db.change(deleteIssuedUnder, { grantId })
    await db.change(deleteArtifact, { kind: 'Grant', idHash: grantId })
  },
  async deleteOfUser(userId, only = {}) {
    await db.changeQuery(deletionOfUser(db.builder, userId, only))
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const COLUMNS = [
  'kind',
  'id_hash',
  'uid',
  'grant_id',
  'user_id',
  'client_id',
  'payload',
  'created_at',
  'expires_at',
  'consumed_at',
  'successor_envelope',
  'identity_key',
] as const

type Key = { kind: ArtifactKind; idHash: string }

const findArtifact = statement((q, p: Key) =>
  q.selectFrom('artifacts').select(COLUMNS).where('kind', '=', p.kind).where('id_hash', '=', p.idHash),
)

const findByUid = statement((q, p: { kind: ArtifactKind; uid: string }) =>
  q.selectFrom('artifacts').select(COLUMNS).where('uid', '=', p.uid).where('kind', '=', p.kind),
)

const listOfUser = statement((q, p: { kind: ArtifactKind; userId: string }) =>
  q
    .selectFrom('artifacts')
    .select(COLUMNS)
    .where('user_id', '=', p.userId)
    .where('kind', '=', p.kind)
    .orderBy('created_at')
    .orderBy('id_hash'),
)

function artifactsMatching(q: Builder, kind: ArtifactKind, filter: Omit<ArtifactFilter, 'offset' | 'limit'>) {
  let query = q
    .selectFrom('artifacts')
    .where('kind', '=', kind)
    .where('expires_at', '>', filter.liveAt)
    .where('consumed_at', 'is', null)
  if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId)
  if (filter.clientId !== undefined) query = query.where('client_id', '=', filter.clientId)
  return query
}

const listBeyond = statement((q, p: { userId: string; clientId: string; keep: number }) =>
  q
    .selectFrom('artifacts')
    .select(COLUMNS)
    .where('user_id', '=', p.userId)
    .where('kind', '=', 'RefreshToken')
    .where('client_id', '=', p.clientId)
    .where('consumed_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id_hash', 'desc')
    .limit(100)
    .offset(p.keep),
)

const findRefreshSubject = statement((q, p: { idHash: string }) =>
  q
    .selectFrom('artifacts as token')
    .innerJoin('artifacts as grant', (join) =>
      join.onRef('grant.id_hash', '=', 'token.grant_id').on('grant.kind', '=', 'Grant'),
    )
    .innerJoin('users', 'users.user_id', 'token.user_id')
    .select([
      'token.client_id',
      'token.user_id',
      'token.grant_id',
      'token.payload',
      'token.expires_at',
      'token.consumed_at',
      'grant.expires_at as grant_expires_at',
      'users.blocked',
    ])
    .where('token.kind', '=', 'RefreshToken')
    .where('token.id_hash', '=', p.idHash),
)

const REPLACED = [
  'uid',
  'grant_id',
  'user_id',
  'client_id',
  'payload',
  'created_at',
  'expires_at',
  'identity_key',
] as const

const putArtifact = statement((q, p: Row) =>
  q
    .insertInto('artifacts')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.columns(['kind', 'id_hash']).doUpdateSet(fromExcluded(REPLACED))),
)

const consumeArtifact = statement((q, p: Key & { at: number }) =>
  q
    .updateTable('artifacts')
    .set({ consumed_at: p.at })
    .where('kind', '=', p.kind)
    .where('id_hash', '=', p.idHash)
    .where('consumed_at', 'is', null),
)

const setSuccessor = statement((q, p: Key & { envelope: Uint8Array }) =>
  q
    .updateTable('artifacts')
    .set({ successor_envelope: p.envelope })
    .where('kind', '=', p.kind)
    .where('id_hash', '=', p.idHash),
)

const deleteArtifact = statement((q, p: Key) =>
  q.deleteFrom('artifacts').where('kind', '=', p.kind).where('id_hash', '=', p.idHash),
)

const deleteIssuedUnder = statement((q, p: { grantId: string }) =>
  q.deleteFrom('artifacts').where('grant_id', '=', p.grantId),
)

type Only = NonNullable<Parameters<Artifacts['deleteOfUser']>[1]>

function deletionOfUser(q: Builder, userId: string, { identityKey, clientId, kinds }: Only) {
  let query = q.deleteFrom('artifacts').where('user_id', '=', userId)
  if (clientId !== undefined) query = query.where('client_id', '=', clientId)
  if (kinds !== undefined) query = query.where('kind', 'in', orNone(kinds))
  if (identityKey === undefined) return query
  // Codes and tokens do not name the identity; the grant that they were issued under does.
  return query.where((eb) =>
    eb.or([
      eb('identity_key', '=', identityKey),
      eb('grant_id', 'in', (of) =>
        of
          .selectFrom('artifacts as grant')
          .select('grant.id_hash')
          .where('grant.user_id', '=', userId)
          .where('grant.kind', '=', 'Grant')
          .where('grant.identity_key', '=', identityKey),
      ),
    ]),
  )
}

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('artifacts').select(['kind', 'id_hash']).where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('artifacts')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('kind', 'id_hash'),
        'in',
        selectFrom('ended').select(['kind', 'id_hash']).$asTuple('kind', 'id_hash'),
      ),
    ),
)

type Row = Readonly<Pick<ArtifactsTable, (typeof COLUMNS)[number]>>

const artifactOf = (row: Row): Artifact => ({
  kind: row.kind,
  idHash: row.id_hash,
  uid: row.uid ?? undefined,
  grantId: row.grant_id ?? undefined,
  userId: row.user_id ?? undefined,
  clientId: row.client_id ?? undefined,
  payload: documentOf(row.payload),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  consumedAt: row.consumed_at ?? undefined,
  successorEnvelope: row.successor_envelope ?? undefined,
  identityKey: row.identity_key ?? undefined,
})

const rowOf = (artifact: Artifact): Row => ({
  kind: artifact.kind,
  id_hash: artifact.idHash,
  uid: artifact.uid ?? null,
  grant_id: artifact.grantId ?? null,
  user_id: artifact.userId ?? null,
  client_id: artifact.clientId ?? null,
  payload: JSON.stringify(artifact.payload),
  created_at: artifact.createdAt,
  expires_at: artifact.expiresAt,
  consumed_at: artifact.consumedAt ?? null,
  successor_envelope: artifact.successorEnvelope ?? null,
  identity_key: artifact.identityKey ?? null,
})

type RefreshRow = Pick<Row, 'client_id' | 'user_id' | 'grant_id' | 'payload' | 'expires_at' | 'consumed_at'> & {
  readonly grant_expires_at: number
  readonly blocked: number
}

function refreshSubjectOf(row: RefreshRow): RefreshSubject {
  const { scope } = documentOf(row.payload)
  return {
    clientId: row.client_id ?? '',
    userId: row.user_id ?? '',
    grantId: row.grant_id ?? '',
    scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ') : [],
    // A refresh token is worth nothing without its grant.
    expiresAt: Math.min(row.expires_at, row.grant_expires_at),
    consumedAt: row.consumed_at ?? undefined,
    userBlocked: row.blocked === 1,
  }
}
