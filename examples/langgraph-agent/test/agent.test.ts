import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADA } from '../../local/tenant.ts'
import { follow, newBrowser, signIn, startForTest } from '../../local/test-browser.ts'

const { url, issuer, scene } = await startForTest('langgraph-agent')
scene.calendar.switchUser('ada')
scene.calendar.events.set('ada', [
  { summary: 'Bridge inspection', inDays: 1, at: '10:00', minutes: 30, attendees: [], location: 'Bath' },
])
const browser = newBrowser()
const ask = () => browser.post(`${url}/ask`, { question: 'What is on tomorrow?' }, { from: browser.page.url })

test('who does not connect the calendar gets no answer, and is asked again', async () => {
  await browser.open(url)
  await follow(browser, '/login')
  await signIn(browser, ADA)
  assert.equal(browser.page.name, 'agent')
  await ask()
  assert.match(browser.page.text, /I need your calendar/)
  await follow(browser, issuer)
  await browser.submit('link-confirm', { action: 'cancel' })
  assert.match(browser.page.text, /Then I cannot say/)
  assert.equal(scene.calendar.calls('token').length <= 1, true)
})

test('the graph is interrupted to connect the calendar, and resumed with the answer', async () => {
  await ask()
  assert.match(browser.page.text, /I need your calendar/)
  await follow(browser, issuer)
  assert.equal(browser.page.name, 'link-confirm')
  await browser.submit('link-confirm', { action: 'confirm' })
  assert.match(browser.page.text, /There is: .*Bridge inspection/)
  assert.equal(new URL(browser.page.url).pathname, '/connected')
  await ask()
  assert.match(browser.page.text, /Bridge inspection/)
})

test('who comes back from nowhere finds nothing', async () => {
  await browser.open(`${url}/connected?state=made-up&connect_code=made-up`)
  assert.equal(browser.page.status, 404)
})
