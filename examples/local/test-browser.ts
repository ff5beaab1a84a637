// For the tests of examples: a person's browser without scripts, which believes the example's certificate.
import { after } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { type ExampleName, startExample } from './world.ts'

/** Starts an example for the file that calls it. Nobody has to press anything at its providers. */
export async function startForTest<N extends ExampleName>(name: N) {
  const example = await startExample(name)
  after(() => example.stop())
  example.scene.calendar.interactive = false
  setDefaultCACertificates([...getCACertificates('default'), example.authority])
  return example
}

export const newBrowser = () => new Browser({ stopAt: [] })

/** Follows the link of the present page whose address begins so. */
export async function follow(browser: Browser, start: string): Promise<void> {
  const href = browser.page.links.find((link) => link.startsWith(start))
  if (href === undefined) throw new Error(`no link ${start} on ${browser.page.url}: ${browser.page.text}`)
  await browser.open(new URL(href, browser.page.url).href, { from: browser.page.url })
}

/** Signs in on Tenon's page. */
export const signIn = (browser: Browser, { email, password }: { readonly email: string; readonly password: string }) =>
  browser.submit('login', { fields: { username: email, password } })
