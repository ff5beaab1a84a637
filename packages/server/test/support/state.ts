// What must not have changed, and who must be dead: the assertions that the attacks share.
import assert from 'node:assert/strict'
import type { Provider } from '@tenon/sdk/testing'
import { openStorage } from '../../src/storage/open.ts'
import { exchange, me, mgmt, type Reachable, refresh, type SignedIn, silently, userPath } from './actors.ts'
import type { Answer } from './http.ts'
import { request } from './http.ts'
import { query } from './rows.ts'
import type { TestServer } from './server.ts'

type AnyServer = Pick<TestServer<Record<string, Provider>>, 'url' | 'issuer' | 'tenant' | 'providers' | 'databaseUrl'>

/** Times and counters that move by themselves. */
const MOVES = new Set(['updated_at', 'last_login', 'last_ip', 'logins_count', 'last_password_reset'])

/** Users with identities, metadata and connected accounts, as the Management API shows them. */
export async function snapshot(server: Reachable): Promise<unknown> {
  const api = await mgmt(server)
  const users = []
  for (let page = 0; ; page++) {
    const { json } = await api.get(`/users?per_page=100&page=${page}&include_totals=true`)
    users.push(...json.users)
    if (json.users.length < 100) break
  }
  const rows = users.map(async (user) => {
    const { json } = await api.get(`${userPath(user.user_id)}/connected-accounts`)
    const still = Object.entries(user).filter(([name]) => !MOVES.has(name))
    const accounts = json.connected_accounts.map(({ id, connection, scopes }: Record<string, unknown>) => ({
      id,
      connection,
      scopes,
    }))
    return [user.user_id, { ...Object.fromEntries(still), accounts }] as const
  })
  return Object.fromEntries((await Promise.all(rows)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Every envelope in the vault: whose it is, and which one of how many. */
const vaultRows = ({ databaseUrl }: AnyServer) =>
  query(databaseUrl, 'select id, user_id, generation from accounts order by id', [])

/** How many token requests each provider got so far. */
export const tokenCalls = ({ providers }: AnyServer): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(providers).map(([name, provider]) => [name, provider.calls('token').length]))

/** NSC: runs an attack after which no user, identity, account or envelope differs and no provider was asked for a token. */
export async function changesNothing<T>(server: AnyServer, attack: () => Promise<T>): Promise<T> {
  const look = async () => ({
    state: await snapshot(server),
    vault: await vaultRows(server),
    calls: tokenCalls(server),
  })
  const before = await look()
  const result = await attack()
  assert.deepEqual(await look(), before)
  return result
}

/** UNIFORM: two answers that tell an attacker nothing apart. */
export function assertUniform(one: Answer, other: Answer): void {
  const shape = ({ status, headers, text }: Answer) => ({
    status,
    headers: Object.keys(headers).sort(),
    text: text.replaceAll(/req_\w+/g, 'req'),
  })
  assert.deepEqual(shape(one), shape(other))
}

/** ONE-WINNER: one success among copies of a single-use request, the others refused, none broken. */
export function oneWinner(answers: readonly Answer[]): Answer {
  const won = answers.filter(({ status }) => status >= 200 && status < 300)
  const statuses = answers.map(({ status }) => status)
  assert.equal(won.length, 1, `statuses ${statuses}`)
  assert.ok(
    answers.every((answer) => answer === won[0] || (answer.status >= 400 && answer.status < 500)),
    `statuses ${statuses}`,
  )
  return won[0] as Answer
}

/** Where a sign-in's tokens and cookie are still heard: empty when it is DEAD. */
export async function openDoors(
  server: Reachable,
  who: SignedIn,
  { connection, meToken, url = server.url }: { connection?: string; meToken?: string; url?: string } = {},
): Promise<readonly string[]> {
  const doors: string[] = []
  const bearer = { headers: { authorization: `Bearer ${who.accessToken}` } }
  if ((await request(`${url}/userinfo`, bearer)).status === 200) doors.push('userinfo')
  if ((await request(`${url}/api/v2${userPath(who.sub)}`, bearer)).status === 200) doors.push('management')
  if (meToken !== undefined && (await me({ url }, meToken).get('/connected-accounts/accounts')).status === 200)
    doors.push('my account')
  if (connection !== undefined) {
    const subjectToken = who.refreshToken
    const answer = await exchange(server, { client: who.client, connection, subjectToken, url })
    if (answer.status === 200) doors.push('exchange')
  }
  if (who.refreshToken !== undefined && (await refresh(server, who.client, who.refreshToken, {}, url)).status === 200)
    doors.push('refresh')
  const silent = await silently(who.browser, server, { client: who.client })
  if (silent !== 'login_required') doors.push(`session (${silent})`)
  return doors
}

/** Events of the audit log of this type, oldest first. */
export async function eventsOf(server: AnyServer, type: string) {
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    return await storage.events.list({ types: [type], limit: 1000 })
  } finally {
    await storage.close()
  }
}
