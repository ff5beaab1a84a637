// What an exchange is decided on, as it is committed now, so that whatever is stopped anywhere is stopped here, without a
// cache that would have to be told.
import { isString } from '../../lib/json.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts, ExchangeQuery, ExchangeSubject } from '../records.ts'
import type { VersionedExchanges } from '../remembered-user-facts.ts'
import type { Exchanges } from '../vault-repositories.ts'
import { type StoredRow, storedOf } from './account-rows.ts'
import { type Db, isStorable } from './db.ts'
import {
  ASKED_COLUMNS,
  type Asked,
  askedOf,
  findFacts,
  findManyFacts,
  findVersions,
  type FactsRow as Row,
  type VersionedFactsRow as VersionedRow,
} from './exchange-statement.ts'
import { columnsOf } from './given.ts'
import { documentOf } from './rows.ts'
import { together } from './together.ts'

export function exchangesTable(db: Db): Exchanges {
  const ask = db.dialect === 'sqlite' ? (asked: Asked) => db.all(findFacts, { ...asked }) : together(askMany(db))
  const read = factsReader()
  return {
    async find(query) {
      const asked = askedOf(query)
      return isAskable(asked) ? read(query, await ask(asked)) : NOTHING
    },
  }
}

/** Facts with the version that they are of (PostgreSQL). */
export function versionedExchangesTable(db: Db): VersionedExchanges {
  const ask = together(askMany(db))
  const read = factsReader()
  return {
    async find(query) {
      const asked = askedOf(query)
      if (!isAskable(asked)) return { facts: NOTHING, version: undefined }
      const rows = await ask(asked)
      return { facts: read(query, rows), version: rows[0]?.version ?? undefined }
    },
    versionOf: together(async (userIds) => {
      const versions: (string | undefined)[] = userIds.map(() => undefined)
      for (const { turn, version } of await db.all(findVersions, { user_id: userIds }))
        versions[turn - 1] = version ?? undefined
      return versions
    }),
  }
}

/** A text that cannot be stored is nowhere; it must not spoil the questions of others. */
const isAskable = (asked: Asked): boolean => Object.values(asked).every(isStorable)

/** Makes facts of the rows that answer a question. A record stays the same object for as long as its row is the same. */
function factsReader(): (query: ExchangeQuery, rows: readonly Row[]) => ExchangeFacts {
  const clients = new RowCache<ClientRecord>()
  const connections = new RowCache<ConnectionRecord>()
  return ({ subject }, rows) => {
    const [row] = rows
    if (row === undefined) return NOTHING
    return {
      client: clientOf(row, clients),
      connection: connectionOf(row, connections),
      enabled: row.enabled !== null,
      stopped: row.caller_stopped_at !== null || row.holder_stopped_at !== null,
      subject: subject.kind === 'user' ? namedSubjectOf(row) : subjectOf(row),
      accounts: rows.filter(hasAccount).map(storedOf),
    }
  }
}

const NOTHING: ExchangeFacts = {
  client: undefined,
  connection: undefined,
  enabled: false,
  stopped: false,
  subject: undefined,
  accounts: [],
}

/** Many questions in one statement, for a database that is a round trip away. */
const askMany =
  (db: Db) =>
  async (asked: readonly Asked[]): Promise<readonly (readonly VersionedRow[])[]> => {
    const answers = asked.map((): VersionedRow[] => [])
    for (const row of await db.all(findManyFacts, { ...columnsOf(ASKED_COLUMNS, asked) }))
      answers[row.turn - 1]?.push(row)
    return answers
  }

/** The account's columns are not null in a row that has one. */
const hasAccount = (row: Row): row is Row & StoredRow => row.id !== null

function clientOf(row: Row, cache: RowCache<ClientRecord>): ClientRecord | undefined {
  const { caller_id: clientId, client_document: text, client_created_at: createdAt, client_updated_at: updatedAt } = row
  if (clientId === null || text === null || createdAt === null || updatedAt === null) return undefined
  const secretHash = row.secret_hash ?? undefined
  const known = cache.find(clientId, text)
  if (known?.secretHash === secretHash && known?.updatedAt === updatedAt) return known
  return cache.keep(clientId, text, { clientId, secretHash, document: documentOf(text), createdAt, updatedAt })
}

function connectionOf(row: Row, cache: RowCache<ConnectionRecord>): ConnectionRecord | undefined {
  const { target_id: id, name, strategy, target_document: text } = row
  const { target_created_at: createdAt, target_updated_at: updatedAt } = row
  if (id === null || name === null || strategy === null) return undefined
  if (text === null || createdAt === null || updatedAt === null) return undefined
  const secretEnvelope = row.secret_envelope ?? undefined
  const known = cache.find(id, text)
  const sameHead = known?.name === name && known.strategy === strategy && known.updatedAt === updatedAt
  if (known && sameHead && sameBytes(known.secretEnvelope, secretEnvelope)) return known
  return cache.keep(id, text, { id, name, strategy, document: documentOf(text), secretEnvelope, createdAt, updatedAt })
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

function subjectOf(row: Row): ExchangeSubject | undefined {
  const { issued_to: clientId, subject_user_id: userId, payload, blocked } = row
  const { token_expires_at: tokenEnd, grant_expires_at: grantEnd } = row
  if (clientId === null || userId === null || payload === null) return undefined
  if (tokenEnd === null || grantEnd === null || blocked === null) return undefined
  const { jkt } = payload.includes('"jkt"') ? documentOf(payload) : {}
  return {
    clientId,
    userId,
    expiresAt: Math.min(tokenEnd, grantEnd),
    consumedAt: row.consumed_at ?? undefined,
    userBlocked: blocked !== 0,
    jkt: isString(jkt) ? jkt : undefined,
  }
}

function namedSubjectOf({ caller_id: clientId, person_id: userId, blocked }: Row): ExchangeSubject | undefined {
  if (clientId === null || userId === null || blocked === null) return undefined
  const rest = { expiresAt: Number.MAX_SAFE_INTEGER, consumedAt: undefined, jkt: undefined }
  return { clientId, userId, userBlocked: blocked !== 0, ...rest }
}

const MAX_KEPT = 1000

/** Spares parsing a row that is still the same, and lets others know it again by identity. */
class RowCache<T> {
  readonly #kept = new Map<string, { readonly document: string; readonly value: T }>()

  /** What was kept for this key and document; the row's other columns are the caller's to compare. */
  find(key: string, document: string): T | undefined {
    const known = this.#kept.get(key)
    return known?.document === document ? known.value : undefined
  }

  keep(key: string, document: string, value: T): T {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(key, { document, value })
    return value
  }
}
