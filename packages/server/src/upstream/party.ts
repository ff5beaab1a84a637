// Who stands behind a connection: who names its people, and who is shown its secrets and their tokens.
import { CREDENTIAL_STRATEGIES, SAML_STRATEGY } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject, stringsOf } from '../lib/json.ts'
import type { Endpoints } from './catalogue/profile.ts'
import { ConnectionUnavailable } from './errors.ts'
import { findProfile } from './registry.ts'
import { endpointsOf } from './settings.ts'

interface Configured {
  readonly strategy: string
  readonly options: JsonObject
}

interface Party {
  /** Whose word a subject is; undefined where the options do not tell. */
  readonly namer: string | undefined
  /** What of that word it is, where it is not the usual. */
  readonly subject: string | undefined
  /** Origins that are called: with our secret, with tokens, or for the keys that vouch for people. */
  readonly origins: ReadonlySet<string>
}

/**
 * Is whoever names people and sees tokens after a change the one of before? Otherwise a subject of the one would be taken
 * for the same subject of the other, and refresh tokens would go to a stranger (T-CONN-04). Places move freely within
 * the origins that were called already.
 */
export function isSameParty(before: Configured, after: Configured): boolean {
  const [old, present] = [partyOf(before), partyOf(after)]
  const isSameName = old.namer === present.namer && old.subject === present.subject
  return isSameName && [...present.origins].every((origin) => old.origins.has(origin))
}

const partyOf = ({ strategy, options }: Configured): Party => ({
  ...named(strategy, options),
  subject: subjectOf(options),
})

function named(strategy: string, options: JsonObject): Omit<Party, 'subject'> {
  if (CREDENTIAL_STRATEGIES.has(strategy)) return credentialParty(options)
  return strategy === SAML_STRATEGY ? samlParty(options) : oauthParty(strategy, options)
}

/** What people typed was for these hosts, as the page told them. */
function credentialParty({ userInfoURL, api_hosts: hosts }: JsonObject): Omit<Party, 'subject'> {
  const asked = isString(userInfoURL) ? userInfoURL : undefined
  const origins = [...originsOf([asked]), ...stringsOf(hosts).map((host) => `host ${host.toLowerCase()}`)]
  return { namer: originOf(asked), origins: new Set(origins) }
}

function subjectOf({ user_id_attribute: attribute, fieldsMap }: JsonObject): string | undefined {
  return [attribute, isJsonObject(fieldsMap) ? fieldsMap.user_id : undefined].find(isString)
}

function samlParty({ entityId, metadataUrl, metadataXml }: JsonObject): Omit<Party, 'subject'> {
  const ownWord = isString(metadataXml) ? /\bentityID\s*=\s*["']([^"']+)["']/.exec(metadataXml)?.[1] : undefined
  return { namer: [entityId, ownWord, metadataUrl].find(isString), origins: originsOf([metadataUrl]) }
}

function oauthParty(strategy: string, options: JsonObject): Omit<Party, 'subject'> {
  const endpoints = endpointsFor(strategy, options)
  const { authorization: _, ...called } = endpoints
  const { discovery_url: discovery, domain, tenant_domain: tenant } = options
  const named = [endpoints.issuer, discovery, domain, tenant].find(isString)
  return {
    // Without an issuer it is who answers the question for the person.
    namer: named === undefined ? originOf(endpoints.userinfo ?? endpoints.token) : withoutEnd(named),
    origins: originsOf([discovery, ...Object.values(called)]),
  }
}

function endpointsFor(strategy: string, options: JsonObject): Endpoints {
  const profile = findProfile(strategy)
  try {
    return profile === undefined ? {} : endpointsOf(options, profile).endpoints
  } catch (error) {
    // Nobody came by a connection that says too little.
    if (error instanceof ConnectionUnavailable) return {}
    throw error
  }
}

// A discovery URL and its issuer are one party, with a slash at the end or without.
const withoutEnd = (name: string): string =>
  name.replace(/\/\.well-known\/openid-configuration$/, '').replace(/\/$/, '')

const originsOf = (urls: readonly unknown[]): ReadonlySet<string> =>
  new Set(urls.filter(isString).flatMap((url) => originOf(url) ?? []))

const originOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined
