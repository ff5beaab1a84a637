// A tenant with many connections: the sign-in page, and what a person reads before they connect an account, for providers
// that differ in what they say of accounts and scopes.
import { test } from 'node:test'
import { startVendorProvider, type VendorName } from '@tenon/sdk/testing'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { ADA, arrived, signInByPassword, startWorld } from './support/world.ts'

const TITLES = {
  google: 'Google',
  microsoft: 'Microsoft',
  slack: 'Slack',
  notion: 'Notion',
  linear: 'Linear',
  atlassian: 'Atlassian',
  salesforce: 'Salesforce',
  gitlab: 'GitLab',
  discord: 'Discord',
} as const satisfies Partial<Record<VendorName, string>>
// Cast: the names are the keys of the very object.
const NAMES = Object.keys(TITLES) as (keyof typeof TITLES)[]

/** One of each kind: standard claims; scopes of users and bots; none at all; sites; an address of its own. */
const KINDS = ['google', 'slack', 'notion', 'atlassian', 'salesforce'] as const

const personAt = (name: string) => ({ email: `ada@${name}.test`, login: 'ada', name: 'Ada Lovelace' })

test('ten ways in stand on one page, and each provider’s account is shown for what it is before it is connected', async (t) => {
  const vendors = await Promise.all(
    NAMES.map((name) => startVendorProvider(name, { name, users: { ada: personAt(name) } })),
  )
  t.after(() => Promise.all(vendors.map((one) => one.stop())))
  const { app } = await startWorld(t, {
    tenant: (file) => {
      const enabled_clients = ['agent']
      for (const [at, vendor] of vendors.entries())
        file.connections.push(
          vendor.connection({
            display_name: TITLES[NAMES[at] ?? 'google'],
            enabled_clients,
            connected_accounts: { active: true },
          }),
        )
    },
  })
  const { page } = await openBrowser(t)
  await page.goto(`${app.url}/login?`)
  await onPage(page, 'login')
  await looksWell(page, 'login-ten')
  await signInByPassword(page, undefined, ADA)
  await page.waitForURL(`${app.url}/**`)
  for (const name of KINDS) {
    await page.goto(`${app.url}/connect?connection=${name}`)
    await onPage(page, 'link-confirm')
    await looksWell(page, `link-confirm-${name}`)
    await press(page, 'confirm')
    await arrived(page)
  }
})
