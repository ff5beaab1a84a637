// What an agent's question and a token of elsewhere need besides the SDK: a person who answers, a profile of the operator's.
import { signJwt } from '@tenon/sdk/testing'
import { expectStatus, mgmt } from '../../../packages/server/test/support/actors.ts'
import { withApprovals } from '../../../packages/server/test/support/approvals.ts'
import type { Browser } from '../../../packages/server/test/support/browser.ts'
import { TOKEN_EXCHANGE } from '../../../packages/server/test/support/delegation.ts'
import { eventually } from '../../../packages/server/test/support/http.ts'
import type { TenantDraft } from '../../../packages/server/test/support/tenant.ts'
import type { World } from './world.ts'

const OF_AUTH0 = ['password-realm', 'mfa-otp', 'mfa-recovery-code'].map(
  (name) => `http://auth0.com/oauth/grant-type/${name}`,
)

/** `web` may exchange tokens by a profile, take passwords and ask for approvals; `tv` is a device. */
export function withGrants(file: TenantDraft): void {
  withApprovals(file)
  for (const client of file.clients)
    if (client.client_id === 'web')
      client.grant_types = [...(client.grant_types as string[]), TOKEN_EXCHANGE, 'password', ...OF_AUTH0]
}

/** Says yes on the page that the newest mail to an address leads to; waits for the mail. */
export async function approveByMail(world: World, browser: Browser, address: string): Promise<void> {
  const link = await eventually(`a question to ${address}`, () =>
    world
      .mails()
      .filter(({ to }) => to === address)
      .flatMap(({ links }) => links)
      .findLast((one) => one.includes('/approve')),
  )
  await browser.open(link)
  await browser.submit('approve', { action: 'allow' })
}

export const CALENDAR_TOKEN = 'https://acme.test/calendar-id-token'

/** Ours are given for ID tokens of `calendar` from now on. */
export async function makeProfile(world: World): Promise<void> {
  const api = await mgmt(world)
  const [{ id }] = expectStatus(await api.get('/connections?name=calendar'), 200).json
  const profile = { name: 'Calendar', subject_token_type: CALENDAR_TOKEN, type: 'custom_authentication', action_id: id }
  expectStatus(await api.post('/token-exchange-profiles', profile), 201)
}

/** An ID token of `calendar` for one of its people. */
export function calendarToken({ providers: { calendar } }: World, subject: string): string {
  if (calendar.keys === undefined) throw new Error('a provider without keys')
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: calendar.issuer, aud: calendar.clientId, sub: subject, iat: now, exp: now + 3600 }
  return signJwt(claims, calendar.keys.current, {})
}
