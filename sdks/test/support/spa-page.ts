// The page of an app that is scripts alone, on an origin of its own, and a Chromium that stands on it.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { ensureChromium } from '../../../tools/chromium.ts'
import { projectRoot } from '../../../tools/lib/files.ts'
import type { World } from './world.ts'

const SCRIPTS = {
  '/auth0-spa-js.js': 'sdks/node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.js',
  '/auth0-js.js': 'sdks/node_modules/auth0-js/dist/auth0.min.js',
} as const

export interface SpaOrigin {
  readonly origin: string
  /** Shows the certificate that the server made; before the page is opened. */
  use(world: Pick<World, 'dataDir'>): void
}

/** Serves an empty page at every path, with one of the SDKs' own files in it. Ends with the file. */
export async function startSpa(script: keyof typeof SCRIPTS): Promise<SpaOrigin> {
  const files = new Map(Object.entries(SCRIPTS).map(([path, file]) => [path, join(projectRoot, file)]))
  const server = createServer(({ url = '/' }, response) => {
    const file = files.get(url)
    response.setHeader('content-type', file ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(file ? readFileSync(file) : PAGE.replace('SCRIPT', script))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return {
    // By TLS on the server's own host: one site with it for a browser, as an app and a server of one domain are.
    origin: `https://localhost:${address.port}`,
    use({ dataDir }) {
      const read = (name: string) => readFileSync(join(dataDir, 'tls', name))
      server.setSecureContext({ cert: read('server.pem'), key: read('server.key') })
    },
  }
}

const PAGE = `<!doctype html><html lang="en"><head><title>App</title><link rel="icon" href="data:,">
<script src="SCRIPT"></script></head><body data-page="app"></body></html>`

/** Longer than a loaded machine takes for any page. */
const WAIT_MS = 60_000

let shared: Promise<Browser> | undefined

/** One browser for the file; it ends with it. */
function launch(): Promise<Browser> {
  shared ??= chromium.launch({
    executablePath: process.env.TENON_TEST_CHROMIUM ?? ensureChromium(),
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  return shared
}
after(async () => (await shared)?.close())

/** A page of the app, in a profile of its own. */
export async function openSpa(t: TestContext, { origin }: SpaOrigin): Promise<Page> {
  const context = await (await launch()).newContext({ ignoreHTTPSErrors: true })
  context.setDefaultTimeout(WAIT_MS)
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(origin)
  return page
}
