// The present Management API client, for what people's apps and devices hold, and for what an operator hands to people.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { ManagementClient } from 'auth0'
import { currentUserSignIn, signIn } from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { eventually } from '../../packages/server/test/support/http.ts'
import { API, CURRENT_USER_SCOPES, LOGGED_OUT, PASSWORDS } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { absent, refusedWith } from './support/management.ts'
import { startWorld } from './support/world.ts'

/** Where the browser of a test stops. */
const AFTERWARDS = `${new URL(LOGGED_OUT).origin}/welcome`
const DEVICES = ['create:current_user_device_credentials', 'delete:current_user_device_credentials']
const world = await startWorld({
  settings: { allowed_logout_urls: [LOGGED_OUT] },
  tenant: ({ client_grants: grants }) => {
    for (const grant of grants)
      if (grant.subject_type === 'user' && grant.audience === '<issuer>api/v2/')
        grant.scope = [...CURRENT_USER_SCOPES, ...DEVICES]
  },
})
const calls = new Calls(import.meta.filename, 'auth0')
const { domain } = world
const management = new ManagementClient({ domain, clientId: 'm2m', clientSecret: world.secretOf('m2m') })

async function newUser(name: string) {
  const { email } = world.person(name, ['calendar'])
  return { ...(await signIn(world, { connection: 'calendar' })), email }
}

const sessionOf = async (sub: string) => (await management.users.sessions.list(sub)).data[0]?.id ?? ''
const tokensOf = async (sub: string) => (await management.users.refreshToken.list(sub)).data.map(({ id }) => id ?? '')

calls.works('sessions.update', 'a note on a session', async () => {
  const { sub } = await newUser('session-noted')
  const id = await sessionOf(sub)
  const after = await management.sessions.update(id, { session_metadata: { place: 'office' } })
  assert.deepEqual([after.id, after.session_metadata], [id, { place: 'office' }])
})

calls.works('sessions.delete', 'the session has ended, and what it led to stays', async () => {
  const { sub } = await newUser('session-ended')
  await management.sessions.delete(await sessionOf(sub))
  assert.equal(await sessionOf(sub), '')
  assert.equal((await tokensOf(sub)).length, 1)
})

calls.works('refreshTokens.update', 'a note on a refresh token', async () => {
  const [id = ''] = await tokensOf((await newUser('token-noted')).sub)
  const after = await management.refreshTokens.update(id, { refresh_token_metadata: { device: 'phone' } })
  assert.deepEqual([after.id, after.refresh_token_metadata], [id, { device: 'phone' }])
})

calls.works('refreshTokens.delete', 'the token has ended', async () => {
  const { sub } = await newUser('token-ended')
  const [id = ''] = await tokensOf(sub)
  await management.refreshTokens.delete(id)
  assert.deepEqual(await tokensOf(sub), [])
  await assert.rejects(management.refreshTokens.get(id), refusedWith(404))
})

calls.works('refreshTokens.revoke', 'all that a user gave a client', async () => {
  const { sub } = await newUser('tokens-revoked')
  await management.refreshTokens.revoke({ user_id: sub, client_id: 'web' })
  assert.deepEqual(await tokensOf(sub), [])
})

calls.works('userGrants.delete', 'one grant, with what was issued under it', async () => {
  const { sub } = await newUser('grant-ended')
  const [grant] = (await management.userGrants.list({ user_id: sub })).data
  await management.userGrants.delete(grant?.id ?? '')
  assert.deepEqual((await management.userGrants.list({ user_id: sub })).data, [])
  assert.deepEqual(await tokensOf(sub), [])
})

calls.works('userGrants.deleteByUserId', 'every grant of a user', async () => {
  const { sub } = await newUser('grants-ended')
  await management.userGrants.deleteByUserId({ user_id: sub })
  assert.deepEqual((await management.userGrants.list({ user_id: sub })).data, [])
})

/** The public key of a device, as the SDK sends it. */
const deviceKey = () => ({
  type: 'public_key' as const,
  device_name: 'Phone',
  device_id: 'phone-1',
  value: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'der' })
    .toString('base64'),
})

calls.works('deviceCredentials.createPublicKey', 'the key of a person’s own device, which they take away', async () => {
  world.person('device-key', ['calendar'])
  const scope = `openid ${[...CURRENT_USER_SCOPES, ...DEVICES].join(' ')}`
  const person = await currentUserSignIn(world, { connection: 'calendar', scope })
  const own = new ManagementClient({ domain, token: person.accessToken })
  const { id = '' } = await own.deviceCredentials.createPublicKey(deviceKey())
  const listed = await management.deviceCredentials.list({ user_id: person.sub, type: 'public_key' })
  assert.deepEqual(
    listed.data.map(({ id: one, device_name: name }) => [one, name]),
    [[id, 'Phone']],
  )
  await own.deviceCredentials.delete(id)
  const left = await management.deviceCredentials.list({ user_id: person.sub, type: 'public_key' })
  assert.deepEqual(left.data, [])
  // A machine is nobody's device.
  await assert.rejects(management.deviceCredentials.createPublicKey(deviceKey()), refusedWith(403))
})

calls.works('deviceCredentials.delete', 'a refresh token in the older form', async () => {
  const { sub } = await newUser('device-ended')
  const [id = ''] = await tokensOf(sub)
  await management.deviceCredentials.delete(id)
  assert.deepEqual(await tokensOf(sub), [])
})

/** Somebody whose address nobody has proven. */
async function unproven(name: string) {
  const person = { email: `${name}@example.test`, password: 'a kettle on the upper shelf' }
  const made = await management.users.create({ connection: PASSWORDS, ...person })
  return { ...person, id: made.user_id ?? '' }
}

/** The person says on the page behind the link that the address is theirs. */
async function confirm(link: string, user: { readonly email: string; readonly password: string }): Promise<Browser> {
  const { browser } = await signIn(world, { user })
  await browser.open(link)
  await browser.submit('verify', { action: 'continue' })
  return browser
}

calls.works('tickets.verifyEmail', 'a link that verifies an address, and leads to the app', async () => {
  const person = await unproven('ticket')
  const { ticket } = await management.tickets.verifyEmail({
    user_id: person.id,
    result_url: AFTERWARDS,
    includeEmailInRedirect: true,
  })
  const { page } = await confirm(ticket, person)
  const end = new URL(page.url)
  assert.equal(`${end.origin}${end.pathname}`, AFTERWARDS)
  assert.deepEqual([end.searchParams.get('success'), end.searchParams.get('email')], ['true', person.email])
  assert.equal((await management.users.get(person.id)).email_verified, true)
  const elsewhere = management.tickets.verifyEmail({ user_id: person.id, result_url: 'https://evil.test/' })
  await assert.rejects(elsewhere, refusedWith(400, 'invalid_body'))
})

calls.works(
  'tickets.changePassword',
  'a link that sets a password, proves the mailbox and leads to the app',
  async () => {
    const person = await unproven('new-password')
    const { ticket } = await management.tickets.changePassword({
      user_id: person.id,
      result_url: AFTERWARDS,
      ttl_sec: 600,
      mark_email_as_verified: true,
    })
    const browser = new Browser()
    await browser.open(ticket)
    const page = await browser.submit('reset', { fields: { password: 'another kettle on the shelf' } })
    assert.equal(page.url, `${AFTERWARDS}?success=true&code=success`)
    assert.equal((await management.users.get(person.id)).email_verified, true)
  },
)

calls.works('jobs.verificationEmail.create', 'a mail with a link that verifies an address', async () => {
  const person = await unproven('mailed')
  const job = await management.jobs.verificationEmail.create({ user_id: person.id, client_id: 'web' })
  assert.deepEqual([job.type, (await management.jobs.get(job.id ?? '')).status], ['verification_email', 'completed'])
  const link = await eventually('the mail', () => world.mails().findLast(({ to }) => to === person.email)?.links[0])
  await confirm(link, person)
  assert.equal((await management.users.get(person.id)).email_verified, true)
})

calls.works('jobs.usersExports.create', 'where the users are', async () => {
  const job = await management.jobs.usersExports.create({ format: 'json' })
  const done = await management.jobs.get(job.id)
  assert.ok('location' in done && String(done.location).startsWith(world.issuer))
})

calls.works('jobs.errors.get', 'the rows of an import that were refused', async () => {
  const [connection] = (await management.connections.list({ name: PASSWORDS })).data
  const users = new Blob([JSON.stringify([{ email: 'no address' }])], { type: 'application/json' })
  const job = await management.jobs.usersImports.create({ users, connection_id: connection?.id ?? '' })
  const errors = await management.jobs.errors.get(job.id)
  assert.ok(Array.isArray(errors) && errors.length === 1)
})

calls.works('clients.get', 'one client, its secret not shown', async () => {
  const found = await management.clients.get('web')
  assert.deepEqual([found.client_id, found.client_secret], ['web', undefined])
})

calls.works('clients.connections.get', 'what a client may sign people in with', async () => {
  const page = await management.clients.connections.get('web')
  assert.ok(page.data.some(({ name }) => name === 'calendar'))
})

calls.works('clients.credentials.update', 'a key that ends, is read, and taken away', async () => {
  const client = await management.clients.create({ name: 'Signer', app_type: 'regular_web' })
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const id = client.client_id ?? ''
  const made = await management.clients.credentials.create(id, { credential_type: 'public_key', pem })
  const credential = made.id ?? ''
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  await management.clients.credentials.update(id, credential, { expires_at })
  const found = await management.clients.credentials.get(id, credential)
  assert.equal(Date.parse(String(found.expires_at)), Date.parse(expires_at))
  await management.clients.credentials.delete(id, credential)
  assert.deepEqual(await management.clients.credentials.list(id), [])
})

const document = { external_client_id: 'https://app.test/client.json' }
for (const [call, asked] of Object.entries({
  'clients.previewCimdMetadata': () => management.clients.previewCimdMetadata(document),
  'clients.registerCimdClient': () => management.clients.registerCimdClient(document),
}))
  calls.notYet(call, 'a client that is a document elsewhere', 'clientDocuments', () =>
    assert.rejects(asked, (error) => refusedStatus(error, [404, 405])),
  )

calls.works('connections.get', 'one connection', async () => {
  const [calendar] = (await management.connections.list({ name: 'calendar' })).data
  assert.equal((await management.connections.get(calendar?.id ?? '')).name, 'calendar')
})

calls.works('connections.users.deleteByEmail', 'the users of an address', async () => {
  const [passwords] = (await management.connections.list({ name: PASSWORDS })).data
  const { email, id } = await unproven('by-address')
  await management.connections.users.deleteByEmail(passwords?.id ?? '', { email })
  await assert.rejects(management.users.get(id), refusedWith(404, 'inexistent_user'))
})

calls.works('clientGrants.get', 'one grant', async () => {
  const made = await management.clientGrants.create({ client_id: 'web', audience: API, scope: ['read:things'] })
  assert.equal((await management.clientGrants.get(made.id ?? '')).audience, API)
})

calls.notYet('resourceServers.search', 'APIs by a filter', 'apiSearch', async () => {
  await absent(() => management.resourceServers.search())
})

calls.works('logs.get', 'one entry', async () => {
  const [newest] = (await management.logs.list({ per_page: 1 })).data
  assert.equal((await management.logs.get(newest?.log_id ?? '')).log_id, newest?.log_id)
})

calls.works('keys.signing.get', 'one signing key', async () => {
  const [key] = await management.keys.signing.list()
  assert.equal((await management.keys.signing.get(key?.kid ?? '')).kid, key?.kid)
})

calls.works('tenants.settings.update', 'what is given changes, and nothing else', async () => {
  const after = await management.tenants.settings.update({ support_email: 'help@acme.test' })
  assert.deepEqual([after.support_email, after.friendly_name], ['help@acme.test', 'Acme'])
})

function refusedStatus(error: unknown, statuses: readonly number[]): true {
  assert.ok(error instanceof Error && 'statusCode' in error)
  assert.ok(statuses.includes(Number(error.statusCode)), String(error.statusCode))
  return true
}

// The last: what the key signed, the client's own token among it, is worth nothing from then on.
calls.works('keys.signing.revoke', 'a key that was replaced counts no more', async () => {
  const kid = (await management.keys.signing.list()).find(({ current }) => current)?.kid ?? ''
  await management.keys.signing.rotate()
  assert.equal((await management.keys.signing.revoke(kid)).kid, kid)
})
