// One suite for every database: what each repository promises, and who wins the races.
import { after, before, describe } from 'node:test'
import type { Storage } from '../../src/storage/storage.ts'
import { accountTests } from './suite/accounts.ts'
import { deploymentTests } from './suite/deployment.ts'
import { exchangeTests } from './suite/exchanges.ts'
import { factorTests } from './suite/factors.ts'
import { linkTests } from './suite/links.ts'
import { peopleTests } from './suite/people.ts'
import { protocolTests } from './suite/protocol.ts'
import { queueTests } from './suite/queues.ts'
import { raceTests } from './suite/races.ts'
import { transactionTests } from './suite/transactions.ts'
import { webhookTests } from './suite/webhooks.ts'

export interface TestDatabase {
  /** Opens it once more, as another node of the deployment does. */
  open(): Promise<Storage>
  /** Called after everything that was opened is closed. */
  remove(): Promise<void>
}

/** What the topics of the suite test: two nodes over one database. */
export interface Nodes {
  readonly storage: Storage
  readonly other: Storage
}

export type Topic = (nodes: () => Nodes) => void

const topics: readonly Topic[] = [
  deploymentTests,
  peopleTests,
  linkTests,
  protocolTests,
  accountTests,
  exchangeTests,
  queueTests,
  factorTests,
  webhookTests,
  transactionTests,
  raceTests,
]

export function conformance(name: string, create: () => Promise<TestDatabase>): void {
  describe(name, () => {
    let database: TestDatabase
    let nodes: Nodes
    before(async () => {
      database = await create()
      nodes = { storage: await database.open(), other: await database.open() }
    })
    after(async () => {
      await nodes?.storage.close()
      await nodes?.other.close()
      await database?.remove()
    })
    for (const topic of topics) topic(() => nodes)
  })
}
