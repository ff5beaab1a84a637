import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Provider, startGithubProvider, startOidcProvider } from '../src/testing/index.ts'
import { authorize, CALLBACK, callbackFields, type Fields, getWith, jsonOf, post, redeem, untilDone } from './app.ts'

const USERS = { ada: { name: 'Ada <Lovelace>' }, grace: { name: 'Grace Hopper', email: 'grace@x.test' } }

async function openPage(provider: Provider, fields: Fields = {}): Promise<string> {
  const request = {
    client_id: provider.clientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    state: 's"1',
    ...fields,
  }
  const response = await fetch(provider.authorizeUrl(request))
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  return response.text()
}

/** Hidden fields, ticked boxes and the chosen user, as a browser would send them. */
function formOf(page: string): URLSearchParams {
  const fields = new URLSearchParams()
  for (const [tag] of page.matchAll(/<input [^>]*>/g)) {
    const [type, name, value] = ['type', 'name', 'value'].map(
      (one) => new RegExp(` ${one}="([^"]*)"`).exec(tag)?.[1] ?? '',
    )
    if (type === 'hidden' || / checked/.test(tag)) fields.append(name ?? '', unescapeHtml(value ?? ''))
  }
  return fields
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}

async function decide(provider: Provider, page: string, changes: Fields): Promise<Fields> {
  const form = formOf(page)
  for (const [name, value] of Object.entries(changes)) form.set(name, value)
  const response = await fetch(provider.endpoint('consent'), { method: 'POST', body: form, redirect: 'manual' })
  assert.equal(response.status, 303)
  return callbackFields(response)
}

test('consent: the page names the app, its scopes and the users, and runs no scripts', async () => {
  const provider = untilDone(
    await startOidcProvider({ interactive: true, name: 'calendar', clientName: 'Tenon & co', users: USERS }),
  )
  const page = await openPage(provider, { scope: 'openid calendar.read odd:scope' })
  assert.match(page, /<h1>Tenon &amp; co asks to use your Calendar account<\/h1>/)
  assert.match(page, /See the events in your calendar <code>calendar\.read<\/code>/)
  assert.match(page, /<li><code>odd:scope<\/code><\/li>/)
  assert.match(page, /Ada &lt;Lovelace&gt;/)
  assert.doesNotMatch(page, /<script| on\w+=|style=/)
  assert.equal((await fetch(`${provider.url}/consent.css`)).status, 200)
})

test('consent: allowing gives a code for the chosen user, denying gives access_denied', async () => {
  const provider = untilDone(await startGithubProvider({ interactive: true, users: USERS }))
  const page = await openPage(provider, { scope: 'repo' })
  const denied = await decide(provider, page, { action: 'deny' })
  assert.deepEqual(denied, { error: 'access_denied', error_description: 'The user said no', state: 's"1' })

  const allowed = await decide(provider, page, { action: 'allow', user: 'grace' })
  assert.equal(allowed.state, 's"1')
  const { access_token } = await jsonOf(await redeem(provider, allowed.code ?? ''))
  const who = await jsonOf(await getWith(String(access_token), provider.apiUrl))
  assert.equal(who.user, 'grace')
})

test('consent: without a pressed button nothing is allowed', async () => {
  const provider = untilDone(await startGithubProvider({ interactive: true, users: USERS }))
  assert.equal((await decide(provider, await openPage(provider), {})).error, 'access_denied')
})

test('consent: a login hint chooses the user, else the current one is chosen', async () => {
  const provider = untilDone(await startOidcProvider({ interactive: true, users: USERS }))
  assert.equal(formOf(await openPage(provider)).get('user'), 'ada')
  assert.equal(formOf(await openPage(provider, { login_hint: 'grace@x.test' })).get('user'), 'grace')
})

test('consent: with granular consent an unticked scope is not granted', async () => {
  const provider = untilDone(await startOidcProvider({ interactive: true, granularConsent: true, users: USERS }))
  const page = await openPage(provider, { scope: 'openid calendar.read calendar.write' })
  assert.deepEqual(formOf(page).getAll('scope'), ['openid', 'calendar.read', 'calendar.write'])
  const { code = '' } = await decide(provider, page, { action: 'allow', scope: 'openid' })
  assert.equal((await jsonOf(await redeem(provider, code))).scope, 'openid')
})

test('consent: prompt=none never shows the page', async () => {
  const provider = untilDone(await startOidcProvider({ interactive: true, users: USERS }))
  assert.equal((await authorize(provider, { scope: 'openid', prompt: 'none' })).error, 'interaction_required')
})

test('consent: the form cannot smuggle in another redirect URI', async () => {
  const provider = untilDone(await startOidcProvider({ interactive: true, redirectUris: [CALLBACK], users: USERS }))
  const form = Object.fromEntries(formOf(await openPage(provider)))
  const changed = { ...form, action: 'allow', 'request.redirect_uri': 'http://127.0.0.1:9/elsewhere' }
  const response = await post(provider.endpoint('consent'), changed)
  assert.deepEqual([response.status, response.headers.get('location')], [400, null])
})
