// Two nodes of one deployment, one of them half a minute ahead of the other (T-OPS-07): tokens are handed out and stopped
// across them as if they were one.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import { startSmtpServer } from '../events/smtp-server.ts'
import { postgresServer } from '../storage/postgres-database.ts'
import {
  authorize,
  authorizeUrl,
  claimsOf,
  codeOf,
  connect,
  currentUserSignIn,
  drive,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  redeem,
  refresh,
  signIn,
  silently,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually, request } from '../support/http.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { PASSWORDS } from '../support/tenant.ts'

const AHEAD_SECONDS = 30
const ACCESS_SECONDS = 3600

// Nodes are several on PostgreSQL alone: a second server on one SQLite file is refused.
if (postgresServer !== undefined) {
  const calendar = await startOidcProvider({
    name: 'calendar',
    rotation: 'rotating',
    accessTokenSeconds: 4 * ACCESS_SECONDS,
    users: { vera: { email: 'vera@example.test' } },
    connectionOptions: { trust_email: true, email_domains: ['example.test'] },
  })
  const files = await startOAuth2Provider({ name: 'files', users: { vera: {} } })
  const smtp = await startSmtpServer()
  after(() => smtp.stop())
  const receiver = await startLogoutReceiver()
  const cluster = await startCluster({
    providers: [calendar, files],
    aheadSeconds: [0, AHEAD_SECONDS],
    mail: `smtp://127.0.0.1:${smtp.port}`,
    tenant: ({ settings, clients: [web] }) => {
      Object.assign(web ?? {}, { oidc_logout: { backchannel_logout_urls: [receiver.url] } })
      settings.tokens = { access_token_seconds: ACCESS_SECONDS, code_seconds: 60 }
    },
  })
  const [behind, ahead] = cluster.nodes
  /** The same deployment, asked past the proxy at one node. */
  const at = (url: string) => ({ ...cluster, url })
  const agent = await signIn(cluster, { client: 'agent-a', connection: 'calendar' })
  const use = (url: string, connection = 'calendar') =>
    exchange(cluster, { client: 'agent-a', connection, subjectToken: agent.refreshToken, url })

  test('nodes: a sign-in whose every step is another node’s leads to tokens that both know', async () => {
    const [first = 0, second = 0] = cluster.served()
    assert.ok(first >= 2 && second >= 2, 'both had their share')
    const answers = await Promise.all(cluster.nodes.map((url) => use(url)))
    for (const answer of answers) expectStatus(answer, 200)
    assert.equal(answers[0]?.json.access_token, answers[1]?.json.access_token)
    assert.equal(await silently(agent.browser, cluster, { client: 'agent-a' }), 'code')
  })

  test('nodes: a stale token is refreshed by one call to the provider, however many ask at both', async () => {
    await cluster.passTime(4 * ACCESS_SECONDS)
    const before = calendar.calls('refresh').length
    const asked = Array.from({ length: 12 }, (_, turn) => use(cluster.nodes[turn % 2] ?? ''))
    const tokens = (await Promise.all(asked)).map((answer) => expectStatus(answer, 200).json.access_token)
    assert.equal(new Set(tokens).size, 1)
    assert.equal(calendar.calls('refresh').length - before, 1)
  })

  test('nodes: a refresh token rotated at one is known at the other, and a replay there ends the family at both', async () => {
    const who = await signIn(cluster, { client: 'agent-b', connection: 'calendar' })
    const at1 = expectStatus(await refresh(cluster, 'agent-b', who.refreshToken, {}, behind), 200).json.refresh_token
    const at2 = expectStatus(await refresh(cluster, 'agent-b', at1, {}, ahead), 200).json.refresh_token
    assert.equal((await refresh(cluster, 'agent-b', who.refreshToken, {}, ahead)).json.error, 'invalid_grant')
    for (const url of cluster.nodes)
      assert.equal((await refresh(cluster, 'agent-b', at2, {}, url)).json.error, 'invalid_grant')
  })

  test('nodes: what is revoked, disconnected or stopped at one is over at the other', async () => {
    const revoked = await signIn(cluster, { client: 'agent-a', connection: 'calendar' })
    const { refreshToken } = revoked
    const ask = (url: string) =>
      exchange(cluster, { client: 'agent-a', connection: 'calendar', subjectToken: refreshToken, url })
    expectStatus(await ask(ahead), 200)
    const form = { client_id: 'agent-a', client_secret: cluster.tenant.secrets['agent-a'], token: refreshToken }
    expectStatus(await request(`${behind}/oauth/revoke`, { form }), 200)
    for (const url of cluster.nodes) assert.equal((await ask(url)).json.error, 'invalid_grant')

    files.switchUser('vera')
    // A change to the account wants a sign-in that is not old.
    const recent = await signIn(cluster, { client: 'agent-a', connection: 'calendar' })
    const token = await meToken(cluster, recent)
    const { id } = await connect(recent.browser, cluster, { token, connection: 'files' })
    for (const url of cluster.nodes) expectStatus(await use(url, 'files'), 200)
    expectStatus(await me(at(ahead), token).delete(`/connected-accounts/accounts/${id}`), 204)
    for (const url of cluster.nodes) expectStatus(await use(url, 'files'), 401)

    await recent.browser.open(`${cluster.url}/account/agents`)
    await recent.browser.submit('stop-agent', { action: 'stop' })
    for (const url of cluster.nodes) assert.equal(expectStatus(await use(url), 403).json.tenon.code, 'policy_denied')
    await recent.browser.open(`${cluster.url}/account/agents`)
    await recent.browser.submit('resume-agent')
    for (const url of cluster.nodes) expectStatus(await use(url), 200)
  })

  test('T-OPS-07 what a node issued whose clock is half a minute ahead or behind is good at the other', async () => {
    for (const [made, used] of [
      [behind, ahead],
      [ahead, behind],
    ] as const) {
      const flow = await authorize(new Browser(), cluster, { connection: 'calendar' })
      codeOf(flow)
      const tokens = expectStatus(await redeem(cluster, flow, { url: made }), 200).json
      const userinfo = { headers: { authorization: `Bearer ${tokens.access_token}` } }
      expectStatus(await request(`${used}/userinfo`, userinfo), 200)
      const own = await meToken(at(made), { client: 'web', refreshToken: tokens.refresh_token })
      expectStatus(await me(at(used), own).get('/connected-accounts/accounts'), 200)
      const fields = { grant_type: 'client_credentials', audience: `${cluster.issuer}api/v2/` }
      const machine = expectStatus(await tokenRequest(cluster, 'm2m', fields, { url: made }), 200).json.access_token
      expectStatus(await (await mgmt(at(used), { token: machine, url: used })).get('/clients'), 200)
    }
  })

  test('T-OPS-07 nobody is signed out early, and nothing lives longer than a minute past its end, by either clock', async () => {
    const fields = { grant_type: 'client_credentials', audience: `${cluster.issuer}api/v2/` }
    const tokens = await Promise.all(
      cluster.nodes.map(async (url) => (await tokenRequest(cluster, 'm2m', fields, { url })).json.access_token),
    )
    const person = await currentUserSignIn(cluster, { connection: 'calendar' })
    const statuses = async () => {
      const asked = tokens.flatMap((one) =>
        cluster.nodes.map(async (url) => (await mgmt(at(url), { token: one, url })).get('/clients')),
      )
      return (await Promise.all(asked)).map(({ status }) => status)
    }
    const flow = await authorize(new Browser(), cluster, { connection: 'calendar' })
    await cluster.passTime(ACCESS_SECONDS - AHEAD_SECONDS - 60)
    assert.deepEqual(await statuses(), [200, 200, 200, 200], 'until its end')
    assert.equal((await redeem(cluster, flow, { url: behind })).status, 403, 'a code is long over')
    assert.equal(await silently(person.browser, cluster, { client: 'spa' }), 'code')
    // The end by the later clock, and a minute that is forgiven.
    await cluster.passTime(AHEAD_SECONDS + 60 + AHEAD_SECONDS + 60)
    assert.deepEqual(await statuses(), [401, 401, 401, 401])
    for (const url of cluster.nodes) {
      const own = await mgmt(at(url), { token: person.accessToken, url })
      assert.equal((await own.get(userPath(person.sub))).status, 401)
    }
    assert.equal(await silently(person.browser, cluster, { client: 'spa' }), 'code', 'the session goes on')
  })

  test('T-OPS-07 a login that began at one node ends at the other, and one that is older than its time at neither', async () => {
    const browser = new Browser()
    const asked = authorizeUrl(cluster)
    await browser.open(asked.url)
    const late = browser.clone()
    const page = await drive(browser, { user: cluster.tenant.ada })
    assert.ok(page.params.has('code'))
    await cluster.passTime(2 * ACCESS_SECONDS)
    const tooLate = await drive(late, { user: cluster.tenant.ada })
    assert.ok(!tooLate.params.has('code'), 'its time is over')
  })

  test('T-OPS-07 what one node is in the middle of no other begins, however far its clock is ahead', async () => {
    const { ada, eve } = cluster.tenant
    const people = []
    for (const person of [ada, eve]) {
      const who = await signIn(cluster, { user: person })
      files.addUser(person.email)
      files.switchUser(person.email)
      const { id } = await connect(who.browser, cluster, { token: await meToken(cluster, who), connection: 'files' })
      people.push({ ...who, ...person, accountId: id })
    }
    const [first, second] = people as [(typeof people)[0], (typeof people)[0]]
    /** A mail, a revocation and a notice, by one node. */
    const begin = async (url: string, { email, accountId, sub, client, refreshToken }: typeof first) => {
      const own = await meToken(at(url), { client, refreshToken })
      expectStatus(await me(at(url), own).delete(`/connected-accounts/accounts/${accountId}`), 204)
      const json = { client_id: 'web', email, connection: PASSWORDS }
      expectStatus(await request(`${url}/dbconnections/change_password`, { json }), 200)
      expectStatus(await (await mgmt(at(url), { url })).delete(`${userPath(sub)}/sessions`), 202)
    }
    const tokenOf = ({ body }: { readonly body: unknown }) => JSON.stringify(body)
    const inHand = () => ({
      mails: smtp.mails.map(({ raw }) => /^Message-ID: .*$/im.exec(raw)?.[0]),
      revocations: files.calls('revoke').map(tokenOf),
      notices: receiver.posted.map((posted) => `${claimsOf(posted.token).sub} ${claimsOf(posted.token).sid}`),
    })
    const before = inHand()
    smtp.hold()
    receiver.hold()
    files.hang('revoke')
    const isTaken = (email: string, sub: string, revocations: number) => () =>
      smtp.mails.some(({ recipients, raw }) => recipients.includes(email) && /reset/i.test(raw)) &&
      files.calls('revoke').length >= before.revocations.length + revocations &&
      receiver.posted.some(({ token }) => claimsOf(token).sub === sub)

    cluster.freeze(1)
    await begin(behind, first)
    await eventually('all that the first is in the middle of', isTaken(first.email, first.sub, 1))
    cluster.wake(1)
    // Longer than every lease.
    await cluster.setForward(1, 900)
    cluster.freeze(0)
    await begin(ahead, second)
    await eventually('that the second has looked at every queue', isTaken(second.email, second.sub, 2))
    for (const [queue, jobs] of Object.entries(inHand()))
      assert.equal(new Set(jobs).size, jobs.length, `${queue}: ${jobs.join(', ')}`)
    cluster.wake(0)
  })
}
