// SAML 2.0: we are the service provider. The signature library makes our requests and verifies signatures; everything else
// that an answer must be is checked beside it (docs/notes/saml.md; threats T-SAML-01 to -09).
import type { Connection } from '../domain/connection.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { Connector, ExpectedAnswer, UpstreamAccount } from './connector.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { samlAccountOf, samlNamesOf } from './saml-account.ts'
import { readAssertion, SAML_SKEW_SECONDS } from './saml-assertion.ts'
import { type IdentityProvider, identityProviderOf, liveCertificates } from './saml-provider.ts'
import {
  requestIdOf,
  type SamlParties,
  type SamlSelf,
  samlEntityId,
  samlLibrary,
  samlRequests,
} from './saml-request.ts'
import { readSamlResponse, type SamlResponse } from './saml-response.ts'

/** The name of the field by which a response comes, always by POST (saml-bindings §3.5). */
export const SAML_RESPONSE = 'SAMLResponse'

export interface SamlDependencies {
  readonly fetch: SafeFetch
  readonly clock: Clock
  /** Without it there are no SAML connections. */
  readonly saml?: SamlSelf
}

/** @throws {ConnectionUnavailable} */
export function createSamlConnector(connection: Connection, dependencies: SamlDependencies): Connector {
  const { clock, saml: self } = dependencies
  if (self === undefined) throw new ConnectionUnavailable('nobody said who we are to SAML providers')
  const provider = identityProviderOf(connection, dependencies)
  const parties = { connection, self, provider, names: samlNamesOf(connection) }
  return {
    ...samlRequests(parties),
    scopes: { ask: () => [], missing: (wanted) => wanted, spellings: (granted) => granted },
    traits: {
      refreshTokenGraceSeconds: undefined,
      revocationEnds: 'token',
      refreshTokenEndsAfterSeconds: undefined,
      apiHosts: [],
    },
    async checkAnswer(answer) {
      readSamlResponse(requireResponse(answer))
    },
    async redeem(answer, expected) {
      if (answer.get('state') !== expected.state) throw invalid('state')
      return readAccount(parties, readSamlResponse(requireResponse(answer)), expected, clock())
    },
    refresh: () => Promise.reject(new ConnectionUnavailable('no tokens come from samlp')),
    revoke: async () => 'unsupported',
  }
}

async function readAccount(
  { connection, self, provider, names }: SamlParties,
  response: SamlResponse,
  expected: ExpectedAnswer,
  now: EpochSeconds,
): Promise<UpstreamAccount> {
  const idp = await provider()
  const audience = samlEntityId(self.issuer, connection)
  requireOurs(response, idp, expected)
  const assertion = readAssertion(await verify(response, idp, audience, now), {
    issuer: idp.entityId,
    audience,
    recipient: expected.redirectUri,
    requestId: requestIdOf(expected),
    now,
    authenticatedAfter: expected.authenticatedAfter,
  })
  const key = JSON.stringify(['saml', assertion.issuer, assertion.id])
  const once = { key, expiresAt: assertion.notOnOrAfter + SAML_SKEW_SECONDS }
  return { ...samlAccountOf(assertion, names, audience), once }
}

function requireResponse(answer: URLSearchParams): string {
  const [response, ...more] = answer.getAll(SAML_RESPONSE)
  if (response === undefined || more.length > 0) throw invalid('SAMLResponse')
  return response
}

/** Nothing of the frame is believed, but what it does say must be true; then it may say no. */
function requireOurs(response: SamlResponse, { entityId }: IdentityProvider, expected: ExpectedAnswer): void {
  const { issuer = entityId, destination, inResponseTo, status, statusCodes, isSigned } = response
  if (issuer !== entityId) throw new UpstreamRefused('issuer_mismatch')
  if (inResponseTo !== requestIdOf(expected)) throw invalid('in response to')
  // A signed message names where it was sent (saml-bindings §3.5.5.2).
  if (destination === undefined ? isSigned && status === 'success' : destination !== expected.redirectUri)
    throw invalid('destination')
  if (status === 'success') return
  throw new UpstreamRefused(status === 'denied' ? 'access_denied' : 'provider_error', {
    providerError: statusCodes.at(-1),
  })
}

/** The text of the assertion as it was signed. Every signature that is there must hold, and one must be there. */
async function verify(
  response: SamlResponse,
  idp: IdentityProvider,
  entityId: string,
  now: EpochSeconds,
): Promise<string> {
  const { encoded, isSigned, hasSignedAssertion } = response
  if (!isSigned && !hasSignedAssertion) throw badSignature('none')
  const certificates = liveCertificates(idp, now)
  if (certificates.length === 0) throw badSignature('certificate expired')
  const { SAML, ValidateInResponseTo } = await samlLibrary()
  const saml = new SAML({
    issuer: entityId,
    callbackUrl: entityId,
    idpCert: certificates.map(String),
    wantAuthnResponseSigned: isSigned,
    wantAssertionsSigned: hasSignedAssertion,
    // What it leaves out we do with the rest, in one place and by our clock: `readAssertion`.
    audience: false,
    acceptedClockSkewMs: -1,
    validateInResponseTo: ValidateInResponseTo.never,
  })
  const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: encoded }).catch((cause: unknown) => {
    throw refusedByLibrary(cause)
  })
  const xml = profile?.getAssertionXml?.()
  if (xml === undefined) throw badSignature('covers no assertion')
  return xml
}

/** It reads a little of the assertion as well, and stumbles. Its messages quote what they were given; they are not kept. */
function refusedByLibrary(cause: unknown): UpstreamRefused {
  const isSignature = cause instanceof Error && /\bsignature\b/i.test(cause.message)
  return isSignature
    ? badSignature('does not hold')
    : new UpstreamRefused('saml_assertion_refused', { detail: 'library' })
}

const invalid = (detail: string): UpstreamRefused => new UpstreamRefused('saml_response_invalid', { detail })
const badSignature = (detail: string): UpstreamRefused => new UpstreamRefused('saml_signature_refused', { detail })
