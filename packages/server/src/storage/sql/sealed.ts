// Envelopes of the keyring in whatever table they lie: seen from the rotation of its keys, they are all alike.
import { sql } from 'kysely'
import type { SealedRow } from '../records.ts'
import type { Sealed } from '../vault-repositories.ts'
import type { Db } from './db.ts'

type Kind = SealedRow['kind']

const PLACES: Readonly<Record<Kind, { readonly table: string; readonly id: string; readonly column: string }>> = {
  connection: { table: 'connections', id: 'id', column: 'secret_envelope' },
  'former-connection': { table: 'former_connections', id: 'id', column: 'secret_envelope' },
  transaction: { table: 'upstream_transactions', id: 'state_hash', column: 'verifier_envelope' },
  connect: { table: 'connect_requests', id: 'auth_session_hash', column: 'pending_envelope' },
  mail: { table: 'mails', id: 'id', column: 'envelope' },
  revocation: { table: 'revocations', id: 'id', column: 'envelope' },
  link: { table: 'link_snapshots', id: 'link_id', column: 'envelope' },
  webhook: { table: 'webhooks', id: 'id', column: 'envelope' },
  'second-factor': { table: 'second_factors', id: 'id', column: 'envelope' },
  'signing-key': { table: 'signing_keys', id: 'kid', column: 'envelope' },
}
// The keys of a record that names every kind.
const KINDS = Object.keys(PLACES) as readonly Kind[]

export const sealedTable = (db: Db): Sealed => ({
  async listOutside(header, limit) {
    const found: SealedRow[] = []
    for (const kind of KINDS) {
      if (found.length === limit) break
      const rows = await db.query(rowsOutside(db, kind, header).limit(limit - found.length))
      found.push(...rows.map(({ id, envelope }) => ({ kind, id, envelope })))
    }
    return found
  },
  async countOf(header) {
    let count = 0
    for (const kind of KINDS) {
      const [row] = await db.query(countUnder(db, kind, header))
      count += Number(row?.count ?? 0)
    }
    return count
  },
  async replace({ kind, id, envelope: expected }, envelope) {
    const place = PLACES[kind]
    const query = db.builder
      .updateTable(tableOf(kind))
      .set(sql.ref(place.column), sql`${envelope}`)
      .where(sql.ref(place.id), '=', id)
      .where(sql.ref(place.column), '=', expected)
    return (await db.changeQuery(query)) === 1
  },
})

function rowsOutside(db: Db, kind: Kind, header: Uint8Array) {
  const { id, column } = PLACES[kind]
  return db.builder
    .selectFrom(tableOf(kind))
    .select([sql.ref<string>(id).as('id'), sql.ref<Uint8Array>(column).as('envelope')])
    .where(beginning(column, header), '<>', header)
    .orderBy(sql.ref(id))
}

const countUnder = (db: Db, kind: Kind, header: Uint8Array) =>
  db.builder
    .selectFrom(tableOf(kind))
    .select((eb) => eb.fn.countAll().as('count'))
    .where(beginning(PLACES[kind].column, header), '=', header)

const beginning = (column: string, header: Uint8Array) =>
  sql<Uint8Array>`substr(${sql.ref(column)}, 1, ${sql.lit(header.length)})`

/** Typed as one of the tables; columns are named by `sql.ref` alone, which no table's type is asked about. */
const tableOf = (kind: Kind) => PLACES[kind].table as 'mails'
