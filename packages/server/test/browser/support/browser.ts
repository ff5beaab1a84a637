// Chromium, and a watch over what it complains about.
import assert from 'node:assert/strict'
import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { ensureChromium } from '../../../../../tools/chromium.ts'

/** Longer than a loaded machine takes for any page. */
const WAIT_MS = 60_000
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Said of every page that is not 2xx; the tests look at those themselves. */
const OF_A_STATUS = /^Failed to load resource: the server responded with a status of 4\d\d/

export interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors of scripts, and refusals by a policy, on any page of this browser. */
  readonly complaints: string[]
}

export interface BrowserOptions {
  readonly javaScript?: boolean
  /** Believe the certificate of `--tls-self-signed`. */
  readonly anyCertificate?: boolean
}

let chromiumOfFile: Promise<Browser> | undefined

/** One for a file's tests: starting it costs more than most of them do. */
function launched(): Promise<Browser> {
  chromiumOfFile ??= chromium.launch({
    executablePath: process.env.TENON_TEST_CHROMIUM ?? ensureChromium(),
    headless: true,
    args: FLAGS,
  })
  return chromiumOfFile
}

after(async () => {
  await (await chromiumOfFile)?.close()
})

/** A profile of its own, without cookies; at the test's end nothing may have been complained about. */
export async function openBrowser(
  t: TestContext,
  { javaScript = true, anyCertificate = false }: BrowserOptions = {},
): Promise<Watched> {
  const context = await (await launched()).newContext({
    viewport: { width: 1200, height: 800 },
    javaScriptEnabled: javaScript,
    ignoreHTTPSErrors: anyCertificate,
  })
  const complaints: string[] = []
  context.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !OF_A_STATUS.test(text)) complaints.push(`${message.location().url}: ${text}`)
  })
  context.on('weberror', (raised) => void complaints.push(`${raised.page()?.url()}: ${raised.error()}`))
  context.setDefaultTimeout(WAIT_MS)
  t.after(async () => {
    await context.close()
    assert.deepEqual(complaints, [])
  })
  const page = await context.newPage()
  return { context, page, complaints }
}

/** Waits until a page of ours, or of a provider, stands there. */
export async function onPage(page: Page, name: string): Promise<void> {
  try {
    await page.locator(`body[data-page="${name}"]`).waitFor()
  } catch (cause) {
    const there = await page.evaluate('document.body.dataset.page + ": " + document.body.innerText.slice(0, 600)')
    throw new Error(`waited for page ${name} and saw ${page.url()}: ${there}`, { cause })
  }
}

/** Presses a button by what it does. */
export const press = (page: Page, action: string): Promise<void> =>
  page.locator(`button[name=action][value=${action}]`).click()
