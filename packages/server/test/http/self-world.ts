// Somebody on their own pages, and what the tests of these pages do again and again.
import type { JsonObject } from '../../src/lib/json.ts'
import { authorize, drive, expectStatus, mgmt, type SignedIn, signIn, userPath } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { PASSWORDS, type Person } from '../support/tenant.ts'

export const SESSION = '__Host-tenon_session'

export async function openSelfWorld(database: 'sqlite' | 'postgres', settings: JsonObject = {}) {
  const server = await startServer({ database, settings: { linking: { metadata: 'deep_merge' }, ...settings } })
  const api = await mgmt(server)
  let people = 0

  const at = (browser: Browser, page: string): Promise<Page> => browser.open(`${server.url}/account${page}`)

  /** Signed in by `calendar`, with an account at `others` of the same address. */
  async function somebody(name: string, ...others: string[]) {
    const person = server.person(name, ['calendar', ...others] as never)
    return { ...(await signIn(server, { connection: 'calendar' })), person, email: person.email }
  }

  async function withPassword(name: string): Promise<SignedIn & { readonly user: Person }> {
    const user = { email: `${name}-${++people}w@example.test`, password: `of ${name} ${Math.random()}` }
    expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: true, ...user }), 201)
    return { ...(await signIn(server, { user })), user }
  }

  async function addWay(browser: Browser, connection: string): Promise<Page> {
    await at(browser, '/connections')
    await browser.submit('link', { connection })
    return drive(browser)
  }

  const userOf = async (sub: string) => (await api.get(userPath(sub))).json
  const connectionsOf = async (sub: string): Promise<string[]> =>
    ((await userOf(sub)).identities ?? []).map(({ connection }: { connection: string }) => connection)

  const mailTo = (to: string, about: RegExp) =>
    eventually(`a mail to ${to} about ${about}`, () =>
      server.mails().findLast((mail) => mail.to === to && about.test(mail.subject)),
    )
  const codeTo = async (to: string) => /\b\d{6}\b/.exec((await mailTo(to, /code/)).text)?.[0] ?? ''

  /** Asks for another address, up to the page that takes the code. */
  async function askFor(browser: Browser, email: string): Promise<Page> {
    await at(browser, '')
    return browser.submit('change-address', { fields: { email } })
  }

  /** A new password by a mailed link. */
  async function resetPassword(email: string, password: string): Promise<void> {
    const browser = new Browser()
    await authorize(browser, server, { extra: { screen_hint: 'reset-password' } })
    await browser.submit('reset', { fields: { email } })
    await browser.open((await mailTo(email, /new password/)).links[0] ?? '')
    await browser.submit('reset', { fields: { password } })
  }

  return {
    server,
    api,
    at,
    somebody,
    withPassword,
    addWay,
    userOf,
    connectionsOf,
    mailTo,
    codeTo,
    askFor,
    resetPassword,
  }
}
