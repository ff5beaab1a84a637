/** Providers that behave as single vendors do. */
import type { ProviderOptions } from './options.ts'
import { type Provider, startProvider } from './provider.ts'
import { apple } from './vendors/apple.ts'
import { atlassian } from './vendors/atlassian.ts'
import { discord } from './vendors/discord.ts'
import { dropbox } from './vendors/dropbox.ts'
import { gitlab } from './vendors/gitlab.ts'
import { google } from './vendors/google.ts'
import { hubspot } from './vendors/hubspot.ts'
import { linear } from './vendors/linear.ts'
import { microsoft } from './vendors/microsoft.ts'
import { notion } from './vendors/notion.ts'
import type { Vendor } from './vendors/parts.ts'
import { salesforce } from './vendors/salesforce.ts'
import { slack } from './vendors/slack.ts'

const VENDORS = {
  apple,
  atlassian,
  discord,
  dropbox,
  gitlab,
  google,
  hubspot,
  linear,
  microsoft,
  notion,
  salesforce,
  slack,
} as const satisfies Record<string, Vendor>

/** GitHub has a starter of its own, `startGithubProvider`. */
export type VendorName = keyof typeof VENDORS

/**
 * Starts a provider that has this vendor's ways: how clients authenticate, what requests and answers look like, when there
 * are refresh tokens and what becomes of them, how tokens are revoked.
 */
export function startVendorProvider(vendor: VendorName, options: ProviderOptions = {}): Promise<Provider> {
  const { shape, defaults, signs }: Vendor = VENDORS[vendor]
  return startProvider({
    shape,
    options: { name: vendor, ...options },
    defaults,
    ...(signs === undefined ? {} : { alg: 'RS256' }),
  })
}
