// Providers that speak OAuth 2.0 without ID tokens: who it is, is read from an API with the token just received.
import { buildAuthorizationUrl, requireCode, requireState } from './authorization.ts'
import type { Connector, UpstreamAccount } from './connector.ts'
import { UpstreamRefused } from './errors.ts'
import { callbackSource, readExtras } from './extras.ts'
import { isLosslessObject, type LosslessObject, parseLossless, valueAt } from './lossless-json.ts'
import { type EmailClaim, emailClaim, personalClaims, readEmail, readProfile, upstreamName } from './profile-claims.ts'
import { refreshTokens } from './refresh.ts'
import { requireAvailable } from './safe-fetch.ts'
import { createScopeRules } from './scopes.ts'
import { requireEndpoint, traitsOf } from './settings.ts'
import { readSubjectAt } from './subject.ts'
import { readScopes, readTokenSet } from './token-answer.ts'
import {
  type BackChannel,
  callRevocation,
  callTokenEndpoint,
  codeGrant,
  isJsonType,
  requireTokens,
} from './token-endpoint.ts'
import { askMetadata, callAsAccount, requireClaims } from './userinfo.ts'

/** @throws {ConnectionUnavailable} an endpoint is missing. */
export function createOAuth2Connector(channel: BackChannel): Connector {
  const { settings, clock } = channel
  const { endpoints, profile } = settings
  const authorization = requireEndpoint(endpoints.authorization, 'authorization')
  const endpoint = requireEndpoint(endpoints.token, 'token')
  if (profile.identity.from === 'userinfo') requireEndpoint(endpoints.userinfo, 'userinfo')
  const clientAuth = settings.clientAuth ?? 'client_secret_post'
  const answerRules = { issuer: endpoints.issuer, issuerRequired: false }
  return {
    scopes: createScopeRules(settings.scopes),
    traits: traitsOf(settings),
    authorizationUrl: async (request) => buildAuthorizationUrl(authorization, settings, request),
    async checkAnswer(answer) {
      requireCode(answer, answerRules)
    },
    async redeem(answer, expected) {
      requireState(answer, expected.state)
      const fields = codeGrant(requireCode(answer, answerRules), expected, settings)
      const tokens = requireTokens(await callTokenEndpoint(channel, { endpoint, clientAuth, fields }))
      return readAccount(channel, tokens, answer)
    },
    refresh: (request) =>
      refreshTokens({
        channel,
        endpoint: endpoints.refresh ?? endpoint,
        clientAuth,
        request,
        now: clock(),
        checkSubject: () => undefined,
      }),
    revoke: (token, hint) => callRevocation(channel, { endpoint: endpoints.revocation, clientAuth, token, hint }),
  }
}

async function readAccount(
  channel: BackChannel,
  members: LosslessObject,
  callback: URLSearchParams,
): Promise<UpstreamAccount> {
  const { settings, clock } = channel
  const { identity, extras } = settings.profile
  const { grantedIn, grantedMember, grantedForm } = settings.profile.scopes
  const tokenset = readTokenSet(members, { profile: settings.profile, now: clock(), grant: 'code', callback })
  const userinfo = await askUserinfo(channel, tokenset.accessToken)
  const subject = readSubjectAt(
    identity.from === 'token_answer' ? members : (userinfo ?? {}),
    settings.subjectPaths,
    identity.subjectType,
  )
  // The token answer is read by path alone: all of it must never be kept.
  const claims = userinfo ?? members
  const profile = readProfile(claims, settings.claims)
  const { email, emailVerified } =
    settings.endpoints.emails === undefined
      ? readEmail(claims, settings.claims, identity.verifiedBy)
      : await readPrimaryEmail(channel, settings.endpoints.emails, tokenset.accessToken)
  const metadata = await askMetadata(channel, tokenset.accessToken)
  return {
    subject,
    profile,
    email,
    emailVerified,
    authoritativeDomains: [],
    upstreamName: upstreamName(profile, email, subject),
    tokenset:
      grantedIn === 'userinfo' ? { ...tokenset, scopes: readScopes(userinfo?.[grantedMember], grantedForm) } : tokenset,
    claims: personalClaims(userinfo ?? {}),
    extras: readExtras(extras, {
      token_answer: members,
      callback: callbackSource(callback),
      ...(userinfo === undefined ? {} : { userinfo }),
      ...(metadata === undefined ? {} : { metadata }),
    }),
  }
}

async function askUserinfo(channel: BackChannel, accessToken: string): Promise<LosslessObject | undefined> {
  const { endpoints, profile } = channel.settings
  if (endpoints.userinfo === undefined) return undefined
  const answer = await callAsAccount(channel, endpoints.userinfo, accessToken, profile.identity.userinfo)
  requireAvailable(answer)
  return requireClaims(answer)
}

async function readPrimaryEmail(channel: BackChannel, url: string, accessToken: string): Promise<EmailClaim> {
  const answer = await callAsAccount(channel, url, accessToken)
  requireAvailable(answer)
  // Without the scope for it there is no address, and no harm.
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return emailClaim(undefined, false)
  const { at, email, primary, verified } = channel.settings.profile.identity.emailList
  const said = answer.status === 200 && isJsonType(answer.headers.get('content-type')) && parseLossless(answer.text)
  const list = said && at !== '' ? valueAt(said, at) : said
  if (!Array.isArray(list)) throw new UpstreamRefused('userinfo_invalid', { detail: 'emails' })
  const first = list.filter(isLosslessObject).find((one) => one[primary] === true)
  return emailClaim(first?.[email], first?.[verified])
}
