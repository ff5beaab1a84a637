// The eyes of the other tests: what they are to see, they see.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

const page = (body: string, style = '') =>
  `<!doctype html><html lang="en"><title>A page</title><meta name="color-scheme" content="light dark">
<style>${style}</style><body><main><h1>A page</h1>${body}</main></body></html>`

test('faults of a page are found in each of its looks, once', async (t) => {
  const { page: browser } = await openBrowser(t)
  await browser.setContent(page('<p>Nothing is wrong here.</p>'))
  await looksWell(browser, 'looks-well')
  const dim = '@media (prefers-color-scheme: dark) { p { color: #444; background: #222 } }'
  const broad = '@media (max-width: 600px) { p { inline-size: 700px } }'
  await browser.setContent(page('<img src="data:,"><p>Hard to read, and to reach.</p>', `${dim} ${broad}`))
  await assert.rejects(looksWell(browser, 'looks-ill'), (error: assert.AssertionError) => {
    const found = (error.actual as readonly string[]).map((fault) => fault.replace(/ (at|by) .*/, ''))
    assert.deepEqual(found, [
      'looks-ill-wide-light: image-alt',
      'looks-ill-narrow-dark: color-contrast',
      'looks-ill-narrow-dark: scrolls sideways',
      'looks-ill-narrow-light: scrolls sideways',
    ])
    return true
  })
})
