// The two ways through a transaction on PostgreSQL: statement by statement, and all in one go.
import type { PoolClient } from 'pg'
import { Db, type QueryResult } from './sql/db.ts'
import { SqlRepositories } from './sql/repositories.ts'
import type { BoundStatement, Statements } from './sql/statement.ts'
import type { Repositories } from './storage.ts'
import { TransactionEnded } from './transaction-errors.ts'

export type Work<T> = (tx: Repositories) => Promise<T>

/** Runs `work` on a client that is in no transaction. A throw may leave it in one that has failed. */
export type RunTransaction = <T>(client: PoolClient, statements: Statements, work: Work<T>) => Promise<T>

/** `begin` is sent and not waited for: the first statement follows it in the same packet. */
export const runInTurn: RunTransaction = async (client, statements, work) => {
  const begun = client.query('begin')
  // Heard by whoever awaits it; when the work throws first, that error is the one to tell.
  begun.catch(() => {})
  let ended = false
  const run = async (statement: BoundStatement) => {
    if (ended) throw new TransactionEnded()
    return resultOf(await client.query(queryOf(statement)))
  }
  try {
    const value = await work(repositories(statements, run))
    ended = true
    await begun
    requireCommitted(await client.query('commit'))
    return value
  } finally {
    ended = true
  }
}

interface Gathered {
  readonly statement: BoundStatement
  readonly resolve: (result: QueryResult) => void
  readonly reject: (error: unknown) => void
}

/** Gathers what `work` asks before it waits for an answer, and sends it with the commit; a single one needs none. */
export const runAtOnce: RunTransaction = async (client, statements, work) => {
  const gathered: Gathered[] = []
  let isSent = false
  const run = (statement: BoundStatement) => {
    if (isSent) throw new TransactionEnded()
    return new Promise<QueryResult>((resolve, reject) => gathered.push({ statement, resolve, reject }))
  }
  const done = work(repositories(statements, run))
  // What is refused before it is sent takes the others along.
  await Promise.race([done, asked()])
  isSent = true
  const asks = gathered.map(({ statement }) => queryOf(statement))
  const isAlone = asks.length === 1
  const answers = (isAlone ? asks : [BEGIN, ...asks, COMMIT]).map((query) => client.query(query))
  const all = Promise.all(answers)
  // Heard below: where the work fails as well, its own error says more.
  all.catch(() => {})
  gathered.forEach(({ resolve, reject }, index) => {
    answers[isAlone ? index : index + 1]?.then(resultOf).then(resolve, reject)
  })
  const value = await done
  // A statement whose failure the work hid undid the others.
  await all
  return value
}

const BEGIN = { text: 'begin' }
const COMMIT = { text: 'commit' }

/** Node turns to this once everything has run that waits for nothing outside. */
const asked = () => new Promise<void>((resolve) => process.nextTick(resolve))

const repositories = (statements: Statements, run: (statement: BoundStatement) => Promise<QueryResult>) =>
  new SqlRepositories(new Db({ statements, mayWrite: true, run }))

/** PostgreSQL answers ROLLBACK, and no error, when a statement of the transaction had failed. */
function requireCommitted({ command }: { readonly command: string }): void {
  if (command !== 'COMMIT') throw new Error('a statement of the transaction failed, and its work hid that')
}

export const queryOf = ({ text, values, name }: BoundStatement) => ({
  text,
  values: [...values],
  ...(name && { name }),
})

export const resultOf = ({ rows, rowCount }: { rows: unknown[]; rowCount: number | null }): QueryResult => ({
  rows,
  changes: rowCount ?? 0,
})
