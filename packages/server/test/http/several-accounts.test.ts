// Several accounts at one provider: which one a client's request means, the one that is used without a word about it, and
// one that comes back in another's place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  completeConnect,
  connect,
  drive,
  exchange,
  expectStatus,
  me,
  meToken,
  signIn,
  startConnect,
} from '../support/actors.ts'
import { DATABASES } from '../support/deployment.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'

const stages = await Promise.all(
  DATABASES.map(async (database) => {
    const server = await startServer({
      database,
      tenant: (file) => {
        const files = file.connections.find(({ name }) => name === 'files')
        Object.assign(files as object, { authentication: { active: false } })
      },
    })
    return { database, server }
  }),
)

for (const { database, server } of stages) {
  const { files } = server.providers
  /** Somebody with two accounts connected, as `work` and `home`. */
  const somebody = async (name: string) => {
    const [work, home, third] = ['work', 'home', 'third'].map((which) => server.person(`${name}-${which}`, ['files']))
    assert.ok(work && home && third)
    const person = server.person(name, ['calendar'])
    const who = await signIn(server, { client: 'agent-a', connection: 'calendar' })
    const token = await meToken(server, who)
    const ids: string[] = []
    for (const one of [work, home]) {
      one.at('files')
      const { id } = await connect(who.browser, server, { token, connection: 'files' })
      ids.push(id)
      // The default is the one that was connected last.
      passTime(2)
    }
    const [workId = '', homeId = ''] = ids
    assert.notEqual(workId, homeId)
    return { person, who, token, work, home, third, workId, homeId }
  }
  const accountsOf = async (token: string) =>
    expectStatus(await me(server, token).get('/capabilities'), 200).json.connections.find(
      ({ connection }: { connection: string }) => connection === 'files',
    ).accounts

  test(`${database}: who has several accounts is asked which one is meant, and the others stay as they are`, async () => {
    const { who, token, work, workId, homeId } = await somebody('picker')
    const { browser } = who
    const flow = await startConnect(server, { token, connection: 'files' })
    const page = await browser.open(flow.url)
    assert.equal(page.name, 'which-account')
    const listed = page.forms.flatMap(({ attributes }) => attributes.get('data-account') ?? [])
    assert.deepEqual([...listed].sort(), [workId, homeId].sort())
    work.at('files')
    await browser.submit('which-account', { fields: { account: workId } })
    assert.equal(browser.page.name, 'link-confirm')
    assert.doesNotMatch(browser.page.text, /This is not/)
    const done = await drive(browser)
    const account = expectStatus(await completeConnect(server, flow, done.params), 201).json
    assert.equal(account.id, workId)
    assert.equal((await accountsOf(token)).length, 2)
  })

  test(`${database}: another one is asked for at the provider, by its account picker`, async () => {
    const { who, token, third, workId, homeId } = await somebody('third')
    const flow = await startConnect(server, { token, connection: 'files' })
    await who.browser.open(flow.url)
    third.at('files')
    const before = files.calls('authorize').length
    await who.browser.submit('which-another', { action: 'another' })
    const asked = files.calls('authorize').slice(before)
    assert.equal(asked.length, 1)
    assert.match(JSON.stringify(asked), /select_account/)
    const done = await drive(who.browser)
    const { id } = expectStatus(await completeConnect(server, flow, done.params), 201).json
    assert.ok(![workId, homeId].includes(id))
  })

  test(`${database}: T-CONN-08 a client that names an account, and a person who comes back with another, are told apart`, async () => {
    const { who, token, third, workId } = await somebody('named')
    const { label } = (await accountsOf(token)).find(({ id }: { id: string }) => id === workId)
    const fields = { authorization_params: { login_hint: label } }
    const flow = await startConnect(server, { token, connection: 'files', fields })
    third.at('files')
    const page = await who.browser.open(flow.url)
    assert.equal(page.name, 'link-confirm')
    assert.match(page.text, /This is not/)
    assert.match(page.text, /Add it as another/)
    const given = files.calls('revoke').length
    const back = await who.browser.submit('link-confirm', { action: 'cancel' })
    assert.equal(back.params.get('error'), 'access_denied')
    await eventually('what came is given back', () => files.calls('revoke').length > given)
    assert.equal((await accountsOf(token)).length, 2)
  })

  test(`${database}: a reconnect that meets another account asks; a no changes nothing, a yes adds it`, async () => {
    const { who, token, third, work, workId, homeId } = await somebody('again')
    const { browser } = who
    const reconnect = async () => {
      await browser.open(`${server.url}/account/connections`)
      const { action, fields } = browser.form('link', 'files')
      const named = { ...Object.fromEntries(fields), connection: 'files', account: workId }
      return browser.post(new URL(action, server.url).href, named, { from: browser.page.url })
    }
    third.at('files')
    const page = await reconnect()
    assert.equal(page.name, 'link-confirm')
    assert.match(page.text, /This is not/)
    const no = await browser.submit('link-confirm', { action: 'cancel' })
    assert.match(no.text, /We did not change anything/)
    assert.deepEqual((await accountsOf(token)).map(({ id }: { id: string }) => id).sort(), [workId, homeId].sort())

    await reconnect()
    const yes = await browser.submit('link-confirm', { action: 'confirm' })
    assert.match(yes.text, /is connected/)
    const all = (await accountsOf(token)).map(({ id }: { id: string }) => id)
    assert.equal(all.length, 3)
    assert.ok(all.includes(workId) && all.includes(homeId))
    const first = await exchange(server, {
      client: 'agent-a',
      connection: 'files',
      subjectToken: who.refreshToken,
      loginHint: workId,
    })
    const answer = await fetch(files.apiUrl, { headers: { authorization: `Bearer ${first.json.access_token}` } })
    assert.match(await answer.text(), new RegExp(String(work.subjects.files)))

    work.at('files')
    assert.match((await reconnect()).text, /works again/)
  })

  test(`${database}: an exchange without a word takes the default, and a label of two says which there are`, async () => {
    const { who, token, workId, homeId } = await somebody('label')
    const { browser } = who
    const ask = (loginHint?: string) =>
      exchange(server, {
        client: 'agent-a',
        connection: 'files',
        subjectToken: who.refreshToken,
        ...(loginHint ? { loginHint } : {}),
      })
    for (const id of [workId, homeId]) {
      await browser.open(`${server.url}/account/connections`)
      const form = browser.page.forms.find(
        ({ name, attributes }) => name === 'label' && attributes.get('data-account') === id,
      )
      assert.ok(form)
      const fields = { ...Object.fromEntries(form.fields), label: 'Same' }
      await browser.post(new URL(form.action, server.url).href, fields, { from: browser.page.url })
    }
    const both = expectStatus(await ask('Same'), 400)
    assert.deepEqual([both.json.tenon.code, both.json.tenon.labels], ['account_ambiguous', ['Same', 'Same']])
    expectStatus(await ask(workId), 200)
    const before = (await accountsOf(token)).find(({ is_default }: { is_default: boolean }) => is_default)
    assert.equal(before.id, homeId, 'the one that was connected last')
    await browser.open(`${server.url}/account/connections`)
    await browser.submit('set-default')
    const marked = (await accountsOf(token)).find(({ is_default }: { is_default: boolean }) => is_default)
    expectStatus(await ask(), 200)
    assert.ok([workId, homeId].includes(marked.id))
    // A client's own hint that fits both is the person's to answer.
    const flow = await startConnect(server, {
      token,
      connection: 'files',
      fields: { authorization_params: { login_hint: 'Same' } },
    })
    assert.equal((await browser.open(flow.url)).name, 'which-account')
  })
}
