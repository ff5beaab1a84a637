// Agents that ask a person, and devices without a browser, as clients see them (auth0-wire.md §1.7, §1.8).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, drive, expectStatus, mgmt, refresh, signIn, tokenRequest, userPath } from '../support/actors.ts'
import { answer, ask, askByDevice, openQuestion, poll, pollByDevice, withApprovals } from '../support/approvals.ts'
import { Browser } from '../support/browser.ts'
import { DATABASES } from '../support/deployment.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const told = ({ status, json, headers }: Answer) => {
  assert.equal(headers['www-authenticate'], undefined)
  assert.match(headers['content-type'] ?? '', /application\/json/)
  return `${status} ${json.error}`
}

// Both stand before the first test begins: a file whose tests have ended is over.
const servers = await Promise.all(
  DATABASES.map(async (database) => ({ database, server: await startServer({ database, tenant: withApprovals }) })),
)

for (const { database, server } of servers) {
  const { ada, eve } = server.tenant
  /** Signed in now, so that answers count. */
  const person = (user = ada) => signIn(server, { client: 'web', user })

  const stopOrResume = async (browser: Browser, name: 'stop-agent' | 'resume-agent') => {
    const page = await browser.open(`${server.url}/account/agents`)
    const form = page.forms.find((one) => one.name === name && one.attributes.get('data-client') === 'agent-a')
    assert.ok(form)
    await browser.post(new URL(form.action, server.url).href, Object.fromEntries(form.fields), { from: server.url })
    assert.match(browser.page.text, /Agent A (?:is stopped|may go on)/)
  }

  test(`${database}: an agent asks, the person is mailed and says yes on the page, and the agent gets its tokens once`, async () => {
    const visit = await person()
    const before = server.mails().length
    const asked = expectStatus(
      await ask(server, visit.sub, {
        scope: 'openid profile offline_access read:things erase:things',
        audience: API,
        binding_message: 'Merge “Pin the runtime”?',
        requested_expiry: '120',
      }),
      200,
    )
    assert.deepEqual([asked.json.expires_in, asked.json.interval], [120, 5])
    assert.equal(told(await poll(server, asked)), '400 authorization_pending')
    const mail = await eventually('the mail', () =>
      server
        .mails()
        .slice(before)
        .find(({ to }) => to === ada.email),
    )
    assert.match(mail.subject, /Agent A asks for your yes/)
    assert.doesNotMatch(mail.text, /Pin the runtime/)
    const page = await visit.browser.open(mail.links.find((link) => link.includes('/approve')) ?? '')
    assert.equal(page.name, 'approve')
    for (const words of [/Agent A/, /Merge “Pin the runtime”\?/, /In its own words/, /Read things/, /Acme API/])
      assert.match(page.text, words)
    assert.doesNotMatch(page.text, /erase:things|Write things/)
    await visit.browser.submit('approve', { action: 'allow' })
    assert.equal(visit.browser.chain[0]?.status, 303)
    assert.match(visit.browser.page.text, /You said yes/)
    const got = expectStatus(await poll(server, asked), 200).json
    assert.deepEqual([got.token_type, got.scope], ['Bearer', 'openid profile offline_access read:things'])
    const access = claimsOf(got.access_token)
    assert.deepEqual([access.sub, access.azp], [visit.sub, 'agent-a'])
    assert.deepEqual([access.aud].flat().includes(API), true)
    assert.equal(claimsOf(got.id_token).sub, visit.sub)
    expectStatus(await refresh(server, 'agent-a', got.refresh_token), 200)
    assert.equal(told(await poll(server, asked)), '403 invalid_grant')
  })

  test(`${database}: a no, and a question that nobody answers, are access_denied once, and unknown after`, async () => {
    const { browser, sub } = await person(eve)
    const denied = await ask(server, sub)
    await answer(server, browser, denied, 'deny')
    const late = await ask(server, sub, { requested_expiry: '30' })
    passTime(31)
    for (const asked of [denied, late]) {
      const refused = await poll(server, asked)
      assert.equal(told(refused), '403 access_denied')
      assert.match(refused.json.error_description, /denied the authorization request or it has been expired/)
      assert.equal(told(await poll(server, asked)), '403 invalid_grant')
    }
    assert.match((await openQuestion(server, browser, late)).text, /This question is over/)
  })

  test(`${database}: what is asked wrongly is refused with its own code, and asks nobody`, async () => {
    const { sub, browser } = await person()
    const hint = (value: object) => JSON.stringify({ format: 'iss_sub', iss: server.issuer, sub, ...value })
    const cases: readonly (readonly [Record<string, string | undefined>, string])[] = [
      [{ login_hint: 'ada' }, '400 invalid_request'],
      [{ login_hint: hint({ format: 'email' }) }, '400 invalid_request'],
      [{ login_hint: hint({ iss: 'https://other.test/' }) }, '400 invalid_request'],
      [{ login_hint: hint({ sub: 'auth0|nobody' }) }, '400 unknown_user_id'],
      [{ login_hint: undefined }, '400 invalid_request'],
      [{ scope: 'profile' }, '400 invalid_request'],
      [{ binding_message: 'x'.repeat(65) }, '400 invalid_binding_message'],
      [{ binding_message: 'safe \u202e daer' }, '400 invalid_binding_message'],
      [{ binding_message: 'two\nlines' }, '400 invalid_binding_message'],
      [{ requested_expiry: '0' }, '400 invalid_request'],
      [{ requested_expiry: '259201' }, '400 invalid_request'],
      [{ requested_expiry: 'soon' }, '400 invalid_request'],
      [{ authorization_details: '[{"type":"payment"}]' }, '400 invalid_authorization_details'],
      [{ audience: 'https://nowhere.test/' }, '403 invalid_target'],
      [{ audience: `${server.issuer}api/v2/` }, '403 access_denied'],
      [{ client: 'm2m' }, '403 unauthorized_client'],
      [{ client_secret: 'wrong' }, '401 invalid_client'],
    ]
    for (const [fields, expected] of cases)
      assert.equal(told(await ask(server, sub, fields)), expected, JSON.stringify(fields))
    assert.equal(
      told(await tokenRequest(server, 'm2m', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'x' })),
      '403 unauthorized_client',
    )
    await browser.open(`${server.url}/account/agents`)
    assert.doesNotMatch(browser.page.text, /Waiting for your answer/)
    expectStatus(
      await ask(server, sub, {
        audience: '',
        authorization_details: '[]',
        requested_expiry: undefined,
        request_expiry: '60',
      }),
      200,
    )
  })

  test(`${database}: a question stands on the page of one's agents, and a person who is not signed in does that first`, async () => {
    const { sub, browser } = await person(eve)
    const asked = expectStatus(await ask(server, sub, { client: 'agent-b' }), 200)
    await browser.open(`${server.url}/account/agents`)
    assert.match(browser.page.text, /Waiting for your answer.*Agent B asked/)
    const link = browser.page.links.find((one) => one.includes('/approve?request='))
    const fresh = new Browser()
    await fresh.open(new URL(link ?? '', server.url).href)
    assert.equal(fresh.page.name, 'login')
    const page = await drive(fresh, { user: eve })
    assert.equal(page.name, 'approve')
    await fresh.submit('approve', { action: 'allow' })
    assert.equal(claimsOf(expectStatus(await poll(server, asked, 'agent-b'), 200).json.id_token).sub, sub)
    await browser.open(`${server.url}/account/agents`)
    assert.doesNotMatch(browser.page.text, /Waiting for your answer/)
  })

  test(`${database}: a device shows a code, the person compares it and lets it in`, async () => {
    const { sub, browser } = await person()
    const asked = expectStatus(
      await askByDevice(server, { scope: 'openid offline_access read:things', audience: API }),
      200,
    )
    const { user_code: code, verification_uri: uri, verification_uri_complete: complete } = asked.json
    assert.match(code, /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/)
    assert.deepEqual([asked.json.expires_in, asked.json.interval, uri], [900, 5, `${server.issuer}activate`])
    assert.equal(told(await pollByDevice(server, asked)), '400 authorization_pending')
    await browser.open(uri)
    assert.equal(browser.page.name, 'activate')
    await browser.submit('activate', { fields: { user_code: 'BBBB-BBBB' } })
    assert.deepEqual([browser.page.status, browser.page.name], [400, 'activate'])
    await browser.submit('activate', { fields: { user_code: code.toLowerCase().replace('-', ' ') } })
    assert.equal(browser.page.name, 'approve')
    for (const words of [/Living room/, new RegExp(code), /Read things/]) assert.match(browser.page.text, words)
    await browser.submit('approve', { action: 'allow' })
    const got = expectStatus(await pollByDevice(server, asked), 200).json
    assert.equal(claimsOf(got.access_token).sub, sub)
    expectStatus(await refresh(server, 'tv', got.refresh_token), 200)
    assert.equal(told(await pollByDevice(server, asked)), '403 invalid_grant')
    // The link that a device shows as a picture leads on by itself; whoever is not signed in does that first.
    const next = expectStatus(await askByDevice(server), 200)
    const fresh = new Browser()
    await fresh.open(next.json.verification_uri_complete)
    assert.equal(fresh.page.name, 'login')
    assert.equal((await drive(fresh, { user: eve })).name, 'approve')
    await fresh.submit('approve', { action: 'deny' })
    assert.match(fresh.page.text, /You said no/)
    assert.equal(told(await pollByDevice(server, next)), '403 access_denied')
    assert.notEqual(complete, next.json.verification_uri_complete)
  })

  test(`${database}: a device code that ran out says so once`, async () => {
    const { browser } = await person()
    const asked = expectStatus(await askByDevice(server), 200)
    passTime(901)
    assert.equal((await browser.open(asked.json.verification_uri_complete)).name, 'activate')
    assert.equal(told(await pollByDevice(server, asked)), '400 expired_token')
    assert.equal(told(await pollByDevice(server, asked)), '403 invalid_grant')
    assert.equal(told(await askByDevice(server, { client: 'spa' })), '403 unauthorized_client')
    assert.equal(told(await askByDevice(server, { audience: 'https://nowhere.test/' })), '403 invalid_target')
  })

  test(`${database}: whoever is blocked, or stopped the agent, after the yes: the yes is worth nothing`, async () => {
    const { sub, browser } = await person(eve)
    const asked = await ask(server, sub)
    await answer(server, browser, asked, 'allow')
    await stopOrResume(browser, 'stop-agent')
    assert.equal(told(await poll(server, asked)), '403 access_denied')
    assert.equal(told(await ask(server, sub)), '403 access_denied')
    await stopOrResume(browser, 'resume-agent')
    const api = await mgmt(server)
    expectStatus(await api.patch(userPath(sub), { blocked: true }), 200)
    assert.equal(told(await poll(server, asked)), '403 invalid_grant')
    assert.equal(told(await ask(server, sub)), '400 unknown_user_id')
    expectStatus(await api.patch(userPath(sub), { blocked: false }), 200)
  })

  test(`${database}: what was asked and answered stands in the log under Auth0's names`, async () => {
    const { sub, browser } = await person()
    const asked = await ask(server, sub)
    await answer(server, browser, asked, 'allow')
    expectStatus(await poll(server, asked), 200)
    const api = await mgmt(server)
    const { json } = expectStatus(await api.get(`${userPath(sub)}/logs?per_page=100`), 200)
    const types = new Set(json.map(({ type }: { type: string }) => type))
    for (const type of ['ciba_start_succeeded', 'ciba_exchange_succeeded', 'sede']) assert.ok(types.has(type), type)
  })

  test(`${database}: discovery names what there is`, async () => {
    const { json } = await request(`${server.url}/.well-known/openid-configuration`)
    assert.equal(json.backchannel_authentication_endpoint, `${server.issuer}bc-authorize`)
    assert.equal(json.device_authorization_endpoint, `${server.issuer}oauth/device/code`)
    assert.deepEqual(json.backchannel_token_delivery_modes_supported, ['poll'])
  })
}
