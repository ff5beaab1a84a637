// What everybody should be able to read: each page once in light and dark, wide and narrow, without a fault that axe
// knows, and kept as a picture: in the folder that TENON_TEST_ARTEFACTS names, else in build/screenshots/.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'

const FOLDER =
  process.env.TENON_TEST_ARTEFACTS ?? fileURLToPath(new URL('../../../../../build/screenshots', import.meta.url))
const SIZES = { wide: { width: 1200, height: 800 }, narrow: { width: 360, height: 740 } } as const
const SCHEMES = ['light', 'dark'] as const

/** What changes with scheme and size; everything else is in the markup, and looked at once. */
const OF_LOOKS = ['color-contrast', 'target-size', 'link-in-text-block', 'scrollable-region-focusable']

const seen = new Set<string>()

/** Looks at the page that stands there; a name that was looked at before in this run is taken as seen. */
export async function looksWell(page: Page, name: string): Promise<void> {
  if (seen.has(name)) return
  seen.add(name)
  mkdirSync(FOLDER, { recursive: true })
  const faults: string[] = []
  let rules: readonly string[] | undefined
  for (const [sizeName, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size)
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme })
      const at = `${name}-${sizeName}-${colorScheme}`
      // Playwright would hide the caret and stop animations by a style of its own, which the policy refuses.
      await page.screenshot({ path: join(FOLDER, `${at}.png`), fullPage: true, caret: 'initial', animations: 'allow' })
      faults.push(...(await faultsOf(page, rules)).map((fault) => `${at}: ${fault}`))
      rules = OF_LOOKS
    }
  }
  await page.setViewportSize(SIZES.wide)
  await page.emulateMedia({ colorScheme: null })
  assert.deepEqual(faults, [])
}

/** @param rules undefined: every one. */
async function faultsOf(page: Page, rules: readonly string[] | undefined): Promise<readonly string[]> {
  // The other mode opens a second page to put results of frames together; no page of ours has frames.
  const axe = new AxeBuilder({ page }).setLegacyMode(true)
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze()
  const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  return [
    ...violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`),
    ...(Number(wider) > 0 ? [`scrolls sideways by ${wider} px`] : []),
  ]
}
