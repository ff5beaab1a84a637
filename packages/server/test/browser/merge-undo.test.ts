// J9: two accounts become one after a look at what would change, and two again from the history.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

test('J9 two accounts are joined after the diff was shown, and parted again; what changed since is a choice', async (t) => {
  const server = await startServer({ settings: { linking: { metadata: 'deep_merge' } } })
  const api = await mgmt(server)
  server.person('other', ['code'], { name: 'A. Lovelace' })
  const secondary = await signIn(server, { connection: 'code' })
  expectStatus(await api.patch(userPath(secondary.sub), { user_metadata: { city: 'London' } }), 200)
  const person = server.person('ada', ['calendar'], { name: 'Ada Lovelace' })
  const { page } = await openBrowser(t)
  await page.goto(`${server.url}/account/connections`)
  await page.locator('form[data-connection=calendar] button').click()
  await onPage(page, 'account-connections')
  await page.locator('form[data-form=link][data-connection=code] button').click()
  await onPage(page, 'link-conflict')
  await looksWell(page, 'link-conflict-own')
  await press(page, 'link')
  if ((await page.locator('body').getAttribute('data-page')) === 'login') {
    await page.locator('form[data-connection=code] button').click()
    await onPage(page, 'merge-preview')
  }
  await onPage(page, 'merge-preview')
  await looksWell(page, 'merge-preview-own')
  await press(page, 'confirm')
  await onPage(page, 'account-connections')
  const merged = await eventually('one user', async () => {
    const users = (await api.get('/users?per_page=100')).json as readonly { user_id: string; identities: unknown[] }[]
    return users.find(({ identities }) => identities.length === 2)
  })
  await page.getByText('You proved both accounts and saw what would change.').waitFor()

  expectStatus(await api.patch(userPath(merged.user_id), { user_metadata: { city: 'Paris' } }), 200)
  await page.locator('#history ~ ul summary').first().click()
  await page.locator('form[data-form=undo-link] button').click()
  const parted = page.getByText('The accounts are two again.')
  const name = await page.locator('body').getAttribute('data-page')
  if (name === 'account-undo') {
    await looksWell(page, 'account-undo')
    await press(page, 'undo')
  }
  if ((await page.locator('body').getAttribute('data-page')) === 'account-connections') await parted.waitFor()
  const users = (await api.get('/users?per_page=100')).json as readonly { identities: unknown[] }[]
  assert.equal(users.filter(({ identities }) => identities.length === 2).length, 0)
  await eventually('the mail', () =>
    server.mails().find(({ to, subject }) => to === person.email && /parted/.test(subject)),
  )
})
