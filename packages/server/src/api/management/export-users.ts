// Every user, as an export of Auth0 shows one; what `tenon import auth0` takes back.
import { exportHash } from '../../crypto/exported-hash.ts'
import { PASSWORD_STRATEGY } from '../../domain/connection.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Repositories } from '../../storage/storage.ts'
import { viewUsers } from './user-view.ts'

export interface ExportOptions {
  /** Hashes can be tried against: whoever has them has the weak passwords. */
  readonly dangerouslyWithPasswords?: boolean
  /** Only users with an identity of this connection. */
  readonly connection?: string | undefined
}

const BATCH = 200

/** In the order of their ids, some at a time; users who come meanwhile may be missed. */
export async function* exportUsers(
  storage: Repositories,
  { dangerouslyWithPasswords = false, connection }: ExportOptions = {},
): AsyncGenerator<JsonObject> {
  let after = ''
  for (;;) {
    const users = await storage.users.listAfter(after, BATCH)
    const views = await viewUsers(storage, users)
    for (const view of views) {
      if (connection !== undefined && !hasConnection(view, connection)) continue
      const hash = dangerouslyWithPasswords ? await hashOf(storage, view) : undefined
      yield hash === undefined ? view : { ...view, custom_password_hash: hash }
    }
    const last = users.at(-1)
    if (last === undefined || users.length < BATCH) return
    after = last.userId
  }
}

type View = {
  readonly identities?: readonly { readonly connection: string; readonly provider: string; readonly user_id: string }[]
}

const identitiesOf = (view: JsonObject) =>
  // As `serializeIdentities` writes them.
  (view as unknown as View).identities ?? []

const hasConnection = (view: JsonObject, name: string): boolean =>
  identitiesOf(view).some(({ connection }) => connection === name)

async function hashOf(storage: Repositories, view: JsonObject): Promise<JsonObject | undefined> {
  const own = identitiesOf(view).find(({ provider }) => provider === PASSWORD_STRATEGY)
  const connection = own && (await storage.connections.findByName(own.connection))
  const password = own && connection && (await storage.passwords.find(connection.id, own.user_id))
  return password && exportHash(password.hash)
}
