// OpenID providers: who it is, is proven by an ID token.
import type { TokenSet } from '../domain/tokenset.ts'
import { buildAuthorizationUrl, requireCode, requireState } from './authorization.ts'
import type { Connector, ExpectedAnswer, UpstreamAccount } from './connector.ts'
import { UpstreamRefused } from './errors.ts'
import { checkRefreshedIdToken, verifyAssertedIdToken, verifyIdToken } from './id-token.ts'
import { createKeySet } from './jwks.ts'
import { type LosslessObject, valueAt } from './lossless-json.ts'
import { createMetadata, type ProviderMetadata } from './metadata.ts'
import { personalClaims, readEmail, readProfile, upstreamName } from './profile-claims.ts'
import { refreshTokens } from './refresh.ts'
import { requireAvailable } from './safe-fetch.ts'
import { createScopeRules } from './scopes.ts'
import type { ConnectorSettings } from './settings.ts'
import { readSubject } from './subject.ts'
import { readTokenSet } from './token-answer.ts'
import { type BackChannel, callRevocation, callTokenEndpoint, codeGrant, requireTokens } from './token-endpoint.ts'
import { callAsAccount, requireClaims } from './userinfo.ts'

/** @throws {ConnectionUnavailable} neither an issuer nor a discovery URL is configured. */
export function createOidcConnector(channel: BackChannel): Connector {
  const { settings, fetch, clock } = channel
  const { profile, clientId } = settings
  const metadata = createMetadata({ settings, fetch, clock })
  const keySet = createKeySet({ fetch, clock })
  return {
    scopes: createScopeRules(settings.scopes),
    traits: {
      refreshTokenGraceSeconds: profile.refreshTokenGraceSeconds,
      revocationEnds: profile.revocationEnds,
      apiHosts: settings.apiHosts,
    },
    async authorizationUrl(request) {
      return buildAuthorizationUrl((await metadata()).authorization, settings, request)
    },
    async checkAnswer(answer) {
      requireCode(answer, answerRules(await metadata()))
    },
    async redeem(answer, expected) {
      const server = await metadata()
      requireState(answer, expected.state)
      const code = requireCode(answer, answerRules(server))
      const { token: endpoint, clientAuth } = server
      const fields = codeGrant(code, expected, settings)
      const members = requireTokens(await callTokenEndpoint(channel, { endpoint, clientAuth, fields }))
      const tokenset = readTokenSet(members, profile, clock())
      const idToken = await verifyIdToken(members.id_token, {
        keys: keySet.keysAt(server.jwks),
        algorithms: server.idTokenAlgorithms,
        issuer: server.issuer,
        clientId,
        now: clock(),
        accessToken: tokenset.accessToken,
        code,
        ...needed(expected),
      })
      return describeAccount(settings, tokenset, idToken, await readUserinfo(channel, server, tokenset, idToken))
    },
    async proveSubject(token, audiences) {
      const { jwks, idTokenAlgorithms: algorithms, issuer } = await metadata()
      const rules = { keys: keySet.keysAt(jwks), algorithms, issuer, now: clock(), audiences: [clientId, ...audiences] }
      const idToken = await verifyAssertedIdToken(token, rules)
      return readSubject(valueAt(idToken, settings.subjectPath), profile.subject.type)
    },
    async refresh(request) {
      const { issuer, token: endpoint, clientAuth } = await metadata()
      const checkSubject = (members: LosslessObject) =>
        checkRefreshedIdToken(members.id_token, { issuer, clientId, subject: request.subject })
      return refreshTokens({ channel, endpoint, clientAuth, request, now: clock(), checkSubject })
    },
    async revoke(token, hint) {
      const { revocation: endpoint, clientAuth } = await metadata()
      return callRevocation(channel, { endpoint, clientAuth, token, hint })
    },
  }
}

const answerRules = ({ issuer, issuerInAnswers }: ProviderMetadata) => ({ issuer, issuerRequired: issuerInAnswers })
const needed = ({ nonce, maxAgeSeconds }: ExpectedAnswer) => ({ nonce, maxAgeSeconds })

/** Claims of the user-info endpoint, which must be about the ID token's subject (OpenID Connect Core §5.3.2). */
async function readUserinfo(
  channel: BackChannel,
  { userinfo }: ProviderMetadata,
  { accessToken }: TokenSet,
  idToken: LosslessObject,
): Promise<LosslessObject> {
  if (userinfo === undefined) return {}
  const answer = await callAsAccount(channel, userinfo, accessToken)
  requireAvailable(answer)
  // An access token for another API opens no user-info endpoint; the ID token says who it is.
  if (answer.status === 401 || answer.status === 403) return {}
  const claims = requireClaims(answer)
  if (claims.sub !== idToken.sub) throw new UpstreamRefused('userinfo_invalid', { detail: 'sub' })
  return claims
}

function describeAccount(
  settings: ConnectorSettings,
  tokenset: TokenSet,
  idToken: LosslessObject,
  userinfo: LosslessObject,
): UpstreamAccount {
  const subject = readSubject(valueAt(idToken, settings.subjectPath), settings.profile.subject.type)
  // Signed words win over unsigned ones.
  const claims = { ...userinfo, ...idToken }
  const profile = readProfile(claims, settings.claims)
  const signed = readEmail(idToken, settings.claims)
  const { email, emailVerified } = signed.email === undefined ? readEmail(userinfo, settings.claims) : signed
  return {
    subject,
    profile,
    email,
    emailVerified,
    authoritativeDomains: authoritativeDomains(settings, claims),
    upstreamName: upstreamName(profile, email, subject),
    tokenset,
    claims: personalClaims(claims),
  }
}

// Only the vendor has the vendor's authority, not what an operator put in its place.
function authoritativeDomains({ isVendor, profile }: ConnectorSettings, claims: LosslessObject): readonly string[] {
  const { emailAuthority } = profile
  if (!isVendor || emailAuthority === undefined) return []
  return claims[emailAuthority.unlessClaim] === undefined ? emailAuthority.domains : []
}
