// Every strategy that is built, by name.

import { github } from './catalogue/github.ts'
import { googleOAuth2 } from './catalogue/google-oauth2.ts'
import { genericOAuth2, genericOidc, type ProviderProfile } from './catalogue/profile.ts'

const PROFILES: ReadonlyMap<string, ProviderProfile> = new Map(
  [genericOidc, genericOAuth2, github, googleOAuth2].map((profile) => [profile.strategy, profile]),
)

/** The provider behind a strategy, or `undefined` when it is not built. */
export function findProfile(strategy: string): ProviderProfile | undefined {
  return PROFILES.get(strategy)
}
