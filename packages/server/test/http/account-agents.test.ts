// What agents may use, on a person's own pages and over /me/v1: stopped and let go on, named, disconnected, told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, exchange, expectStatus, me, meToken, type SignedIn, signIn } from '../support/actors.ts'
import type { Browser, Page } from '../support/browser.ts'
import { DATABASES } from '../support/deployment.ts'
import { eventually } from '../support/http.ts'
import { startServer, type TestPerson } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { passTime } from '../support/time.ts'

for (const database of DATABASES) {
  const server = await startServer({ database, nodes: 2 })
  const [, other = ''] = server.nodes

  interface Agent extends SignedIn {
    readonly person: TestPerson
    readonly token: string
    readonly account: string
  }

  /** Signed in through `client` by `calendar`, with `files` connected for it. */
  const agentOf = async (name: string, client = 'agent-a', connection = 'files'): Promise<Agent> => {
    const person = server.person(name, ['calendar', 'files', 'code', 'work'])
    const visit = await signIn(server, { client, connection: 'calendar' })
    const token = await meToken(server, visit)
    const { id } = await connect(visit.browser, server, { token, connection })
    return { ...visit, person, token, account: id }
  }
  const page = (browser: Browser, name: string): Promise<Page> => browser.open(`${server.url}/account/${name}`)
  const use = (agent: Agent, more: { url?: string; purpose?: string; client?: string; loginHint?: string } = {}) => {
    const { purpose, client = agent.client, ...rest } = more
    const fields = purpose === undefined ? {} : { purpose }
    return exchange(server, { client, connection: 'files', subjectToken: agent.refreshToken, fields, ...rest })
  }

  test(`${database}: an agent that is stopped gets nothing on any node, until it is let go on`, async () => {
    const agent = await agentOf('stopper')
    expectStatus(await use(agent, { purpose: 'tidy up' }), 200)
    const shown = await page(agent.browser, 'agents')
    assert.match(shown.text, /Agent A/)
    assert.match(shown.text, /In the last seven days: used 1 time/)
    assert.match(shown.text, /tidy up/)
    await agent.browser.submit('stop-agent', { action: 'stop' })
    assert.match(agent.browser.page.text, /Agent A is stopped/)
    for (const url of [server.url, other]) {
      const refused = expectStatus(await use(agent, { url }), 403)
      assert.equal(refused.json.error, 'access_denied')
      assert.deepEqual([refused.json.tenon.code, refused.json.tenon.reason], ['policy_denied', 'agent_stopped'])
      const answer = expectStatus(await me({ url }, agent.token).get('/connected-accounts/accounts'), 403)
      assert.deepEqual([answer.json.code, answer.json.reason], ['policy_denied', 'agent_stopped'])
    }
    const web = await signIn(server, { client: 'web', browser: agent.browser })
    expectStatus(await use({ ...agent, ...web }), 200)
    await page(agent.browser, 'agents')
    await agent.browser.submit('resume-agent')
    assert.match(agent.browser.page.text, /Agent A may go on/)
    expectStatus(await use(agent), 200)
  })

  test(`${database}: who stops an agent stops it for themselves alone`, async () => {
    const [one, two] = [await agentOf('one'), await agentOf('two')]
    await page(one.browser, 'agents')
    await one.browser.submit('stop-agent')
    expectStatus(await use(one), 403)
    expectStatus(await use(two), 200)
  })

  test(`${database}: what is disconnected is gone at once, and revoked at the provider`, async () => {
    const agent = await agentOf('disconnecter')
    await page(agent.browser, 'connections')
    const before = server.providers.files.calls('revoke').length
    const forms = agent.browser.page.forms.filter(({ name }) => name === 'disconnect')
    const form = forms.find(({ attributes }) => attributes.get('data-account') === agent.account)
    assert.ok(form)
    await agent.browser.post(new URL(form.action, server.url).href, Object.fromEntries(form.fields), {
      from: server.url,
    })
    assert.match(agent.browser.page.text, /is disconnected/)
    assert.equal(expectStatus(await use(agent), 401).json.tenon.code, 'not_connected')
    await eventually('the revocation', () => server.providers.files.calls('revoke').length > before)
  })

  test(`${database}: a label is what agents ask by, and one of two accounts is the default`, async () => {
    const agent = await agentOf('labeller')
    server.person('labeller-second', ['files'])
    // Which of two came last is told by the second.
    passTime(1)
    const { id } = await connect(agent.browser, server, { token: agent.token, connection: 'files' })
    assert.notEqual(id, agent.account)
    const post = async (action: string, fields: Record<string, string>) => {
      await page(agent.browser, 'connections')
      const csrf = agent.browser.form('label').fields.find(([name]) => name === 'csrf')?.[1] ?? ''
      const url = `${server.url}/account/connections/${action}`
      return agent.browser.post(url, { csrf, ...fields }, { from: url })
    }
    await post('label', { account: agent.account, label: '  The   first one ' })
    assert.match(agent.browser.page.text, /The first one/)
    const { json } = expectStatus(await use(agent, { loginHint: 'The first one' }), 200)
    assert.ok(server.providers.files.isLive(json.access_token))
    for (const label of ['', 'x'.repeat(41), 'two\u202elines']) {
      await post('label', { account: agent.account, label })
      assert.match(agent.browser.page.text, /A label is one line/)
    }
    const defaultNow = async () => {
      const { json } = expectStatus(await me(server, agent.token).get('/capabilities'), 200)
      const files = json.connections.find(({ connection }: { connection: string }) => connection === 'files')
      return files.accounts.find(({ is_default }: { is_default: boolean }) => is_default).id
    }
    assert.equal(await defaultNow(), id, 'the one connected last')
    await post('default', { account: agent.account })
    assert.equal(await defaultNow(), agent.account)
  })

  test(`${database}: nobody disconnects, names or makes a default what is somebody else's`, async () => {
    const [owner, eve] = [await agentOf('owner'), await agentOf('eve')]
    await page(eve.browser, 'connections')
    const csrf = eve.browser.form('label').fields.find(([name]) => name === 'csrf')?.[1] ?? ''
    await changesNothing(server, async () => {
      for (const action of ['disconnect', 'label', 'default', 'link']) {
        const url = `${server.url}/account/connections/${action}`
        await eve.browser.post(url, { csrf, account: owner.account, label: 'mine', connection: '' }, { from: url })
      }
    })
    expectStatus(await use(owner), 200)
    assert.equal((await page(owner.browser, 'connections')).text.includes('mine'), false)
  })

  test(`${database}: an account whose access ended is connected again by the same account, and by no other`, async () => {
    const agent = await agentOf('again', 'agent-a', 'work')
    const { work } = server.providers
    work.revokeUser(agent.person.key)
    work.expireAccessTokens(agent.person.key)
    const refused = await exchange(server, {
      client: 'agent-a',
      connection: 'work',
      subjectToken: agent.refreshToken,
      fields: { min_ttl: '86400' },
    })
    assert.equal(refused.json.tenon?.code, 'reconnect_required', refused.text)
    assert.match((await page(agent.browser, 'connections')).text, /Needs reconnecting/)
    const reconnect = async () => {
      await page(agent.browser, 'connections')
      const form = agent.browser.page.forms.find(
        ({ fields }) => fields.some(([name]) => name === 'account') && fields.some(([, value]) => value === 'work'),
      )
      assert.ok(form)
      return agent.browser.post(new URL(form.action, server.url).href, Object.fromEntries(form.fields), {
        from: server.url,
      })
    }
    server.person('another', ['work'])
    const asked = await reconnect()
    assert.equal(asked.name, 'link-confirm', asked.text)
    assert.match((await agent.browser.submit('link-confirm', { action: 'cancel' })).text, /Needs reconnecting/)
    agent.person.at('work')
    assert.match((await reconnect()).text, /works again/)
    expectStatus(
      await exchange(server, { client: 'agent-a', connection: 'work', subjectToken: agent.refreshToken }),
      200,
    )
  })

  test(`${database}: the timeline says who used what, what for, and what came of it; filters narrow it`, async () => {
    const agent = await agentOf('watcher')
    for (let turn = 0; turn < 3; turn++) expectStatus(await use(agent, { purpose: 'count the files' }), 200)
    expectStatus(
      await exchange(server, { client: 'agent-a', connection: 'code', subjectToken: agent.refreshToken }),
      401,
    )
    const all = await page(agent.browser, 'activity')
    assert.match(all.text, /Agent A used files \([^)]*\): “count the files”, 3 times/)
    assert.match(all.text, /Agent A wanted to use code\. No such account is connected/)
    assert.match(all.text, /You signed in with calendar/)
    const refused = await page(agent.browser, 'activity?outcome=refused')
    assert.equal(/count the files/.test(refused.text), false)
    const own = await page(agent.browser, 'activity?who=you')
    assert.equal(/Agent A wanted/.test(own.text), false)
    assert.match(own.text, /You signed in/)
    const account = await page(agent.browser, `activity?account=${agent.account}`)
    assert.equal(/You signed in/.test(account.text), false)
    for (const odd of ['before=x', 'who=%00', 'account=%27', 'outcome=maybe', 'before=99999999999999999999'])
      assert.equal((await page(agent.browser, `activity?${odd}`)).status, 200, odd)
    const { secrets } = server.providers.files
    assert.ok(agent.browser.seen.every(({ body }) => ![...secrets].some((secret) => body.includes(secret))))
  })

  test(`${database}: capabilities name what the client may use and how to get the rest, and nothing of others`, async () => {
    const agent = await agentOf('able')
    const { json } = expectStatus(await me(server, agent.token).get('/capabilities'), 200)
    const of = (name: string) => json.connections.find(({ connection }: { connection: string }) => connection === name)
    const [account] = of('files').accounts
    assert.equal(account.id, agent.account)
    assert.equal(account.health, 'ok')
    assert.equal(account.is_default, true)
    assert.equal(of('files').connect, undefined)
    assert.deepEqual(of('code').accounts, [])
    assert.equal(of('code').connect.connection, 'code')
    expectStatus(
      await me(server, agent.token).post('/connected-accounts/connect', {
        ...of('code').connect,
        redirect_uri: 'http://127.0.0.1:9/cb',
      }),
      201,
    )
    const kept = of('calendar').accounts
    assert.equal(kept.length, 1, "the tokens of the sign-in's own account")
    const { secrets } = server.providers.files
    assert.equal(
      [...secrets].some((secret) => JSON.stringify(json).includes(secret)),
      false,
    )
  })
}
