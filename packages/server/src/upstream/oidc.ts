// OpenID providers: who it is, is proven by an ID token.
import type { TokenSet } from '../domain/tokenset.ts'
import { buildAuthorizationUrl, requireCode, requireState } from './authorization.ts'
import type { Connector, ExpectedAnswer, UpstreamAccount } from './connector.ts'
import { UpstreamRefused } from './errors.ts'
import { callbackSource, readExtras } from './extras.ts'
import { checkRefreshedIdToken, verifyAssertedIdToken, verifyIdToken } from './id-token.ts'
import { isForManyTenants } from './issuers.ts'
import { createKeySet } from './jwks.ts'
import { isLosslessObject, type LosslessObject, parseLosslessObject } from './lossless-json.ts'
import { createMetadata, type ProviderMetadata } from './metadata.ts'
import { personalClaims, readEmail, readProfile, upstreamName } from './profile-claims.ts'
import { refreshTokens } from './refresh.ts'
import { requireAvailable } from './safe-fetch.ts'
import { createScopeRules } from './scopes.ts'
import { type ConnectorSettings, traitsOf } from './settings.ts'
import { readSubjectAt } from './subject.ts'
import { readTokenSet } from './token-answer.ts'
import { type BackChannel, callRevocation, callTokenEndpoint, codeGrant, requireTokens } from './token-endpoint.ts'
import { askMetadata, callAsAccount, requireClaims } from './userinfo.ts'

/** @throws {ConnectionUnavailable} neither an issuer nor a discovery URL is configured. */
export function createOidcConnector(channel: BackChannel): Connector {
  const { settings, fetch, clock } = channel
  const { profile, clientId } = settings
  const metadata = createMetadata({ settings, fetch, clock })
  const keySet = createKeySet({ fetch, clock })
  return {
    scopes: createScopeRules(settings.scopes),
    traits: traitsOf(settings),
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
      const tokenset = readTokenSet(members, { profile, now: clock(), grant: 'code', callback: answer })
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
      const userinfo = await readUserinfo(channel, server, tokenset, idToken)
      const more = await askMetadata(channel, tokenset.accessToken)
      return {
        ...describeAccount(settings, { tokenset, idToken, userinfo, name: nameIn(answer, profile) }),
        extras: readExtras(profile.extras, {
          token_answer: members,
          userinfo,
          callback: callbackSource(answer),
          ...(more === undefined ? {} : { metadata: more }),
        }),
      }
    },
    async proveSubject(token, audiences) {
      const { jwks, idTokenAlgorithms: algorithms, issuer } = await metadata()
      const rules = { keys: keySet.keysAt(jwks), algorithms, issuer, now: clock(), audiences: [clientId, ...audiences] }
      const idToken = await verifyAssertedIdToken(token, rules)
      return subjectOf(settings, idToken)
    },
    async refresh(request) {
      const { issuer, token: endpoint, clientAuth } = await metadata()
      const checkSubject = (members: LosslessObject) =>
        checkRefreshedIdToken(members.id_token, {
          issuer,
          clientId,
          subject: request.subject,
          subjectOf: (claims) => subjectOf(settings, claims),
        })
      return refreshTokens({
        channel,
        endpoint: settings.endpoints.refresh ?? endpoint,
        clientAuth,
        request,
        now: clock(),
        checkSubject,
      })
    },
    async revoke(token, hint) {
      const { revocation: endpoint, clientAuth } = await metadata()
      return callRevocation(channel, { endpoint, clientAuth, token, hint })
    },
  }
}

const answerRules = ({ issuer, issuerInAnswers }: ProviderMetadata) => ({
  issuer: isForManyTenants(issuer) ? undefined : issuer,
  issuerRequired: issuerInAnswers,
})

const subjectOf = ({ subjectPaths, profile }: ConnectorSettings, idToken: LosslessObject): string =>
  readSubjectAt(idToken, subjectPaths, profile.identity.subjectType)

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

interface Said {
  readonly tokenset: TokenSet
  readonly idToken: LosslessObject
  readonly userinfo: LosslessObject
  readonly name: LosslessObject
}

function describeAccount(
  settings: ConnectorSettings,
  { tokenset, idToken, userinfo, name }: Said,
): Omit<UpstreamAccount, 'extras'> {
  requireOwnClaims(settings, idToken)
  const { verifiedBy } = settings.profile.identity
  const subject = subjectOf(settings, idToken)
  // Signed words win over unsigned ones.
  const claims = { ...name, ...userinfo, ...idToken }
  const profile = readProfile(claims, settings.claims)
  const signed = readEmail(idToken, settings.claims, verifiedBy)
  const { email, emailVerified } =
    signed.email === undefined ? readEmail(userinfo, settings.claims, verifiedBy) : signed
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

/** Somebody of another organisation, let in by a provider that serves them all. */
function requireOwnClaims({ requiredClaims }: ConnectorSettings, idToken: LosslessObject): void {
  for (const [name, value] of Object.entries(requiredClaims))
    if (idToken[name] !== value) throw new UpstreamRefused('id_token_invalid', { detail: name })
}

const MAX_NAME_LENGTH = 4096

/** Nobody signed it: a name to be called by, and nothing else is taken from there. */
function nameIn(answer: URLSearchParams, { identity }: ConnectorSettings['profile']): LosslessObject {
  const text = identity.nameInAnswer === undefined ? null : answer.get(identity.nameInAnswer)
  if (text === null || text.length > MAX_NAME_LENGTH) return {}
  try {
    const { name } = parseLosslessObject(text)
    if (!isLosslessObject(name)) return {}
    const parts = [name.firstName, name.lastName].filter((one) => typeof one === 'string' && one.trim() !== '')
    return {
      ...(parts.length === 0 ? {} : { name: parts.join(' ') }),
      ...(name.firstName === undefined ? {} : { given_name: name.firstName }),
      ...(name.lastName === undefined ? {} : { family_name: name.lastName }),
    }
  } catch (error) {
    if (error instanceof UpstreamRefused) return {}
    throw error
  }
}

// Only the vendor has the vendor's authority, not what an operator put in its place.
function authoritativeDomains({ isVendor, profile }: ConnectorSettings, claims: LosslessObject): readonly string[] {
  const { emailAuthority } = profile.identity
  if (!isVendor || emailAuthority === undefined) return []
  const { domains, unlessClaim } = emailAuthority
  return unlessClaim === undefined || claims[unlessClaim] === undefined ? domains : []
}
