// The present Management API client, for people and what they are signed in with.
import assert from 'node:assert/strict'
import { ManagementClient } from 'auth0'
import { connect, currentUserSignIn, meToken, signIn } from '../../packages/server/test/support/actors.ts'
import { eventually } from '../../packages/server/test/support/http.ts'
import { PASSWORDS } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { refusedWith } from './support/management.ts'
import { startWorld } from './support/world.ts'

const world = await startWorld()
const calls = new Calls(import.meta.filename, 'auth0')
const management = new ManagementClient({
  domain: world.domain,
  clientId: 'm2m',
  clientSecret: world.secretOf('m2m'),
})

/** Somebody new, who signed in by that provider. */
async function newUser(name: string, provider: 'calendar' | 'files' = 'calendar') {
  const person = world.person(name, [provider])
  const signedIn = await signIn(world, { connection: provider })
  return { ...signedIn, email: person.email, id: signedIn.sub, subject: person.subjects[provider] ?? '' }
}

/** The provider and the id of an identity, as the API names them. */
function identityOf(userId: string) {
  const cut = userId.indexOf('|')
  return { provider: userId.slice(0, cut) as 'oauth2', user_id: userId.slice(cut + 1) }
}

calls.works('users.identities.link', 'two users become one, and the primary keeps its id', async () => {
  const [primary, secondary] = [await newUser('link-one'), await newUser('link-two', 'files')]
  const identities = await management.users.identities.link(primary.id, identityOf(secondary.id))
  assert.deepEqual(
    identities.map(({ connection }) => connection),
    ['calendar', 'files'],
  )
  const again = await signIn(world, { connection: 'files' })
  assert.equal(again.sub, primary.id)
  await assert.rejects(management.users.get(secondary.id), refusedWith(404, 'inexistent_user'))
})

calls.works(
  'users.identities.link',
  'a second ID token (link_with) links with the person’s own access token',
  async () => {
    world.person('own-one', ['calendar'])
    const primary = await currentUserSignIn(world, { connection: 'calendar' })
    world.person('own-two', ['files'])
    const secondary = await signIn(world, { client: 'spa', connection: 'files' })
    const own = new ManagementClient({ domain: world.domain, token: primary.accessToken })
    const identities = await own.users.identities.link(primary.sub, { link_with: secondary.idToken })
    assert.equal(identities.length, 2)
    await assert.rejects(own.users.get(secondary.sub), refusedWith(403))
  },
)

calls.works('users.identities.link', 'an identity that is linked already is a conflict', async () => {
  const [primary, secondary] = [await newUser('twice-one'), await newUser('twice-two', 'files')]
  await management.users.identities.link(primary.id, identityOf(secondary.id))
  await assert.rejects(
    management.users.identities.link(primary.id, identityOf(secondary.id)),
    refusedWith(409, 'identity_conflict'),
  )
})

calls.works('users.identities.delete', 'the identity becomes a user of its own again', async () => {
  const [primary, secondary] = [await newUser('unlink-one'), await newUser('unlink-two', 'files')]
  const { provider, user_id } = identityOf(secondary.id)
  await management.users.identities.link(primary.id, { provider, user_id })
  const left = await management.users.identities.delete(primary.id, provider, user_id)
  assert.equal(left.length, 1)
  assert.equal((await management.users.get(secondary.id)).user_id, secondary.id)
})

calls.works('users.connectedAccounts.list', 'what a person connected is there for the operator to see', async () => {
  const user = await newUser('connected')
  const account = await connect(user.browser, world, { token: await meToken(world, user), connection: 'calendar' })
  const page = await management.users.connectedAccounts.list(user.id)
  assert.deepEqual(
    page.data.map(({ id, connection }) => ({ id, connection })),
    [{ id: account.id, connection: 'calendar' }],
  )
})

calls.works('users.list', 'pages are wrapped, and a search finds by address', async () => {
  const user = await newUser('listed')
  const page = await management.users.list({ q: `email:"${user.email}"`, per_page: 10 })
  assert.deepEqual(
    page.data.map(({ user_id }) => user_id),
    [user.id],
  )
  assert.equal((await management.users.list({ per_page: 1 })).hasNextPage(), true)
})

calls.works('users.create', 'a password account, which then signs in', async () => {
  const person = { email: 'made@example.test', password: 'a kettle on the upper shelf' }
  const made = await management.users.create({ connection: PASSWORDS, email_verified: true, name: 'Made', ...person })
  assert.match(made.user_id ?? '', /^auth0\|[0-9a-f]{24}$/)
  assert.equal((await signIn(world, { user: person })).sub, made.user_id)
})

calls.works('users.create', 'an address that is taken is a conflict', async () => {
  await assert.rejects(
    management.users.create({ connection: PASSWORDS, email: world.tenant.ada.email, password: 'a kettle on a shelf' }),
    refusedWith(409, 'auth0_idp_error'),
  )
})

calls.works('users.get', 'the user with identities', async () => {
  const user = await newUser('got')
  const found = await management.users.get(user.id)
  assert.equal(found.email, user.email)
  assert.equal(found.identities?.[0]?.connection, 'calendar')
})

calls.works('users.update', 'metadata merges at the top, and null takes a key away', async () => {
  const user = await newUser('updated')
  await management.users.update(user.id, { user_metadata: { theme: 'dark', city: 'Bath' } })
  const after = await management.users.update(user.id, { user_metadata: { city: null, size: 3 } })
  assert.deepEqual(after.user_metadata, { theme: 'dark', size: 3 })
})

calls.works('users.delete', 'gone, and gone again', async () => {
  const user = await newUser('deleted')
  await management.users.delete(user.id)
  await management.users.delete(user.id)
  await assert.rejects(management.users.get(user.id), refusedWith(404, 'inexistent_user'))
})

calls.works('users.listUsersByEmail', 'who has this address', async () => {
  const user = await newUser('by-email')
  const found = await management.users.listUsersByEmail({ email: user.email })
  assert.deepEqual(
    found.map(({ user_id }) => user_id),
    [user.id],
  )
})

calls.works('users.refreshToken.list', 'what the person’s apps hold', async () => {
  const user = await newUser('tokens')
  const page = await management.users.refreshToken.list(user.id)
  assert.deepEqual(
    page.data.map(({ client_id }) => client_id),
    ['web'],
  )
})

calls.works('users.refreshToken.delete', 'every one ends', async () => {
  const user = await newUser('tokens-ended')
  await management.users.refreshToken.delete(user.id)
  assert.deepEqual((await management.users.refreshToken.list(user.id)).data, [])
})

calls.works('users.sessions.list', 'where the person is signed in', async () => {
  const user = await newUser('sessions')
  const page = await management.users.sessions.list(user.id)
  assert.equal(page.data.length, 1)
  assert.equal(page.data[0]?.user_id, user.id)
})

calls.works('users.sessions.delete', 'every one ends', async () => {
  const user = await newUser('sessions-ended')
  await management.users.sessions.delete(user.id)
  assert.deepEqual((await management.users.sessions.list(user.id)).data, [])
})

calls.works('users.revokeAccess', 'sessions and refresh tokens end', async () => {
  const user = await newUser('revoked')
  await management.users.revokeAccess(user.id)
  assert.deepEqual((await management.users.refreshToken.list(user.id)).data, [])
})

calls.works('users.logs.list', 'what happened to a person', async () => {
  const user = await newUser('logged')
  const page = await management.users.logs.list(user.id)
  assert.ok(page.data.some(({ type }) => type === 's'))
})

calls.works('sessions.get', 'one session by its id', async () => {
  const user = await newUser('session')
  const [session] = (await management.users.sessions.list(user.id)).data
  assert.equal((await management.sessions.get(session?.id ?? '')).user_id, user.id)
})

calls.works('sessions.revoke', 'the session has ended', async () => {
  const user = await newUser('session-revoked')
  const [session] = (await management.users.sessions.list(user.id)).data
  await management.sessions.revoke(session?.id ?? '')
  assert.deepEqual((await management.users.sessions.list(user.id)).data, [])
})

calls.works('refreshTokens.get', 'one refresh token by its id', async () => {
  const user = await newUser('token')
  const [token] = (await management.users.refreshToken.list(user.id)).data
  assert.equal((await management.refreshTokens.get(token?.id ?? '')).client_id, 'web')
})

calls.works('refreshTokens.list', 'the refresh tokens of a user and client', async () => {
  const user = await newUser('token-listed')
  const page = await management.refreshTokens.list({ user_id: user.id, client_id: 'web' })
  assert.deepEqual(
    page.data.map(({ user_id }) => user_id),
    [user.id],
  )
})

calls.works('userGrants.list', 'a list of consents', async () => {
  assert.ok(Array.isArray((await management.userGrants.list()).data))
})

calls.works('deviceCredentials.list', 'refresh tokens in the older form', async () => {
  const user = await newUser('device')
  const page = await management.deviceCredentials.list({ user_id: user.id, type: 'refresh_token' })
  assert.ok(Array.isArray(page.data))
})

calls.works('tickets.changePassword', 'a link that sets a password', async () => {
  const [ada] = await management.users.listUsersByEmail({ email: world.tenant.ada.email })
  const { ticket } = await management.tickets.changePassword({ user_id: ada?.user_id ?? '' })
  assert.ok(ticket.startsWith(world.issuer))
})

calls.works('jobs.usersImports.create', 'people in bulk, and how far the job is', async () => {
  const [connection] = (await management.connections.list({ name: PASSWORDS })).data
  const person = { user_id: 'f00d'.repeat(6), email: 'imported@example.test', email_verified: true, name: 'Imported' }
  const users = new Blob([JSON.stringify([person])], { type: 'application/json' })
  const job = await management.jobs.usersImports.create({ users, connection_id: connection?.id ?? '' })
  await eventually('the end of the job', async () => (await management.jobs.get(job.id)).status === 'completed')
  assert.equal((await management.users.listUsersByEmail({ email: person.email })).length, 1)
})

calls.works('jobs.get', 'a job that there is not is told by its status', async () => {
  await assert.rejects(management.jobs.get('job_0000000000000000'), refusedWith(404))
})
