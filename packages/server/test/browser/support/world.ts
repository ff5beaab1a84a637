// The stage of every browser test: a server, two providers that ask for consent, and a client on another origin.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type CalendarProvider, type CodeProvider, startCalendarProvider, startCodeProvider } from '@tenon/sdk/testing'
import type { Page } from 'playwright-core'
import { eventually } from '../../support/http.ts'
import type { ReceivedMail } from '../../support/outbox.ts'
import { startServer } from '../../support/server.ts'
import { PASSWORDS, type TenantDraft } from '../../support/tenant.ts'
import { type Arrived, ClientApp } from './client-app.ts'

export const PASSWORD = 'correct horse battery staple'
export const ADA = 'ada@example.test'

const OWN = { clientId: 'agent', clientSecret: 'agent-secret-agent-secret' }
const THEIRS = { clientId: 'theirs', clientSecret: 'theirs-secret-theirs-secret' }

export interface World {
  readonly tenon: { readonly issuer: string }
  readonly calendar: CalendarProvider
  readonly code: CodeProvider
  /** Made by the operator: asks for no consent. */
  readonly app: ClientApp
  /** Made by somebody else. */
  readonly theirs: ClientApp
  /** The newest mail to an address; waits for it. */
  mailTo(address: string): Promise<ReceivedMail>
}

export interface WorldOptions {
  readonly https?: boolean
  /** Changes the tenant file before the start. */
  readonly tenant?: (file: TenantDraft) => void
}

export async function startWorld(
  t: TestContext,
  { https = false, tenant: change = () => undefined }: WorldOptions = {},
): Promise<World> {
  const [calendar, code, app, theirs] = await Promise.all([
    startCalendarProvider({ name: 'calendar', interactive: true }),
    startCodeProvider({ name: 'code', interactive: true }),
    ClientApp.start(),
    ClientApp.start(),
  ])
  const tenant = tenantOf({ calendar, code, app, theirs })
  const server = await startServer({
    providers: { calendar, code },
    https,
    tenant: (file) => change(Object.assign(file, tenant)),
  })
  app.use(server.issuer, OWN)
  theirs.use(server.issuer, THEIRS)
  t.after(async () => {
    await Promise.all([app.stop(), theirs.stop()])
    await server.close()
    assert.deepEqual(server.logs().match(/^.*"level":"(?:error|fatal)".*$/gm), null)
  })
  const mailTo = (address: string) =>
    eventually(`a mail to ${address}`, () => server.mails().findLast(({ to }) => to === address))
  return { tenon: server, calendar, code, app, theirs, mailTo }
}

function tenantOf({ calendar, code, app, theirs }: Pick<World, 'calendar' | 'code' | 'app' | 'theirs'>): object {
  const enabled_clients = [OWN.clientId, THEIRS.clientId]
  return {
    resource_servers: [],
    clients: [app.registration(OWN), theirs.registration(THEIRS, { name: 'Meeting helper', is_first_party: false })],
    client_grants: [ClientApp.clientGrant(OWN)],
    connections: [
      calendar.connection({ display_name: 'Calendar', enabled_clients }),
      code.connection({
        display_name: 'Code',
        enabled_clients,
        authentication: { active: false },
        connected_accounts: { active: true },
      }),
      { name: PASSWORDS, strategy: 'auth0', enabled_clients },
    ],
    users: [{ connection: PASSWORDS, email: ADA, email_verified: true, password: PASSWORD }],
  }
}

/** What a client's page shows that it got. */
export async function arrived(page: Page): Promise<Arrived> {
  await page.locator('body[data-page="client"]').waitFor()
  return JSON.parse((await page.locator('pre').textContent()) ?? '') as Arrived
}

/** Signs in on the page that stands there. */
export async function signInByPassword(page: Page, password = PASSWORD, address = ADA): Promise<void> {
  await page.locator('form[data-form=login] [name=username]').fill(address)
  await page.locator('form[data-form=login] [name=password]').fill(password)
  await page.locator('form[data-form=login] button').first().click()
}

/** The claims of a token that the client itself got from the token endpoint. */
export function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  const [, payload = ''] = String(token).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>
}
