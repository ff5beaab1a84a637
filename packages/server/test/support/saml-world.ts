// A server with SAML connections, and the two halves of a sign-in there: up to the provider's answer, and after it.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type Provider, startOidcProvider } from '@tenon/sdk/testing'
import {
  type AuthorizeOptions,
  authorizeUrl,
  type Reachable,
  random,
  type SignedIn,
  signIn,
  silently,
} from './actors.ts'
import { Browser, type Page } from './browser.ts'
import { type SamlIdp, type SamlLies, startSamlIdp } from './saml-idp.ts'
import { type StartOptions, startServer, type TestServer } from './server.ts'
import { eventsOf, snapshot } from './state.ts'

const CLIENTS = ['web', 'spa']

export interface SamlWorld {
  readonly server: TestServer<{ calendar: Provider }>
  readonly corp: SamlIdp
  /** A provider of its own; connection `other`. */
  readonly other: SamlIdp
}

type ServerOptions = Omit<StartOptions<{ calendar: Provider }>, 'providers' | 'tenant'>

export async function startSamlWorld(
  connections: (idps: { corp: SamlIdp; other: SamlIdp }) => readonly object[] = () => [],
  options: ServerOptions = {},
): Promise<SamlWorld> {
  const [corp, other, calendar] = await Promise.all([
    startSamlIdp(),
    startSamlIdp(),
    startOidcProvider({
      name: 'calendar',
      connectionOptions: { trust_email: true, email_domains: ['example.test'] },
    }),
  ])
  for (const idp of [corp, other]) after(() => idp.stop())
  const all = [corp.connection('corp'), other.connection('other'), ...connections({ corp, other })]
  const server = await startServer({
    ...options,
    providers: { calendar },
    tenant: (file) => {
      file.connections.push(...all.map((connection) => ({ enabled_clients: CLIENTS, ...connection })))
    },
  })
  return { server, corp, other }
}

/** A browser that stands on the provider's page, its answer in the form. */
export interface AtProvider {
  readonly browser: Browser
  readonly fields: Readonly<Record<string, string>>
  readonly acs: string
  readonly page: Page
}

export async function goToProvider(
  server: Reachable,
  connection: string,
  how: AuthorizeOptions & { readonly browser?: Browser } = {},
): Promise<AtProvider> {
  const browser = how.browser ?? new Browser()
  const page = await browser.open(authorizeUrl(server, { connection, ...how }).url)
  return atProvider(browser, page)
}

export function atProvider(browser: Browser, page: Page): AtProvider {
  const form = page.forms.find(({ name }) => name === 'corp')
  assert.ok(form, `not at the provider but on ${page.name} ${page.url}: ${page.text.slice(0, 200)}`)
  return { browser, page, acs: form.action, fields: Object.fromEntries(form.fields) }
}

/** Posts an answer as the provider's page does, from its site. */
export const postAnswer = (
  { browser, page, acs }: Pick<AtProvider, 'browser' | 'page' | 'acs'>,
  fields: Readonly<Record<string, string | undefined>>,
): Promise<Page> => browser.post(acs, fields, { from: page.url })

/** A whole sign-in, its button included. */
export async function samlSignIn(
  { server }: Pick<SamlWorld, 'server'>,
  connection: string,
  how: AuthorizeOptions & { readonly browser?: Browser } = {},
): Promise<SignedIn> {
  const browser = how.browser ?? new Browser()
  const { fields, ...there } = await goToProvider(server, connection, { ...how, browser })
  const page = await postAnswer(there, fields)
  assert.ok(page.stopped && page.params.has('code'), `${page.name} ${page.error} ${page.url}`)
  // The session that it left signs in by itself.
  return signIn(server, { ...how, browser, connection })
}

export function assertRefused(page: Page, what: string): void {
  assert.equal(page.name, 'error', `${what}: ${page.url} ${page.text.slice(0, 100)}`)
  assert.ok(page.status >= 400 && page.status < 500, `${what}: status ${page.status}`)
}

/** Which check ended the last journey: code and detail, as the operator's log has them. */
export function lastReason({ logs }: Pick<TestServer, 'logs'>): string {
  const line = logs()
    .split('\n')
    .findLast((one) => one.includes('"a journey ended"'))
  const { code, cause } = JSON.parse(line ?? '{}')
  return cause === undefined ? code : [cause.code, cause.detail].filter(Boolean).join(' ')
}

export interface Lie {
  readonly lies: SamlLies
  /** Which check is to refuse it; a text in it suffices. */
  readonly by: string | RegExp
}

/** NSC for each: an error page, nobody signed in, nothing written, the refusal recorded, and by the check that is meant. */
export async function refusesAll(
  { server, corp }: SamlWorld,
  lies: Readonly<Record<string, Lie>>,
  connection = 'corp',
): Promise<void> {
  const before = await snapshot(server)
  const refusals = (await eventsOf(server, 'upstream.refused')).length
  for (const [what, lie] of Object.entries(lies)) {
    corp.lies = lie.lies
    const { fields, ...there } = await goToProvider(server, connection).finally(() => corp.reset())
    assertRefused(await postAnswer(there, fields), what)
    assert.match(lastReason(server), typeof lie.by === 'string' ? new RegExp(lie.by) : lie.by, what)
    assert.equal(await silently(there.browser, server), 'login_required', what)
  }
  assert.deepEqual(await snapshot(server), before)
  assert.equal((await eventsOf(server, 'upstream.refused')).length, refusals + Object.keys(lies).length)
}

export const randomId = (): string => `_${random()}`
