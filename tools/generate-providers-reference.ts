// docs/reference/providers.md lists the catalogue: what its profiles say, and which of it has passed against the kit.
//
// docs/reference/provider-runs.json is written by the test itself:
//   TENON_PROVIDER_RUNS=docs/reference/provider-runs.json npm test -- --only http/catalogue
import { readFileSync, writeFileSync } from 'node:fs'
import type { DatedChange } from '../packages/server/src/upstream/catalogue/evidence.ts'
import type { ProviderProfile } from '../packages/server/src/upstream/catalogue/profile.ts'
import { CATALOGUE } from '../packages/server/src/upstream/registry.ts'
import { projectRoot } from './lib/files.ts'

/** By strategy: the columns that passed. */
export type ProviderRuns = Readonly<Record<string, readonly string[]>>

const RUNS = 'docs/reference/provider-runs.json'
const PAGE = 'docs/reference/providers.md'

const COLUMNS: Readonly<Record<string, string>> = {
  sign_in: 'sign in',
  connect: 'connect',
  refresh: 'refresh',
  rotate: 'rotate',
  revoke: 'revoke',
  scopes: 'scopes',
  quirks: 'quirks',
}

const INTRODUCTION =
  'Providers that a connection can name as its `strategy`. Everything else is reached by `oidc`, `oauth2` and `samlp`, and by `api-key` and `basic` where people have a key or a password for it. ' +
  'Written by `tools/generate-providers-reference.ts` from the profiles that the server itself reads ' +
  '(`packages/server/src/upstream/catalogue`), and from the last run of the tests.'

const RUN_TEXT =
  'Tests never call a provider: the kit of `@tenon/sdk/testing` plays it, with its ways of authenticating clients, its ' +
  'answers, errors, refresh tokens and revocations. "yes" passed so; "none" is what the provider does not have; "not run" ' +
  'is data alone, compared with its documentation and never played.'

const CHANGES_TEXT = 'Changes of behaviour that providers have announced. `tenon doctor` warns of those that lie ahead.'

export function renderProviders(profiles: readonly ProviderProfile[], runs: ProviderRuns): string {
  const sorted = [...profiles].sort((one, other) => (one.strategy < other.strategy ? -1 : 1))
  return `${[
    '# Providers',
    INTRODUCTION,
    '## What has been run',
    RUN_TEXT,
    runTable(sorted, runs),
    '## Calendar',
    CHANGES_TEXT,
    calendar(sorted),
    '## Profiles',
    ...sorted.flatMap(section),
  ].join('\n\n')}\n`
}

function runTable(profiles: readonly ProviderProfile[], runs: ProviderRuns): string {
  const rows = profiles.map((profile) => {
    const passed = runs[profile.strategy]
    const cells = Object.keys(COLUMNS).map((column) => cellOf(profile, column, passed))
    return `| \`${profile.strategy}\` | ${profile.name} | ${cells.join(' | ')} |`
  })
  const titles = ['strategy', 'provider', ...Object.values(COLUMNS)]
  return [`| ${titles.join(' | ')} |`, `|${' --- |'.repeat(titles.length)}`, ...rows].join('\n')
}

function cellOf(profile: ProviderProfile, column: string, passed: readonly string[] | undefined): string {
  if (passed === undefined) return 'not run'
  if (passed.includes(column)) return 'yes'
  const isAbsent =
    (column === 'revoke' && !isRevocable(profile)) ||
    (column === 'rotate' && profile.refresh.rotates !== 'always') ||
    (column === 'scopes' && profile.scopes.parameter === undefined)
  return isAbsent ? 'none' : 'not run'
}

/** OpenID providers that are found by discovery may announce an endpoint of their own. */
const isRevocable = ({ endpoints, protocol }: ProviderProfile): boolean =>
  endpoints.revocation !== undefined || (protocol === 'oidc' && endpoints.token === undefined)

function calendar(profiles: readonly ProviderProfile[]): string {
  const changes = profiles.flatMap(({ strategy, evidence }) => evidence.changes.map((change) => ({ strategy, change })))
  const seen = new Set<string>()
  const rows = changes
    .filter(({ change }) => !seen.has(change.what) && seen.add(change.what))
    .sort((one, other) => ((one.change.date ?? '9') < (other.change.date ?? '9') ? -1 : 1))
    .map(({ strategy, change }) => `| ${dayOf(change)} | \`${strategy}\` | ${cell(change.what)} | <${change.source}> |`)
  return ['| day | strategy | what | source |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

const dayOf = ({ date }: DatedChange): string => date ?? 'not named'

function section(profile: ProviderProfile): readonly string[] {
  const facts = factsOf(profile).map(([name, value]) => `| ${name} | ${cell(value)} |`)
  const { notes, uncertain, pages } = profile.evidence
  return [
    `### ${profile.name}`,
    ['| | |', '| --- | --- |', ...facts].join('\n'),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${cell(note)}`).join('\n')]),
    ...(uncertain.length === 0
      ? []
      : [['To be read again before relying on it:', ...uncertain].map(listed).join('\n')]),
    `Sources: ${pages.map((page) => `<${page}>`).join(', ')}.`,
  ]
}

const listed = (text: string, index: number): string => (index === 0 ? `${text}\n` : `- ${cell(text)}`)

function factsOf(profile: ProviderProfile): readonly (readonly [string, string])[] {
  const { authorization, scopes, client, token, refresh, identity, api, evidence } = profile
  return [
    ['strategy', `\`${profile.strategy}\`, ${profile.protocol === 'oidc' ? 'OpenID Connect' : 'OAuth 2.0'}`],
    ...placesOf(profile),
    [
      'client',
      `${client.signedSecretFor ? 'a secret that we sign' : (client.auth ?? 'as announced')}; ${pkceOf(profile)}`,
    ],
    ['token requests', `${token.requestBody}${token.at === '' ? '' : `; tokens at \`${token.at}\``}`],
    ['scopes', scopesOf(profile)],
    ['account picker', authorization.accountPicker ? coded(authorization.accountPicker) : 'none'],
    ['refresh tokens', refreshOf(profile)],
    ['access tokens', accessOf(profile)],
    ['revocation', revocationOf(profile)],
    [
      'who it is',
      `${identity.subject.map((path) => `\`${path}\``).join(' and ')} of the ${identity.from.replace('_', ' ')}`,
    ],
    ['address', addressOf(profile)],
    [
      'API',
      `${api.hosts.map((host) => `\`${host}\``).join(', ') || 'none'}${api.prefix === 'Bearer ' ? '' : `; \`${api.header}: ${api.prefix}…\``}`,
    ],
    ...(profile.extras.length === 0
      ? []
      : [['kept beside', profile.extras.map(({ name }) => `\`${name}\``).join(', ')] as const]),
    [
      'evidence',
      `${evidence.confidence} confidence, compared ${evidence.checked}; refreshing ${evidence.refresh === 'vendor' ? "as the vendor's pages have it" : 'from general knowledge'}`,
    ],
    ...(refresh.deadErrors.length === 0
      ? []
      : [['dead refresh token', refresh.deadErrors.map((one) => `\`${one}\``).join(', ')] as const]),
    ...(scopes.defaults.length === 0
      ? []
      : [['asked by default', scopes.defaults.map((one) => `\`${one}\``).join(', ')] as const]),
  ]
}

function placesOf({ placeholders }: ProviderProfile): readonly (readonly [string, string])[] {
  const { domain, tenant } = placeholders
  return [
    ...(domain ? [['`options.domain`', said(domain)] as const] : []),
    ...(tenant ? [['`options.tenant_domain`', said(tenant)] as const] : []),
  ]
}

const said = ({ means, default: fallback }: { readonly means: string; readonly default?: string }): string =>
  `${means}${fallback === undefined ? ' (needed)' : ` (default \`${fallback}\`)`}`

const pkceOf = ({ authorization }: ProviderProfile): string => (authorization.pkce ? 'PKCE' : 'no PKCE')

function scopesOf({ scopes }: ProviderProfile): string {
  if (scopes.parameter === undefined) return 'set where the app is registered'
  return `\`${scopes.parameter}\`, separated by ${scopes.separator === ',' ? 'commas' : 'blanks'}`
}

const GIVEN: Readonly<Record<ProviderProfile['refresh']['given'], string>> = {
  always: 'always',
  offline: 'when asked for',
  first_consent: 'on the first consent, or when consent is asked again',
  app_setting: 'where the app is set up so',
  never: 'never',
}
const ROTATES: Readonly<Record<ProviderProfile['refresh']['rotates'], string>> = {
  always: 'replaced at each use',
  never: 'stays the same',
  sometimes: 'may be replaced',
}

function refreshOf({ refresh }: ProviderProfile): string {
  if (refresh.given === 'never') return 'never'
  return [
    GIVEN[refresh.given],
    ROTATES[refresh.rotates],
    ...(refresh.graceSeconds === undefined ? [] : [`the previous one works for ${spanOf(refresh.graceSeconds)}`]),
    ...(refresh.idleSeconds === undefined ? [] : [`ends after ${spanOf(refresh.idleSeconds)} without use`]),
    ...(refresh.absoluteSeconds === undefined ? [] : [`ends ${spanOf(refresh.absoluteSeconds)} after the consent`]),
  ].join('; ')
}

function accessOf({ token }: ProviderProfile): string {
  if (token.accessSeconds !== undefined) return spanOf(token.accessSeconds)
  return token.assumedSeconds === undefined
    ? 'as the answer says'
    : `not told; renewed after ${spanOf(token.assumedSeconds)}`
}

function revocationOf(profile: ProviderProfile): string {
  const { revocation } = profile
  if (!isRevocable(profile)) return 'none'
  const takes = revocation.takes === 'both' ? 'both tokens' : `the ${revocation.takes.replace('_', ' ')} alone`
  return `${revocation.method}, ${takes}; ends ${revocation.ends === 'grant' ? 'all that was granted' : 'that token'}`
}

function addressOf({ identity }: ProviderProfile): string {
  if (identity.claims.email === undefined && identity.emailAuthority === undefined)
    return 'from a list of its own, or none'
  if (identity.verifiedBy.length === 0) return 'never taken as verified'
  return identity.claims.email_verified === undefined && !identity.verifiedBy.includes('present')
    ? 'nothing says that it is verified'
    : 'verified where the provider says so'
}

function spanOf(seconds: number): string {
  for (const [unit, size] of [
    ['days', 86_400],
    ['hours', 3600],
    ['minutes', 60],
  ] as const)
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`
  return `${seconds} seconds`
}

const coded = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `\`${name}=${value}\``)
    .join(', ')

const cell = (text: string): string =>
  text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll(/<(?!https:)/g, '&lt;')

export function readRuns(): ProviderRuns {
  // Written by the test from a value of this type.
  return JSON.parse(readFileSync(`${projectRoot}/${RUNS}`, 'utf8')) as ProviderRuns
}

if (import.meta.main) writeFileSync(`${projectRoot}/${PAGE}`, renderProviders(CATALOGUE, readRuns()))
