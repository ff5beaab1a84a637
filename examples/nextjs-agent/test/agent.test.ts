import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADA } from '../../local/tenant.ts'
import { follow, newBrowser, signIn, startForTest } from '../../local/test-browser.ts'

const { url, scene } = await startForTest('nextjs-agent')

test('the agent is interrupted to connect the calendar, and then answers from it', async () => {
  scene.calendar.switchUser('ada')
  scene.calendar.events.set('ada', [
    { summary: 'Bridge inspection', inDays: 1, at: '10:00', minutes: 30, attendees: [], location: 'Bath' },
  ])
  const browser = newBrowser()
  await browser.open(url)
  await follow(browser, '/auth/login')
  await signIn(browser, ADA)
  assert.equal(browser.page.name, 'agent')

  const ask = () => browser.post(`${url}/ask`, { question: 'What is on tomorrow?' }, { from: browser.page.url })
  await ask()
  assert.match(browser.page.text, /I need your calendar/)
  await follow(browser, '/auth/connect')
  assert.equal(browser.page.name, 'link-confirm')
  await browser.submit('link-confirm', { action: 'confirm' })
  assert.equal(new URL(browser.page.url).searchParams.get('question'), 'What is on tomorrow?')

  await ask()
  assert.match(browser.page.text, /Bridge inspection/)
})

test('who does not connect it is asked again, and the agent holds nothing', async () => {
  const browser = newBrowser()
  await browser.open(`${url}/auth/login`)
  await browser.open(`${url}/ask`)
  assert.equal(browser.page.status, 404, 'a question is posted')
})
