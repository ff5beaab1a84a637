// An operator's browser, and what stands before it.
import assert from 'node:assert/strict'
import { issueConsoleLink } from '../../src/sessions/console-sessions.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { mgmt, signIn, userPath } from './actors.ts'
import { Browser } from './browser.ts'
import type { StartOptions, TestPerson, TestServer } from './server.ts'
import { PASSWORDS } from './tenant.ts'

/** Ada runs the deployment, by an address that is written otherwise than she proved it. */
export const OPERATED = { operators: ['ADA@Example.TEST'] } as const
export const CONSOLE = '__Host-tenon_console'

export const operated = (more: Record<string, string[] | Record<string, number>> = {}): StartOptions => ({
  settings: { ...OPERATED, ...more },
})

/** Ada, who signed in because the console asked her to. */
export async function operator(server: Pick<TestServer, 'url' | 'tenant'>, path = '/console'): Promise<Browser> {
  const { ada } = server.tenant
  const browser = new Browser()
  await browser.open(`${server.url}${path}`)
  assert.equal(browser.page.name, 'login')
  await browser.submit('login', { fields: { username: ada.email, password: ada.password } })
  return browser
}

/** The same person twice: by `calendar` and, kept apart, by `work`; the older user first. */
export async function twoUsers(
  server: TestServer,
  name: string,
): Promise<{ readonly person: TestPerson; readonly older: string; readonly newer: string }> {
  const person = server.person(name, ['calendar', 'work'])
  const older = await signIn(server, { connection: 'calendar' })
  const newer = await signIn(server, { connection: 'work' })
  assert.notEqual(older.sub, newer.sub)
  return { person, older: older.sub, newer: newer.sub }
}

export const mergeUrl = (server: TestServer, primary: string, secondary: string): string =>
  `${server.url}/console/merge?${new URLSearchParams({ primary, secondary })}`

export const userUrl = (server: TestServer, userId: string): string =>
  `${server.url}/console/users/${encodeURIComponent(userId)}`

export async function inDatabase<T>(
  server: Pick<TestServer, 'databaseUrl'>,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

/** What `tenon console link` prints, made `secondsAgo`. */
export async function consoleLink(server: TestServer, secondsAgo = 0): Promise<string> {
  const at = Math.floor(Date.now() / 1000) - secondsAgo
  const { ticket } = await inDatabase(server, (storage) => storage.transaction((tx) => issueConsoleLink(tx, at)))
  return `${server.issuer}console/enter?ticket=${ticket}`
}

/** Whoever entered by a link. */
export async function enteredByLink(server: TestServer): Promise<Browser> {
  const browser = new Browser()
  await browser.open(await consoleLink(server))
  await browser.submit('console-enter', { action: 'continue' })
  assert.equal(browser.page.name, 'console-home', browser.page.text)
  return browser
}

export async function identitiesOf(server: TestServer, userId: string): Promise<string[]> {
  const { json } = await (await mgmt(server)).get(userPath(userId))
  return (json.identities ?? []).map(({ connection }: { connection: string }) => connection)
}

export const byPassword = (server: TestServer) => signIn(server, { connection: PASSWORDS, user: server.tenant.eve })
