// A day in the life of a server, and then a search for every secret that passed by: none lies anywhere (T-VAULT-03,
// T-OPS-01).
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Provider, startGithubProvider, startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  authorizeUrl,
  codeOf,
  completeConnect,
  drive,
  exchange,
  expectStatus,
  me,
  mgmt,
  pkce,
  redeem,
  refresh,
  startConnect,
  tokenRequest,
} from './support/actors.ts'
import { Browser } from './support/browser.ts'
import { Canaries, filesOf, type Place, text } from './support/canaries.ts'
import { type Deployment, startDeployment } from './support/deployment.ts'
import { type Answer, eventually, request } from './support/http.ts'
import { readOutbox } from './support/outbox.ts'
import { API, LOGGED_OUT, type Person } from './support/tenant.ts'

const users = { ada: { email: 'ada.upstream@example.test' } }
const providers = {
  calendar: await startOidcProvider({ name: 'calendar', rotation: 'rotating', refresh: 'always', users }),
  code: await startGithubProvider({ name: 'code', users, expiring: true }),
  files: await startOAuth2Provider({ name: 'files', users }),
}
const deployment = await startDeployment({ providers: Object.values(providers) })
after(async () => {
  await deployment.close()
  for (const provider of Object.values(providers)) await provider.stop()
})
const canaries = new Canaries()
/** Whole answers that somebody else than the owner of the secrets got. */
const seenByOthers: Place[] = []
const { ada, eve } = deployment.tenant
const newPassword = `a new one ${randomBytes(12).toString('base64url')}`
const newcomer: Person = {
  email: 'newcomer@example.test',
  password: `newcomer ${randomBytes(12).toString('base64url')}`,
}

/** A sign-in whose every secret is collected. */
async function comesIn(browser: Browser, how: Parameters<typeof authorize>[2] = {}) {
  const flow = await authorize(browser, deployment, how)
  canaries.add('code', codeOf(flow))
  canaries.add('verifier', flow.verifier)
  const { json } = expectStatus(await redeem(deployment, flow), 200)
  keepTokens(json)
  return json as { access_token: string; refresh_token: string; id_token: string }
}

function keepTokens({ access_token, refresh_token, id_token }: Record<string, string>): void {
  canaries.add('access token', access_token)
  canaries.add('refresh token', refresh_token)
  canaries.add('id token', id_token)
}

function keepCookies(browser: Browser): void {
  for (const { name, value } of browser.seen.flatMap(({ setCookies }) => setCookies.map(pairOf)))
    if (value.length >= 12) canaries.add(`cookie ${name}`, value)
}

const pairOf = (line: string) => {
  const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
  return { name, value }
}

test('no secret that passed by lies in logs, data folder or mails, nor in an answer to somebody else', async () => {
  const browser = new Browser()
  await workWithProviders(browser)
  await resetPassword(browser)
  await signUp()
  await manage()
  await fail()
  await logOut(browser)
  keepCookies(browser)
  await asSomebodyElse()
  keepGiven()
  const codes = await mailedSecrets()
  assert.ok(canaries.size > 60, `${canaries.size} secrets`)

  const running = placesOf(deployment)
  assert.ok(running.some(({ name, bytes }) => name === 'tenon.db-wal' && bytes.length > 0))
  assert.deepEqual(canaries.search([...running, ...seenByOthers]), [])
  const mails = readOutbox(join(deployment.dataDir, 'outbox')).map(({ to, subject, text: words }) =>
    text(`mail to ${to}`, `${subject}\n${words}`),
  )
  assert.ok(mails.length >= 3)
  assert.deepEqual(canaries.search(mails, ['reset ticket']), [])
  await deployment.stop()
  const stopped = placesOf(deployment)
  assert.deepEqual(canaries.search(stopped), [])
  for (const { name, bytes } of stopped)
    for (const code of codes)
      assert.doesNotMatch(bytes.toString('latin1'), new RegExp(`(?<!\\w)${code}(?!\\w)`), `a mailed code in ${name}`)
})

test('the search finds what lies there, in every shape', () => {
  const own = new Canaries()
  const secret = `secret/${randomBytes(15).toString('base64')}+`
  own.add('it', secret)
  const bytes = Buffer.from(secret)
  const shapes: Record<string, Buffer> = {
    plain: bytes,
    hexadecimal: Buffer.from(bytes.toString('hex')),
    reversed: Buffer.from(bytes).reverse(),
    'UTF-16 little-endian': Buffer.from(secret, 'utf16le'),
    'URL-encoded': Buffer.from(encodeURIComponent(secret)),
  }
  for (const [shape, found] of Object.entries(shapes)) {
    const place = { name: 'there', bytes: Buffer.concat([Buffer.from('before '), found, Buffer.from(' after')]) }
    assert.deepEqual(own.search([place]), [{ secret: 'it', place: 'there', shape }])
  }
  for (const before of ['', 'x', 'xy', 'xyz']) {
    const encoded = Buffer.from(`${before}${secret}more`)
    for (const encoding of ['base64', 'base64url'] as const)
      assert.ok(
        own.search([text('there', encoded.toString(encoding))]).length > 0,
        `${encoding} after ${before.length}`,
      )
  }
  assert.deepEqual(own.search([text('elsewhere', 'nothing of that kind')]), [])
})

async function workWithProviders(browser: Browser): Promise<void> {
  const tokens = await comesIn(browser, { user: ada })
  const { access_token: forApi } = await comesIn(browser, { audience: API, scope: 'openid offline_access' })
  for (const connection of ['calendar', 'code']) await comesIn(new Browser(), { connection })
  const asked = {
    audience: `${deployment.issuer}me/`,
    scope: 'openid create:me:connected_accounts read:me:connected_accounts',
  }
  const renewed = expectStatus(await refresh(deployment, 'web', tokens.refresh_token, asked), 200).json
  keepTokens(renewed)
  for (const connection of Object.keys(providers)) await connectAs(browser, renewed.access_token, connection)
  for (const connection of Object.keys(providers)) {
    for (const fields of [{}, { min_ttl: '86400' }, { purpose: 'what is on tomorrow' }])
      expectStatus(await exchange(deployment, { connection, subjectToken: tokens.refresh_token, fields }), 200)
    expectStatus(await exchange(deployment, { client: 'api', connection, subjectToken: forApi, type: 'access' }), 200)
  }
  const rotating = await comesIn(new Browser(), { client: 'agent-b', user: ada })
  const next = expectStatus(await refresh(deployment, 'agent-b', rotating.refresh_token), 200).json
  keepTokens(next)
  await refresh(deployment, 'agent-b', rotating.refresh_token)
  const revoke = {
    client_id: 'agent-b',
    client_secret: deployment.tenant.secrets['agent-b'],
    token: next.refresh_token,
  }
  expectStatus(await request(`${deployment.url}/oauth/revoke`, { form: revoke }), 200)
  const bearer = { authorization: `Bearer ${tokens.access_token}` }
  expectStatus(await request(`${deployment.url}/userinfo`, { headers: bearer }), 200)
}

async function connectAs(browser: Browser, token: string, connection: string): Promise<void> {
  const flow = await startConnect(deployment, { token, connection })
  const { auth_session: session, connect_params: params } = expectStatus(flow.answer, 201).json
  canaries.add('auth session', session)
  canaries.add('ticket', params.ticket)
  canaries.add('verifier', flow.verifier)
  await browser.open(flow.url)
  const page = await drive(browser)
  canaries.add('connect code', page.params.get('connect_code'))
  expectStatus(await completeConnect(deployment, flow, page.params), 201)
}

async function resetPassword(browser: Browser): Promise<void> {
  const other = new Browser()
  await other.open(authorizeUrl(deployment).url)
  const link = other.page.links.find((href) => href.includes('reset-password'))
  await other.open(new URL(link ?? '', deployment.url).href)
  await other.submit('reset', { fields: { email: ada.email } })
  const mail = await eventually('the mail', () => mailsTo(ada.email).find(({ links }) => links.some(isReset)))
  await other.open(mail.links.find(isReset) ?? '')
  await other.submit('reset', { fields: { password: newPassword } })
  await comesIn(browser, { user: { ...ada, password: newPassword } })
  keepCookies(other)
}

const isReset = (link: string) => link.includes('reset-password?ticket=')

async function signUp(): Promise<void> {
  const browser = new Browser()
  const flow = authorizeUrl(deployment, { extra: { screen_hint: 'signup' } })
  await browser.open(flow.url)
  await browser.submit('signup', { fields: { ...newcomer, name: 'New Comer' } })
  const code = await eventually('the code', () => codesIn(mailsTo(newcomer.email))[0])
  const page = await browser.submit('verify', { fields: { code } })
  canaries.add('code', page.params.get('code'))
  canaries.add('verifier', flow.verifier)
  keepCookies(browser)
}

/** What an operator's program does, and what it sees. */
async function manage(): Promise<void> {
  const api = await mgmt(deployment)
  canaries.add('management token', api.token)
  const given = expectStatus(await api.post('/clients', { name: 'Late', app_type: 'regular_web' }), 201)
  canaries.add('client secret', given.json.client_secret)
  const { json: found } = await api.get(`/users-by-email?email=${encodeURIComponent(ada.email)}`)
  await api.patch(`/users/${encodeURIComponent(found[0].user_id)}`, { user_metadata: { colour: 'blue' } })
  const paths = ['/users', '/clients', '/connections', '/logs?per_page=100', '/client-grants', '/resource-servers']
  for (const path of paths) watch(`management ${path}`, await api.get(path))
}

/** Refusals say what they got in no log and no answer. */
async function fail(): Promise<void> {
  const wrong = `wrong ${randomBytes(12).toString('base64url')}`
  canaries.add('what was refused', wrong)
  const browser = new Browser()
  await browser.open(authorizeUrl(deployment).url)
  await browser.submit('login', { fields: { username: ada.email, password: wrong } })
  const { verifier } = pkce()
  const attempts = [
    tokenRequest(deployment, 'web', {
      grant_type: 'authorization_code',
      code: wrong,
      code_verifier: verifier,
      redirect_uri: 'http://127.0.0.1:9/cb',
    }),
    tokenRequest(deployment, 'web', { grant_type: 'refresh_token', refresh_token: wrong }),
    tokenRequest(deployment, 'web', { grant_type: 'client_credentials', client_secret: wrong }),
    exchange(deployment, { connection: 'calendar', subjectToken: wrong }),
    request(`${deployment.url}/oauth/token`, {
      body: `{"client_secret":"${wrong}"`,
      headers: { 'content-type': 'application/json' },
    }),
    request(
      `${deployment.url}/login/callback/calendar?code=${encodeURIComponent(wrong)}&state=${encodeURIComponent(wrong)}`,
    ),
    request(`${deployment.url}/me/v1/connected-accounts/accounts`, { headers: { authorization: `Bearer ${wrong}` } }),
    request(`${deployment.url}/nothing?token=${encodeURIComponent(wrong)}`, {
      headers: { cookie: `__Host-tenon_session=${encodeURIComponent(wrong)}` },
    }),
  ]
  for (const answer of await Promise.all(attempts)) watch('a refusal', answer)
  providers.calendar.tamperRedirect = (answer) => ({ ...answer, iss: 'https://evil.test' })
  await authorize(new Browser(), deployment, { connection: 'calendar' })
  providers.calendar.reset()
  providers.calendar.fail('code', { status: 400, body: { error: 'invalid_grant', error_description: wrong } })
  await authorize(new Browser(), deployment, { connection: 'calendar' })
}

async function logOut(browser: Browser): Promise<void> {
  const page = await browser.open(
    `${deployment.issuer}v2/logout?client_id=web&returnTo=${encodeURIComponent(LOGGED_OUT)}`,
  )
  assert.ok(page.stopped, page.text)
}

/** Another person looks wherever people can look. */
async function asSomebodyElse(): Promise<void> {
  const browser = new Browser()
  const asked = { audience: `${deployment.issuer}me/`, scope: 'openid read:me:connected_accounts offline_access' }
  const flow = await authorize(browser, deployment, { user: eve, ...asked })
  const { json } = expectStatus(await redeem(deployment, flow), 200)
  const own = me(deployment, json.access_token)
  for (const path of ['/connected-accounts/accounts', '/connected-accounts/connections'])
    watch(path, await own.get(path))
  for (const connection of Object.keys(providers))
    watch('exchange', await exchange(deployment, { connection, subjectToken: json.refresh_token }))
  await browser.open(`${deployment.issuer}account`)
  for (const { url, body, headers } of browser.seen)
    seenByOthers.push(text(`page ${new URL(url).pathname}`, body + JSON.stringify(headers)))
}

function watch(name: string, { text: body, headers }: Answer): void {
  seenByOthers.push(text(name, body + JSON.stringify(headers)))
}

/** Secrets that were there before anybody came, and those of the providers. */
function keepGiven(): void {
  for (const person of [ada, eve, newcomer]) canaries.add('password', person.password)
  canaries.add('password', newPassword)
  canaries.add('client secret', ...Object.values(deployment.tenant.secrets))
  for (const { key } of JSON.parse(readFileSync(join(deployment.dataDir, 'vault.key'), 'utf8')).keys)
    canaries.add('vault key', key, Buffer.from(key, 'base64').toString('hex'))
  for (const provider of Object.values(providers)) {
    canaries.add(`client secret at ${provider.name}`, provider.clientSecret)
    for (const { kind, value } of provider.issued) canaries.add(`${provider.name}'s ${kind}`, value)
    canaries.add(`verifier at ${provider.name}`, ...verifiersAt(provider))
  }
}

const verifiersAt = (provider: Provider) => provider.calls('token').map(({ body }) => body.code_verifier)

/** Links become canaries; codes are too short for that and are returned. Each is in its own mail to its own receiver. */
async function mailedSecrets(): Promise<readonly string[]> {
  const mails = readOutbox(join(deployment.dataDir, 'outbox'))
  const tickets = mails.flatMap(({ links }) =>
    links.filter(isReset).map((link) => new URL(link).searchParams.get('ticket')),
  )
  assert.ok(tickets.length > 0)
  canaries.add('reset ticket', ...tickets)
  for (const { to, text: words } of mails) {
    if (to !== ada.email)
      for (const ticket of tickets) assert.ok(!words.includes(String(ticket)), `a ticket in a mail to ${to}`)
    if (to !== newcomer.email) assert.deepEqual(codesIn([{ text: words }]), [])
  }
  return codesIn(mailsTo(newcomer.email))
}

const mailsTo = (address: string) => readOutbox(join(deployment.dataDir, 'outbox')).filter(({ to }) => to === address)

const codesIn = (mails: readonly { readonly text: string }[]): string[] =>
  mails.flatMap(({ text: words }) => words.match(/\b\d{6}\b/g) ?? [])

/** Everything but the keys themselves, and the mails that carry a secret to whom it belongs. */
function placesOf({ dataDir, output }: Deployment): readonly Place[] {
  const keys = /^vault\.key$/
  return [...filesOf(dataDir).filter(({ name }) => !keys.test(name) && !isOwnMail(name)), text('logs', output())]
}

const isOwnMail = (name: string): boolean => name.startsWith('outbox')
