// All repositories over one Db. A repository is made when it is asked for: it costs less than keeping twenty of them
// for each transaction.
import type { Repositories } from '../storage.ts'
import type { Exchanges } from '../vault-repositories.ts'
import { accountsTable } from './accounts.ts'
import { agentStopsTable } from './agent-stops.ts'
import { apartTable } from './apart.ts'
import { artifactsTable } from './artifacts.ts'
import { clientGrantsTable } from './client-grants.ts'
import { clientsTable } from './clients.ts'
import { connectionsTable } from './connections.ts'
import { connectsTable } from './connects.ts'
import type { Db } from './db.ts'
import { eventsTable } from './events.ts'
import { evidenceTable } from './evidence.ts'
import { exchangeProfilesTable } from './exchange-profiles.ts'
import { exchangesTable } from './exchanges.ts'
import { identitiesTable } from './identities.ts'
import { limitsTable } from './limits.ts'
import { linksTable } from './links.ts'
import { mailsTable } from './mails.ts'
import { metaTable } from './meta.ts'
import { openCallsTable } from './open-calls.ts'
import { passkeysTable } from './passkeys.ts'
import { passwordsTable } from './passwords.ts'
import { proofsTable } from './proofs.ts'
import { replaysTable } from './replays.ts'
import { resourceServersTable } from './resource-servers.ts'
import { revocationsTable } from './revocations.ts'
import { sealedTable } from './sealed.ts'
import { secondFactorsTable } from './second-factors.ts'
import { endedSessionsTable, logoutNoticesTable } from './sign-outs.ts'
import { signUpsTable } from './sign-ups.ts'
import { signingKeysTable } from './signing-keys.ts'
import { transactionsTable } from './transactions.ts'
import { userKeysTable } from './user-keys.ts'
import { usersTable } from './users.ts'
import { webhooksTable } from './webhooks.ts'

export class SqlRepositories implements Repositories {
  readonly #db: Db
  #exchanges: Exchanges | undefined

  constructor(db: Db) {
    this.#db = db
  }

  get meta() {
    return metaTable(this.#db)
  }
  get clients() {
    return clientsTable(this.#db)
  }
  get connections() {
    return connectionsTable(this.#db)
  }
  get resourceServers() {
    return resourceServersTable(this.#db)
  }
  get clientGrants() {
    return clientGrantsTable(this.#db)
  }
  get users() {
    return usersTable(this.#db)
  }
  get identities() {
    return identitiesTable(this.#db)
  }
  get exchangeProfiles() {
    return exchangeProfilesTable(this.#db)
  }
  get links() {
    return linksTable(this.#db)
  }
  get passwords() {
    return passwordsTable(this.#db)
  }
  get secondFactors() {
    return secondFactorsTable(this.#db)
  }
  get passkeys() {
    return passkeysTable(this.#db)
  }
  get evidence() {
    return evidenceTable(this.#db)
  }
  get apart() {
    return apartTable(this.#db)
  }
  get artifacts() {
    return artifactsTable(this.#db)
  }
  get replays() {
    return replaysTable(this.#db)
  }
  get openCalls() {
    return openCallsTable(this.#db)
  }
  get transactions() {
    return transactionsTable(this.#db)
  }
  get connects() {
    return connectsTable(this.#db)
  }
  get accounts() {
    return accountsTable(this.#db)
  }
  get agentStops() {
    return agentStopsTable(this.#db)
  }
  get userKeys() {
    return userKeysTable(this.#db)
  }
  get signingKeys() {
    return signingKeysTable(this.#db)
  }
  get revocations() {
    return revocationsTable(this.#db)
  }
  get proofs() {
    return proofsTable(this.#db)
  }
  get mails() {
    return mailsTable(this.#db)
  }
  get endedSessions() {
    return endedSessionsTable(this.#db)
  }
  get logoutNotices() {
    return logoutNoticesTable(this.#db)
  }
  get signUps() {
    return signUpsTable(this.#db)
  }
  get webhooks() {
    return webhooksTable(this.#db)
  }
  get events() {
    return eventsTable(this.#db)
  }
  get limits() {
    return limitsTable(this.#db)
  }
  get sealed() {
    return sealedTable(this.#db)
  }
  /** Kept: it remembers rows that it parsed. */
  get exchanges() {
    this.#exchanges ??= exchangesTable(this.#db)
    return this.#exchanges
  }
}
