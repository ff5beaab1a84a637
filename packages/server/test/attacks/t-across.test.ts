// What was built apart, together: second steps and mails, prepared accounts, agents that go on, typed credentials in merges
// and under new keys, and everything of somebody who goes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { systemClock } from '../../src/lib/time.ts'
import { pruneVaultKeys, rotateVaultKeys } from '../../src/vault/key-rotation.ts'
import {
  connect,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  type SignedIn,
  signIn,
  userPath,
} from '../support/actors.ts'
import { answer } from '../support/approvals.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { inDatabase } from '../support/console.ts'
import { DATABASES } from '../support/deployment.ts'
import { enrolApp, ownWays, toSecondStep, typeCode } from '../support/factors.ts'
import { eventually, request } from '../support/http.ts'
import { importUsers } from '../support/imports.ts'
import { callProxy, setPolicy } from '../support/proxy.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { PASSWORDS, type Person } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'
import { connectTyped, startKeyApi, withTyped } from '../support/typed.ts'

const keyApi = await startKeyApi()
const KEY = 'a-key-that-somebody-typed'

const worlds = await Promise.all(
  DATABASES.map(async (database) => {
    const server = await startServer({
      database,
      hostName: 'localhost',
      tenant: (file) => {
        withTyped(file, keyApi)
        file.connections.push(...ownWays(['web', 'spa', 'agent-a']))
      },
    })
    return { database, server, api: await mgmt(server) }
  }),
)

for (const { database, server, api } of worlds) {
  let people = 0
  async function create(name: string, verified = true): Promise<Person & { readonly id: string }> {
    const user = { email: `${name}-${++people}@example.test`, password: `of ${name} ${Math.random()}` }
    const made = await api.post('/users', { connection: PASSWORDS, email_verified: verified, ...user })
    return { ...user, id: expectStatus(made, 201).json.user_id }
  }
  async function somebody(name: string) {
    const user = await create(name)
    return { ...(await signIn(server, { client: 'agent-a', user })), user }
  }
  const linkTo = (to: string, about: RegExp, nth: number) =>
    eventually(`mail ${nth} to ${to}`, () => {
      const mails = server.mails().filter((mail) => mail.to === to && about.test(mail.subject))
      return mails.length > nth ? (mails[nth]?.links[0] ?? '') : undefined
    })
  const accountsOf = (userId: string) => inDatabase(server, (storage) => storage.accounts.listOfUser(userId))
  const lastKey = () => keyApi.calls.at(-1)?.headers['x-api-key']

  async function addPasskeyStep({ browser }: Pick<SignedIn, 'browser'>) {
    await browser.open(`${server.url}/account/connections`)
    await browser.submit('link', { connection: 'passkeys' })
    const options = JSON.parse((browser.form('passkey').attributes.get('data-options') ?? '').replaceAll('&quot;', '"'))
    const passkey = new Authenticator(server.url).make(options)
    await browser.submit('passkey', { fields: { passkey, label: 'A device' } })
    await browser.submit('second-step', { action: 'ask-passkey' })
  }

  test(`T-LINK-10 ${database}: the mail of a second step takes back that one and what came after it, and none of before`, async () => {
    const who = await somebody('two-steps')
    const { app } = await enrolApp(who.browser, server)
    await linkTo(who.user.email, /second step was added/, 0)
    passTime(60)
    await addPasskeyStep(who)
    const link = await linkTo(who.user.email, /second step was added/, 1)
    const reader = new Browser()
    assert.match((await reader.open(link)).text, /that second step/)
    const [form] = reader.page.forms
    const fields = { ...Object.fromEntries(form?.fields ?? []), action: 'not_me' }
    assert.match((await reader.post(`${server.url}/account/not-me`, fields)).text, /taken back/)
    const enrolled = await inDatabase(server, (storage) => storage.secondFactors.listOfUser(who.sub))
    assert.deepEqual(
      enrolled.map(({ kind }) => kind),
      ['totp'],
    )
    // Who reads the mailbox, and knows the password, still lacks the step that was there before.
    const thief = await toSecondStep(server, who.user)
    // Somebody else may have seen the codes of before.
    assert.ok(!thief.page.forms.some(({ name }) => name === 'mfa-recovery'))
    passTime(60)
    assert.ok((await typeCode(await toSecondStep(server, who.user), app.code())).stopped)
    assert.equal((await new Browser().open(link)).error, 'ticket_invalid')
    // What came after the denied one goes with it.
    const first = await linkTo(who.user.email, /second step was added/, 0)
    await reader.open(first)
    const again = { ...Object.fromEntries(reader.page.forms[0]?.fields ?? []), action: 'not_me' }
    await reader.post(`${server.url}/account/not-me`, again)
    assert.deepEqual(await inDatabase(server, (storage) => storage.secondFactors.listOfUser(who.sub)), [])
  })

  test(`T-PRE-03 ${database}: whoever recovers an address keeps nothing of who prepared the account: no other address, no connected account`, async () => {
    const attacker = server.person(`preparer-${database}`, ['calendar'])
    const own = await signIn(server, { client: 'agent-a', connection: 'calendar' })
    await connect(own.browser, server, { token: await meToken(server, own), connection: 'calendar' })
    const victim = await create('recovers', false)
    const [provider, user_id] = victim.id.split('|')
    expectStatus(await api.post(`${userPath(own.sub)}/identities`, { provider, user_id }), 201)

    await resetByMail(victim.email, 'a password of the owner')
    const user = expectStatus(await api.get(userPath(own.sub)), 200).json
    assert.deepEqual([user.email, user.email_verified], [victim.email, true])
    assert.deepEqual(
      user.identities.map(({ connection }: { connection: string }) => connection),
      [PASSWORDS],
    )
    assert.ok(!JSON.stringify(user).includes(attacker.email))
    const evidence = await inDatabase(server, (storage) => storage.evidence.listOfUser(own.sub))
    assert.deepEqual([...new Set(evidence.map(({ address }) => address))], [victim.email])
    assert.deepEqual(await accountsOf(own.sub), [])
    // By whatever way in they come with their own address: it is no address of this user's.
    assert.notEqual((await signIn(server, { connection: 'calendar' })).sub, own.sub)
  })

  /** A new password by a mailed link, for somebody who is not signed in. */
  async function resetByMail(email: string, password: string): Promise<void> {
    const json = { client_id: 'web', connection: PASSWORDS, email }
    expectStatus(await request(`${server.url}/dbconnections/change_password`, { json }), 200)
    const browser = new Browser()
    await browser.open(await linkTo(email, /password/i, 0))
    await browser.submit('reset', { fields: { password } })
  }

  test(`T-AGT-05 ${database}: a yes, and a question, end when the person stops the agent, and do not come back with it`, async () => {
    const who = await somebody('stops')
    server.person(`stops-${database}`, ['calendar'])
    await connect(who.browser, server, { token: await meToken(server, who), connection: 'calendar' })
    await setPolicy(server, 'agent-a', { approvals: [{ connection: 'calendar', valid_seconds: 86_400 }] })
    const ask = () => exchange(server, { client: 'agent-a', connection: 'calendar', subjectToken: who.refreshToken })
    const asked = await ask()
    assert.equal(asked.json.tenon.code, 'approval_pending')
    const question = { ...asked, json: asked.json.tenon }
    await answer(server, who.browser, question, 'allow')
    expectStatus(await ask(), 200)
    const switchTo = async (name: 'stop-agent' | 'resume-agent', action: string) => {
      await who.browser.open(`${server.url}/account/agents`)
      const form = who.browser.page.forms.find(
        (one) => one.name === name && one.attributes.get('data-client') === 'agent-a',
      )
      assert.ok(form, who.browser.page.text)
      await who.browser.post(new URL(form.action, server.url).href, { ...Object.fromEntries(form.fields), action })
    }
    await switchTo('stop-agent', 'stop')
    assert.equal((await ask()).json.tenon.reason, 'agent_stopped')
    await switchTo('resume-agent', 'continue')
    const after = await ask()
    assert.equal(after.json.tenon.code, 'approval_pending')
    // Nor may a question of before the stop be answered after it.
    await switchTo('stop-agent', 'stop')
    const page = await who.browser.open(`${server.url}/approve?auth_req_id=${after.json.tenon.auth_req_id}`)
    assert.equal(page.error, 'interaction_expired')
    await who.browser.open(`${server.url}/account/agents`)
    assert.doesNotMatch(who.browser.page.body, /\/approve\?/)
    await setPolicy(server, 'agent-a', null)
  })

  test(`T-VAULT-04 ${database}: a typed credential opens after a merge, under a new key without the old one, and for whom it was when the merge is undone`, async () => {
    const [one, two] = [await somebody('primary'), await somebody('typist')]
    const typed = { token: await meToken(server, two), connection: 'crm', typed: { secret: KEY } }
    const { id } = await connectTyped(two.browser, server, typed)
    expectStatus(await api.post('/links', { primary_user_id: one.sub, secondary_user_id: two.sub }), 201)
    const token = await meToken(server, one)
    const calls = async (by: string) => {
      expectStatus(await callProxy(server, by, id, '/contacts'), 204)
      assert.equal(lastKey(), KEY)
    }
    await calls(token)
    await inDatabase(server, async (storage) => {
      const keyring = openKeyring({ source: `file:${server.dataDir}/vault.key`, pollMs: 0 })
      const parts = { storage, keyring, clock: systemClock }
      await rotateVaultKeys(parts)
      assert.equal((await pruneVaultKeys(parts)).length, 1)
      keyring.close()
    })
    await calls(token)
    const [link] = expectStatus(await api.get(`${userPath(one.sub)}/links`), 200).json.links
    expectStatus(await api.post(`/links/${link.id}/undo`, {}), 200)
    assert.equal((await callProxy(server, token, id, '/contacts')).status, 404)
    const back = await signIn(server, { client: 'agent-a', user: two.user })
    await calls(await meToken(server, back))
    assert.equal((await accountsOf(two.sub))[0]?.health, 'ok')
  })

  test(`T-LIFE-01 ${database}: with somebody goes the second step of whoever they were joined with`, async () => {
    const [one, two] = [await somebody('stays'), await somebody('goes-in')]
    await enrolApp(two.browser, server)
    expectStatus(await api.post('/links', { primary_user_id: one.sub, secondary_user_id: two.sub }), 201)
    const waiting = () => inDatabase(server, (storage) => storage.secondFactors.listOfUser(two.sub))
    assert.equal((await waiting()).length, 1)
    expectStatus(await api.delete(userPath(one.sub)), 204)
    assert.deepEqual(await waiting(), [])
  })

  test(`T-LIFE-06 ${database}: with a connection go the accounts of people who sign in otherwise, each with its record`, async () => {
    const who = await somebody('outlives')
    const token = await meToken(server, who)
    const { id } = await connectTyped(who.browser, server, {
      token,
      connection: 'wiki',
      typed: { username: 'ada', secret: 'x1' },
    })
    const { id: connectionId } = (await api.get('/connections?name=wiki')).json[0]
    expectStatus(await api.delete(`/connections/${connectionId}`), 204)
    assert.deepEqual(await accountsOf(who.sub), [])
    assert.equal((await callProxy(server, token, id, '/pages')).status, 404)
    const revoked = await eventsOf(server, 'vault.revoked')
    assert.ok(revoked.some(({ accountId, userId }) => accountId === id && userId === who.sub))
    expectStatus(await api.get(userPath(who.sub)), 200)
  })

  test(`T-AGT-01 ${database}: an agent sees and disconnects no account of a connection that its policy does not name`, async () => {
    const who = await somebody('two-accounts')
    server.person(`seen-${database}`, ['calendar'])
    const token = await meToken(server, who)
    const calendar = await connect(who.browser, server, { token, connection: 'calendar' })
    const crm = await connectTyped(who.browser, server, { token, connection: 'crm', typed: { secret: KEY } })
    const own = me(server, token)
    const seen = async () => {
      const { accounts } = expectStatus(await own.get('/connected-accounts/accounts'), 200).json
      const { connections } = expectStatus(await own.get('/connected-accounts/connections'), 200).json
      const names = (list: readonly { name?: string; connection?: string }[]) =>
        list.map((one) => one.connection ?? one.name).sort()
      return [names(accounts), names(connections).includes('crm')]
    }
    assert.deepEqual(await seen(), [['calendar', 'crm'], true])
    await setPolicy(server, 'agent-a', { connections: [{ connection: 'calendar' }] })
    assert.deepEqual(await seen(), [['calendar'], false])
    expectStatus(await own.delete(`/connected-accounts/accounts/${crm.id}`), 204)
    assert.equal((await accountsOf(who.sub)).length, 2)
    expectStatus(await own.delete(`/connected-accounts/accounts/${calendar.id}`), 204)
    await setPolicy(server, 'agent-a', { mode: 'observe', connections: [{ connection: 'calendar' }] })
    assert.deepEqual(await seen(), [['crm'], true])
    await setPolicy(server, 'agent-a', null)
  })

  test(`T-LINK-12 ${database}: a passkey that an import named, and whose key is elsewhere, is no way in that remains`, async () => {
    const userId = `passkey|imported-${database}`
    const [, passkey] = userId.split('|')
    const row = {
      user_id: userId,
      email: `imported-${database}@example.test`,
      email_verified: true,
      identities: [{ provider: 'passkey', connection: 'passkeys', user_id: passkey }],
    }
    const job = await importUsers(server, api, [row])
    assert.deepEqual([job.summary.inserted, job.refused], [1, []])
    const other = await create('linked-by-import')
    const [provider = '', user_id = ''] = other.id.split('|')
    expectStatus(await api.post(`${userPath(userId)}/identities`, { provider, user_id }), 201)
    const refused = await api.delete(`${userPath(userId)}/identities/${provider}/${user_id}`)
    assert.deepEqual([refused.status, refused.json.errorCode], [400, 'operation_not_supported'])
  })
}
