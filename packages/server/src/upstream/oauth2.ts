// Providers that speak OAuth 2.0 without ID tokens: who it is, is read from an API with the token just received.
import { buildAuthorizationUrl, requireCode, requireState } from './authorization.ts'
import type { Connector, UpstreamAccount } from './connector.ts'
import { UpstreamRefused } from './errors.ts'
import { isLosslessObject, type LosslessObject, parseLossless, valueAt } from './lossless-json.ts'
import { type EmailClaim, emailClaim, personalClaims, readEmail, readProfile, upstreamName } from './profile-claims.ts'
import { refreshTokens } from './refresh.ts'
import { requireAvailable } from './safe-fetch.ts'
import { createScopeRules } from './scopes.ts'
import { requireEndpoint } from './settings.ts'
import { readSubject } from './subject.ts'
import { readTokenSet } from './token-answer.ts'
import {
  type BackChannel,
  callRevocation,
  callTokenEndpoint,
  codeGrant,
  isJsonType,
  requireTokens,
} from './token-endpoint.ts'
import { callAsAccount, requireClaims } from './userinfo.ts'

/** @throws {ConnectionUnavailable} an endpoint is missing. */
export function createOAuth2Connector(channel: BackChannel): Connector {
  const { settings, clock } = channel
  const { endpoints, profile } = settings
  const authorization = requireEndpoint(endpoints.authorization, 'authorization')
  const endpoint = requireEndpoint(endpoints.token, 'token')
  requireEndpoint(endpoints.userinfo, 'userinfo')
  const clientAuth = settings.clientAuth ?? 'client_secret_post'
  const answerRules = { issuer: endpoints.issuer, issuerRequired: false }
  return {
    scopes: createScopeRules(settings.scopes),
    traits: {
      refreshTokenGraceSeconds: profile.refreshTokenGraceSeconds,
      revocationEnds: profile.revocationEnds,
      apiHosts: settings.apiHosts,
    },
    authorizationUrl: async (request) => buildAuthorizationUrl(authorization, settings, request),
    async checkAnswer(answer) {
      requireCode(answer, answerRules)
    },
    async redeem(answer, expected) {
      requireState(answer, expected.state)
      const fields = codeGrant(requireCode(answer, answerRules), expected, settings)
      const tokens = requireTokens(await callTokenEndpoint(channel, { endpoint, clientAuth, fields }))
      return readAccount(channel, tokens)
    },
    refresh: (request) =>
      refreshTokens({ channel, endpoint, clientAuth, request, now: clock(), checkSubject: () => undefined }),
    revoke: (token, hint) => callRevocation(channel, { endpoint: endpoints.revocation, clientAuth, token, hint }),
  }
}

async function readAccount(channel: BackChannel, members: LosslessObject): Promise<UpstreamAccount> {
  const { settings, clock } = channel
  const tokenset = readTokenSet(members, settings.profile, clock())
  const userinfo = requireEndpoint(settings.endpoints.userinfo, 'userinfo')
  const answer = await callAsAccount(channel, userinfo, tokenset.accessToken)
  requireAvailable(answer)
  const claims = requireClaims(answer)
  const subject = readSubject(valueAt(claims, settings.subjectPath), settings.profile.subject.type)
  const profile = readProfile(claims, settings.claims)
  const { email, emailVerified } =
    settings.endpoints.emails === undefined
      ? readEmail(claims, settings.claims)
      : await readPrimaryEmail(channel, settings.endpoints.emails, tokenset.accessToken)
  return {
    subject,
    profile,
    email,
    emailVerified,
    authoritativeDomains: [],
    upstreamName: upstreamName(profile, email, subject),
    tokenset,
    claims: personalClaims(claims),
  }
}

async function readPrimaryEmail(channel: BackChannel, url: string, accessToken: string): Promise<EmailClaim> {
  const answer = await callAsAccount(channel, url, accessToken)
  requireAvailable(answer)
  // Without the scope for it there is no address, and no harm.
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return emailClaim(undefined, false)
  const list = answer.status === 200 && isJsonType(answer.headers.get('content-type')) && parseLossless(answer.text)
  if (!Array.isArray(list)) throw new UpstreamRefused('userinfo_invalid', { detail: 'emails' })
  const primary = list.filter(isLosslessObject).find((one) => one.primary === true)
  return emailClaim(primary?.email, primary?.verified)
}
