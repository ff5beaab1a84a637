// What everybody should be able to read: each page once in light and dark, wide and narrow, without a fault that axe
// knows, and kept as a picture: in the folder that TENON_TEST_ARTEFACTS names, else in build/screenshots/.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const FOLDER =
  process.env.TENON_TEST_ARTEFACTS ?? fileURLToPath(new URL('../../../../../build/screenshots', import.meta.url))
const SIZES = { wide: { width: 1200, height: 800 }, narrow: { width: 360, height: 740 } } as const

/** What changes with scheme and size; everything else is in the markup, and looked at once. */
const OF_LOOKS = ['color-contrast', 'target-size', 'link-in-text-block', 'scrollable-region-focusable']

/** Each scheme and each size is examined once: colours do not hang on the size, nor sizes on the scheme. */
const LOOKS = [
  { size: 'wide', scheme: 'light', rules: 'every' },
  { size: 'wide', scheme: 'dark', rules: 'none' },
  { size: 'narrow', scheme: 'dark', rules: 'of looks' },
  { size: 'narrow', scheme: 'light', rules: 'none' },
] as const

const seen = new Set<string>()

/** Looks at the page that stands there; a name that was looked at before in this run is taken as seen. */
export async function looksWell(page: Page, name: string): Promise<void> {
  if (seen.has(name)) return
  seen.add(name)
  mkdirSync(FOLDER, { recursive: true })
  const faults: string[] = []
  for (const { size, scheme, rules } of LOOKS) {
    await page.setViewportSize(SIZES[size])
    await page.emulateMedia({ colorScheme: scheme })
    const at = `${name}-${size}-${scheme}`
    // Playwright would hide the caret and stop animations by a style of its own, which the policy refuses.
    await page.screenshot({ path: join(FOLDER, `${at}.png`), fullPage: true, caret: 'initial', animations: 'allow' })
    const found = [...(rules === 'none' ? [] : await faultsOf(page, rules)), ...(await overflowOf(page))]
    faults.push(...found.map((fault) => `${at}: ${fault}`))
  }
  await page.setViewportSize(SIZES.wide)
  await page.emulateMedia({ colorScheme: null })
  assert.deepEqual(faults, [])
}

/** Brought in once and asked in the page itself: axe's own driver does so anew for each question. No page has frames. */
async function faultsOf(page: Page, rules: 'every' | 'of looks'): Promise<readonly string[]> {
  if (rules === 'every') await page.evaluate(axe.source)
  const options = { resultTypes: ['violations'], ...(rules === 'of looks' && { runOnly: OF_LOOKS }) }
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`)
  return violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

async function overflowOf(page: Page): Promise<readonly string[]> {
  const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  return Number(wider) > 0 ? [`scrolls sideways by ${wider} px`] : []
}
