// Providers whose APIs take a key, or a user name and a password: a person types theirs on our own page, and nobody is sent
// anywhere (docs/notes/typed-credentials.md).
import { randomUUID } from 'node:crypto'
import { API_KEY_STRATEGY, type Connection } from '../domain/connection.ts'
import type { CredentialKind, TokenSet } from '../domain/tokenset.ts'
import { isJsonObject, isString, type JsonObject, stringsOf } from '../lib/json.ts'
import {
  BEARER,
  type Connector,
  type CredentialForm,
  type EnteredCredential,
  type TokenHeader,
  type UpstreamAccount,
} from './connector.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import type { LosslessObject } from './lossless-json.ts'
import { readEmail, readProfile, upstreamName } from './profile-claims.ts'
import { requireAvailable, type SafeFetch } from './safe-fetch.ts'
import { createScopeRules, splitScopes } from './scopes.ts'
import { isChangeableName } from './settings.ts'
import { readSubjectAt } from './subject.ts'
import { requireClaims } from './userinfo.ts'

/** @throws {ConnectionUnavailable} the options miss something. */
export function createCredentialConnector({ strategy, options }: Connection, fetch: SafeFetch): Connector {
  const kind = strategy === API_KEY_STRATEGY ? 'api_key' : 'basic'
  const apiHeader = headerOf(kind, options)
  const scopes = isString(options.scope) ? splitScopes(options.scope) : stringsOf(options.scope)
  const rules = createScopeRules({ configured: scopes, requestReplaces: false, always: [], aliases: [], contains: {} })
  const nowhere = () => Promise.reject(new ConnectionUnavailable(`nobody is sent to a provider by ${strategy}`))
  return {
    // What somebody asks for makes it good for no more.
    scopes: { ...rules, ask: () => scopes },
    traits: {
      refreshTokenGraceSeconds: undefined,
      revocationEnds: 'token',
      refreshTokenEndsAfterSeconds: undefined,
      apiHosts: stringsOf(options.api_hosts),
      asksWhichAccount: true,
      apiHeader,
    },
    credential: credentialForm({ kind, scopes, apiHeader, options, fetch }),
    authorizationUrl: nowhere,
    checkAnswer: nowhere,
    redeem: nowhere,
    refresh: nowhere,
    revoke: async () => 'unsupported',
  }
}

function headerOf(kind: CredentialKind, { header, scheme }: JsonObject): TokenHeader {
  if (kind === 'basic') return { name: 'authorization', prefix: 'Basic ' }
  const name = isString(header) ? header.toLowerCase() : BEARER.name
  if (isString(scheme)) return { name, prefix: scheme === '' ? '' : `${scheme} ` }
  return { name, prefix: name === BEARER.name ? BEARER.prefix : '' }
}

interface Parts {
  readonly kind: CredentialKind
  readonly scopes: readonly string[]
  readonly apiHeader: TokenHeader
  readonly options: JsonObject
  readonly fetch: SafeFetch
}

function credentialForm(parts: Parts): CredentialForm {
  const { kind, scopes, options } = parts
  const { userInfoURL, help_url: helpUrl } = options
  const url = isString(userInfoURL) ? userInfoURL : undefined
  const paths = pathsOf(options, url !== undefined)
  return {
    kind,
    helpUrl: isString(helpUrl) ? helpUrl : undefined,
    isChecked: url !== undefined,
    async accept(entered) {
      const tokenset = tokensetOf(kind, scopes, entered)
      return url === undefined
        ? unchecked(kind, entered, tokenset)
        : accountOf(await ask(parts, url, tokenset), paths, tokenset)
    },
  }
}

interface Paths {
  readonly subject: string
  readonly claims: Readonly<Record<string, string>>
}

function pathsOf({ fieldsMap }: JsonObject, isAsked: boolean): Paths {
  const map = Object.entries(isJsonObject(fieldsMap) ? fieldsMap : {}).filter((entry): entry is [string, string] =>
    isString(entry[1]),
  )
  const { user_id: subject = '', ...claims } = Object.fromEntries(map)
  if (isAsked && subject === '') throw new ConnectionUnavailable('options.fieldsMap.user_id is missing')
  if (isChangeableName(subject)) throw new ConnectionUnavailable('options.fieldsMap.user_id names something changeable')
  return { subject, claims }
}

/** As it stands behind the prefix of its header, so that whoever uses it needs to know no more. */
const tokensetOf = (
  kind: CredentialKind,
  scopes: readonly string[],
  { username, secret }: EnteredCredential,
): TokenSet => ({
  // RFC 7617 §2, in UTF-8.
  accessToken: kind === 'basic' ? Buffer.from(`${username}:${secret}`).toString('base64') : secret,
  refreshToken: undefined,
  tokenType: kind,
  accessExpiresAt: undefined,
  refreshExpiresAt: undefined,
  scopes,
})

/** Nobody tells whose it is: the user name is who it is, and every key that replaces none is an account of its own. */
function unchecked(
  kind: CredentialKind,
  { username, label, replaces }: EnteredCredential,
  tokenset: TokenSet,
): UpstreamAccount {
  const subject = kind === 'basic' ? username : (replaces ?? `key_${randomUUID()}`)
  return { ...NOBODY, subject, upstreamName: label ?? (kind === 'basic' ? username : subject), tokenset }
}

const NOBODY = { profile: {}, email: undefined, emailVerified: false, authoritativeDomains: [], claims: {} } as const

async function ask({ apiHeader, fetch }: Parts, url: string, { accessToken }: TokenSet): Promise<LosslessObject> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json', [apiHeader.name]: apiHeader.prefix + accessToken },
  })
  requireAvailable(answer)
  if (answer.status === 401 || answer.status === 403) throw new UpstreamRefused('credential_refused')
  return requireClaims(answer)
}

function accountOf(answer: LosslessObject, { subject: path, claims }: Paths, tokenset: TokenSet): UpstreamAccount {
  const subject = readSubjectAt(answer, [path], 'either')
  const profile = readProfile(answer, claims)
  const { email } = readEmail(answer, claims)
  return { ...NOBODY, subject, profile, email, upstreamName: upstreamName(profile, email, subject), tokenset }
}
