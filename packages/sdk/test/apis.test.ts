import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCalendarProvider, startCodeProvider, startOidcProvider } from '../src/testing/index.ts'
import { getWith, jsonOf, signIn, untilDone } from './app.ts'

interface Events {
  readonly day: string
  readonly items: readonly {
    readonly summary: string
    readonly start: { readonly dateTime: string }
    readonly attendees: readonly unknown[]
  }[]
}

interface Pull {
  readonly number: number
  readonly user: { readonly login: string }
}

test('apis: whoami answers to live tokens and refuses dead ones with a challenge', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: { sub: '5' } } }))
  const { access_token } = await signIn(provider, { scope: 'openid' })
  const answer = await jsonOf(await getWith(access_token, provider.apiUrl))
  assert.deepEqual([answer.user, answer.sub, answer.scopes], ['ada', '5', ['openid']])

  provider.revokeUser('ada')
  for (const token of [access_token, 'never-given']) {
    const refused = await getWith(token, provider.apiUrl)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/)
  }
  const without = await getWith(undefined, provider.apiUrl)
  assert.deepEqual([without.status, without.headers.get('www-authenticate')], [401, 'Bearer realm="oidc"'])
})

test("apis: Calendar tells the user's events of tomorrow to tokens with calendar.read", async () => {
  const calendar = untilDone(await startCalendarProvider({ nowMs: () => new Date(2026, 11, 31, 22).getTime() }))
  const { access_token } = await signIn(calendar, { scope: 'openid calendar.read' })
  const answer = await jsonOf<Events>(await getWith(access_token, `${calendar.eventsUrl}?day=tomorrow`))
  assert.equal(answer.day, '2027-01-01')
  assert.deepEqual(
    answer.items.map((one) => one.summary),
    ['Design review', 'Talk about the engine'],
  )
  assert.match(answer.items[0]?.start.dateTime ?? '', /^2027-01-01T10:00:00[+-]\d\d:\d\d$/)
  assert.deepEqual(answer.items[0]?.attendees[0], { displayName: 'Grace Hopper', email: 'grace@calendar.test' })

  const dated = await jsonOf<Events>(await getWith(access_token, `${calendar.eventsUrl}?day=2027-01-01`))
  assert.deepEqual(dated.items, answer.items)
  assert.equal((await getWith(access_token, `${calendar.eventsUrl}?day=2027-02-30`)).status, 400)

  calendar.switchUser('mary')
  const mary = await signIn(calendar, { scope: 'openid calendar.read' })
  const hers = await jsonOf<Events>(await getWith(mary.access_token, `${calendar.eventsUrl}?day=tomorrow`))
  assert.equal(hers.items.length, 1)
})

test('apis: Calendar refuses a token without its scope with 403', async () => {
  const calendar = untilDone(await startCalendarProvider())
  const { access_token } = await signIn(calendar, { scope: 'openid' })
  const refused = await getWith(access_token, `${calendar.eventsUrl}?day=tomorrow`)
  assert.equal(refused.status, 403)
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="calendar.read"/)
})

test('apis: Code tells the pull requests that wait for the user to tokens with repo', async () => {
  const code = untilDone(await startCodeProvider())
  const { access_token } = await signIn(code, { scope: 'repo' })
  const url = `${code.pullsUrl}?state=open&review=requested`
  const pulls = await jsonOf<Pull[]>(await getWith(access_token, url))
  assert.deepEqual(
    pulls.map((one) => one.number),
    [41, 128],
  )
  assert.equal(pulls[0]?.user.login, 'grace')
  const own = await jsonOf<Pull[]>(await getWith(access_token, `${code.pullsUrl}?state=open`))
  assert.equal(own[0]?.number, 131)

  const poor = await signIn(code, { scope: 'read:user' })
  assert.equal((await getWith(poor.access_token, url)).status, 403)
  code.expireAccessTokens()
  assert.equal((await getWith(access_token, url)).status, 401)
})

test('apis: a provider takes further APIs of a test', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const answer = () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'a note' })
  provider.addApi({ path: '/notes', method: 'GET', scope: 'notes', answer })
  const { access_token } = await signIn(provider, { scope: 'openid notes' })
  const notes = await getWith(access_token, `${provider.url}/notes`)
  assert.equal(await notes.text(), 'a note')
  assert.equal(provider.calls('api').length, 1)
})
