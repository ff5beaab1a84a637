import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADA } from '../../local/tenant.ts'
import { follow, newBrowser, signIn, startForTest } from '../../local/test-browser.ts'
import { planLink, suggestionsFor } from '../linking.ts'

const { url } = await startForTest('suggested-linking')

test('the app finds the other account of an address, has it proved, and the person is one user', async () => {
  const browser = newBrowser()
  await browser.open(`${url}/login`)
  await browser.submit('connection', { connection: 'calendar' })
  const [, sub = ''] = /You are (\S+)\./.exec(browser.page.text) ?? []
  assert.match(sub, /calendar/)
  assert.match(browser.page.text, /another account here, by Username-Password-Authentication/)
  await follow(browser, '/link')
  await signIn(browser, ADA)
  // Tenon asks whoever arrives as somebody else than they were; they go on as the account that they just proved.
  await browser.submit('link-conflict', { action: 'continue' })
  await browser.submit('connection', { connection: 'calendar' })
  assert.match(browser.page.text, new RegExp(`You are ${sub.replaceAll('|', '\\|')}`))
  assert.doesNotMatch(browser.page.text, /another account/)
})

test('an address that is not verified, on either side, suggests nothing', () => {
  const other = { user_id: 'auth0|2', email: 'a@example.test', identities: [{ connection: 'c' }] }
  const suggested = (mine: boolean, theirs: boolean) =>
    suggestionsFor({ sub: 'oidc|1', email_verified: mine }, [{ ...other, email_verified: theirs }]).length
  assert.deepEqual([suggested(true, true), suggested(true, false), suggested(false, true)], [1, 0, 0])
})

test('a sign-in as somebody else than the chosen account links nothing', () => {
  const idTokenOf = (sub: string) => `.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.`
  const linking = { primary: 'oidc|1', secondary: 'auth0|2' }
  assert.deepEqual(planLink(linking, idTokenOf('auth0|3')), { kind: 'wrong-account' })
  assert.deepEqual(planLink(linking, idTokenOf('oidc|1')), { kind: 'nothing-to-do' })
  assert.deepEqual(planLink(linking, idTokenOf('auth0|2')), { kind: 'link', ...linking })
  assert.equal(planLink(undefined, idTokenOf('auth0|2')), undefined)
})
