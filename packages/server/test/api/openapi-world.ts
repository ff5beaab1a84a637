// A small world for requests made out of the OpenAPI document: at least one thing of each kind, made again when a request
// took it away; and what the whole database holds, as one text.
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import { ensureSigningKeys } from '../../src/oauth/signing-keys.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { ISSUER, TENANT, type World } from '../api/world.ts'
import { newKey } from '../support/keys.ts'
import type { Seeds } from './schema-arbitrary.ts'

const PUBLIC_KEY = newKey('RS256').publicPem

let counter = 0

export interface Seeded {
  /** Values for a member or parameter of that name. */
  readonly seeds: Seeds
  /** Values for a part of the path that begins there: `/users/{id}` are users. */
  readonly idsUnder: (path: string) => readonly string[]
  /** Somebody whose own token can be used. */
  readonly userId: string
}

/** Makes what is missing. Whoever asks, `m2m`, is always there. */
export async function seed(w: World): Promise<Seeded> {
  const { storage, clock } = w
  await applyTenant(w.tenantDeps, parseTenantFile(TENANT, ISSUER))
  await ensureSigningKeys({ storage, keyring: w.keyring, clock })
  const name = `seed${counter++}`
  const one = await w.person(name)
  const other = await w.person(`${name}b`, { connection: 'code' })
  const account = await w.account(one.userId, 'acme', `${name}-files`)
  const artifacts = await issue(w, name, one.userId)
  const records = await Promise.all(['acme', 'files'].map((connection) => w.connection(connection)))
  const created = await w.management(w.machineToken(), 'POST', '/clients/web/credentials', {
    credential_type: 'public_key',
    pem: PUBLIC_KEY,
  })
  const credentials: string[] =
    created.status === 201 ? [created.json.id] : await listedIds(w, '/clients/web/credentials')
  const grants = await listedIds(w, '/client-grants')
  const servers = await listedIds(w, '/resource-servers')
  const logs = (await w.management(w.machineToken(), 'GET', '/logs?per_page=2')).json.map(
    (entry: { log_id: string }) => entry.log_id,
  )
  const keys = (await storage.signingKeys.list()).map(({ kid }) => kid)
  const users = [one.userId, other.userId, one.userId, other.userId, 'auth0|nobody']
  const [primary, secondary] = [await w.person(`${name}c`), await w.person(`${name}d`)]
  const link = await w.management(w.machineToken(), 'POST', '/links', {
    primary_user_id: primary.userId,
    secondary_user_id: secondary.userId,
  })
  const clients = ['web', 'spa', 'theirs']
  const connections = records.map(({ id }) => id)
  const named: Readonly<Record<string, readonly string[]>> = {
    user_id: [...users, `acme|${name}`],
    primary_user_id: users,
    secondary_user_id: users,
    client_id: clients,
    clientID: clients,
    enabled_clients: clients,
    connection: ['acme', 'Username-Password-Authentication', 'Username-Password-Authentication'],
    connection_id: connections,
    audience: [`${ISSUER}api/v2/`, `${ISSUER}me/`],
    identifier: [`https://api-${name}.test/`],
    provider: ['oidc', 'github', 'auth0'],
    email: [`${name}@example.test`, `new-${name}@example.test`],
    password: ['correct horse battery staple 9'],
    name: [`new-${name}`],
    strategy: ['oidc', 'github', 'auth0'],
    redirect_uri: ['https://app.test/cb'],
    credential_id: credentials,
    pem: [PUBLIC_KEY],
    ids: [artifacts.token],
    kid: keys,
    q: ['email:*@example.test', 'name:seed* AND NOT blocked:true', 'user_id:"x"', 'type:sapi', 'name:('],
    sort: ['created_at:1', 'date:-1', 'email:-1'],
    fields: ['user_id,email', 'name', 'client_id'],
    from: logs,
  }
  const byPath: readonly (readonly [prefix: string, ids: readonly string[]])[] = [
    ['/api/v2/users/', users],
    ['/api/v2/clients/', clients],
    ['/api/v2/connections/', connections],
    ['/api/v2/client-grants/', grants],
    ['/api/v2/resource-servers/', servers],
    ['/api/v2/sessions/', [artifacts.session]],
    ['/api/v2/refresh-tokens/', [artifacts.token]],
    ['/api/v2/device-credentials/', [artifacts.token]],
    ['/api/v2/grants/', [artifacts.grant]],
    ['/api/v2/logs/', logs],
    ['/api/v2/links/', [link.json.id]],
    ['/me/v1/connected-accounts/accounts/', [account.id]],
    ['/me/v1/authentication-methods/', ['totp|nobody']],
  ]
  return {
    seeds: (member) => (Object.hasOwn(named, member) ? (named[member] ?? []) : []),
    idsUnder: (path) => byPath.find(([prefix]) => path.startsWith(prefix))?.[1] ?? [],
    userId: one.userId,
  }
}

async function listedIds(w: World, route: string): Promise<string[]> {
  const { json } = await w.management(w.machineToken(), 'GET', route)
  return json.slice(0, 3).map((one: { id: string }) => one.id)
}

async function issue(w: World, name: string, userId: string) {
  const [session, token, grant] = [`session-${name}`, `token-${name}`, `grant-${name}`]
  const common = {
    userId,
    clientId: 'web',
    createdAt: w.clock(),
    expiresAt: w.clock() + 10_000,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }
  await w.storage.transaction(async (tx) => {
    await tx.artifacts.put({
      ...common,
      kind: 'Session',
      idHash: session,
      uid: session,
      grantId: undefined,
      payload: { amr: ['pwd'] },
    })
    await tx.artifacts.put({
      ...common,
      kind: 'Grant',
      idHash: grant,
      uid: undefined,
      grantId: grant,
      payload: { openid: { scope: 'openid' }, resources: { 'https://api.test/': 'read:x' } },
    })
    const payload = { scope: 'openid', resource: 'https://api.test/', sessionUid: session }
    await tx.artifacts.put({ ...common, kind: 'RefreshToken', idHash: token, uid: undefined, grantId: grant, payload })
  })
  return { session, token, grant }
}

export interface Fingerprint {
  /** The same text as long as no row of any table changes. */
  read(): Promise<string>
  close(): Promise<void>
}

export async function fingerprintOf(databaseUrl: string): Promise<Fingerprint> {
  if (databaseUrl.startsWith('sqlite:')) return sqliteFingerprint(databaseUrl.slice('sqlite:'.length))
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const tables = await client.query("select table_name from information_schema.tables where table_schema = 'public'")
  // Whoever writes a row leaves the number of the transaction in it.
  const rows = tables.rows.map(
    ({ table_name: name }) => `select '${name}', count(*), sum(xmin::text::bigint) from ${name}`,
  )
  return {
    read: async () => JSON.stringify((await client.query(rows.join(' union all '))).rows),
    close: () => client.end(),
  }
}

/** A number that rises with every commit of others that changed something: no row needs to be read. */
function sqliteFingerprint(path: string): Fingerprint {
  const file = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  const version = file.prepare('pragma data_version')
  return {
    read: async () => JSON.stringify(version.get()),
    close: async () => file.close(),
  }
}
