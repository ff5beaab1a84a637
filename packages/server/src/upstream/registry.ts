// Every strategy that is built, by name.

import { airtable } from './catalogue/airtable.ts'
import { amazon } from './catalogue/amazon.ts'
import { apple } from './catalogue/apple.ts'
import { asana } from './catalogue/asana.ts'
import { atlassian } from './catalogue/atlassian.ts'
import { auth0Oidc } from './catalogue/auth0-oidc.ts'
import { bitbucket } from './catalogue/bitbucket.ts'
import { box } from './catalogue/box.ts'
import { calendly } from './catalogue/calendly.ts'
import { clickup } from './catalogue/clickup.ts'
import { discord } from './catalogue/discord.ts'
import { docusign } from './catalogue/docusign.ts'
import { dropbox } from './catalogue/dropbox.ts'
import { facebook } from './catalogue/facebook.ts'
import { figma } from './catalogue/figma.ts'
import { genericOAuth2, genericOidc } from './catalogue/generic.ts'
import { github } from './catalogue/github.ts'
import { githubApp } from './catalogue/github-app.ts'
import { gitlab } from './catalogue/gitlab.ts'
import { googleApps, googleOAuth2 } from './catalogue/google-oauth2.ts'
import { hubspot } from './catalogue/hubspot.ts'
import { intercom } from './catalogue/intercom.ts'
import { keycloak } from './catalogue/keycloak.ts'
import { linear } from './catalogue/linear.ts'
import { linkedin } from './catalogue/linkedin.ts'
import { mailchimp } from './catalogue/mailchimp.ts'
import { miro } from './catalogue/miro.ts'
import { monday } from './catalogue/monday.ts'
import { notion } from './catalogue/notion.ts'
import { okta } from './catalogue/okta.ts'
import { paypal } from './catalogue/paypal.ts'
import { pipedrive } from './catalogue/pipedrive.ts'
import type { ProviderProfile } from './catalogue/profile.ts'
import { quickbooks } from './catalogue/quickbooks.ts'
import { reddit } from './catalogue/reddit.ts'
import { salesforce, salesforceSandbox } from './catalogue/salesforce.ts'
import { shopify } from './catalogue/shopify.ts'
import { signInWithSlack } from './catalogue/sign-in-with-slack.ts'
import { slack, slackBot } from './catalogue/slack.ts'
import { spotify } from './catalogue/spotify.ts'
import { strava } from './catalogue/strava.ts'
import { stripeConnect } from './catalogue/stripe-connect.ts'
import { tiktok } from './catalogue/tiktok.ts'
import { trello } from './catalogue/trello.ts'
import { twitch } from './catalogue/twitch.ts'
import { twitter } from './catalogue/twitter.ts'
import { waad, windowslive } from './catalogue/windowslive.ts'
import { xero } from './catalogue/xero.ts'
import { zendesk } from './catalogue/zendesk.ts'
import { zoho } from './catalogue/zoho.ts'
import { zoom } from './catalogue/zoom.ts'

/** The catalogue: every provider that is known by name. */
export const CATALOGUE: readonly ProviderProfile[] = [
  airtable,
  amazon,
  apple,
  asana,
  atlassian,
  auth0Oidc,
  bitbucket,
  box,
  calendly,
  clickup,
  discord,
  docusign,
  dropbox,
  facebook,
  figma,
  githubApp,
  github,
  gitlab,
  googleOAuth2,
  googleApps,
  hubspot,
  intercom,
  keycloak,
  linear,
  linkedin,
  mailchimp,
  miro,
  monday,
  notion,
  okta,
  paypal,
  pipedrive,
  quickbooks,
  reddit,
  salesforce,
  salesforceSandbox,
  shopify,
  signInWithSlack,
  slack,
  slackBot,
  spotify,
  strava,
  stripeConnect,
  tiktok,
  trello,
  twitch,
  twitter,
  windowslive,
  waad,
  xero,
  zendesk,
  zoho,
  zoom,
]

const PROFILES: ReadonlyMap<string, ProviderProfile> = new Map(
  [genericOidc, genericOAuth2, ...CATALOGUE].map((profile) => [profile.strategy, profile]),
)

/** The provider behind a strategy, or `undefined` when it is not built. */
export function findProfile(strategy: string): ProviderProfile | undefined {
  return PROFILES.get(strategy)
}
