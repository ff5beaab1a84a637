// What an exchange is decided on, as it is committed now, so that whatever is stopped anywhere is stopped here, without a
// cache that would have to be told.
import { setImmediate as nextTick } from 'node:timers/promises'
import { isString } from '../../lib/json.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts, ExchangeSubject } from '../records.ts'
import type { Exchanges } from '../vault-repositories.ts'
import { type StoredRow, storedOf } from './account-rows.ts'
import { type Db, isStorable } from './db.ts'
import {
  ASKED_COLUMNS,
  type Asked,
  askedOf,
  findFacts,
  findManyFacts,
  type FactsRow as Row,
} from './exchange-statement.ts'
import { columnsOf } from './given.ts'
import { documentOf } from './rows.ts'

export function exchangesTable(db: Db): Exchanges {
  const clients = new RowCache<ClientRecord>()
  const connections = new RowCache<ConnectionRecord>()
  // A statement costs next to nothing in SQLite and a round trip in PostgreSQL.
  const rowsFor = db.dialect === 'sqlite' ? (asked: Asked) => db.all(findFacts, { ...asked }) : askTogether(db)
  return {
    async find(query) {
      const asked = askedOf(query)
      // A text that cannot be stored is nowhere; it must not spoil the questions of others.
      if (!Object.values(asked).every(isStorable)) return NOTHING
      const rows = await rowsFor(asked)
      const [row] = rows
      if (row === undefined) return NOTHING
      return {
        client: clientOf(row, clients),
        connection: connectionOf(row, connections),
        enabled: row.enabled !== null,
        stopped: row.caller_stopped_at !== null || row.holder_stopped_at !== null,
        subject: query.subject.kind === 'user' ? namedSubjectOf(row) : subjectOf(row),
        accounts: rows.filter(hasAccount).map(storedOf),
      }
    },
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

interface Question {
  readonly asked: Asked
  readonly answer: (rows: readonly Row[]) => void
  readonly fail: (error: unknown) => void
}

/** Questions that come while others wait for their answer are sent together next: the busier, the more share a statement. */
function askTogether(db: Db): (asked: Asked) => Promise<readonly Row[]> {
  const waiting: Question[] = []
  let asking = false
  /** Never rejects: each question hears of its own end. */
  const askAll = async () => {
    while (waiting.length > 0) {
      // Requests that arrived in the same turn of the event loop come along.
      await nextTick()
      await askMany(db, waiting.splice(0))
    }
    asking = false
  }
  return (asked) =>
    new Promise((answer, fail) => {
      waiting.push({ asked, answer, fail })
      if (asking) return
      asking = true
      void askAll()
    })
}

async function askMany(db: Db, questions: readonly Question[]): Promise<void> {
  const answers: Row[][] = questions.map(() => [])
  try {
    const asked = questions.map((one) => one.asked)
    for (const row of await db.all(findManyFacts, { ...columnsOf(ASKED_COLUMNS, asked) }))
      answers[row.turn - 1]?.push(row)
  } catch (error) {
    for (const { fail } of questions) fail(error)
    return
  }
  questions.forEach(({ answer }, index) => {
    answer(answers[index] ?? [])
  })
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
