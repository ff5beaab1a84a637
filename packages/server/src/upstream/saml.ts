// SAML 2.0: we are the service provider. The signature library makes our requests and verifies signatures; everything else
// that an answer must be is checked beside it (docs/notes/saml.md; threats T-SAML-01 to -09).
import { generateServiceProviderMetadata, SAML, type SamlConfig, ValidateInResponseTo } from '@node-saml/node-saml'
import type { Connection } from '../domain/connection.ts'
import type { Clock } from '../lib/time.ts'
import { asksAnew } from './authorization.ts'
import type { AuthorizationRequest, Connector, ExpectedAnswer, UpstreamAccount } from './connector.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { PERSISTENT, type SamlNames, samlAccountOf, samlNamesOf } from './saml-account.ts'
import { readAssertion, SAML_SKEW_SECONDS } from './saml-assertion.ts'
import { type IdentityProvider, identityProviderOf, liveCertificates, POST_BINDING } from './saml-provider.ts'
import { readSamlResponse, type SamlResponse } from './saml-response.ts'

/** The name of the field by which a response comes, always by POST (saml-bindings §3.5). */
export const SAML_RESPONSE = 'SAMLResponse'

/** Signs our requests; its certificate is what we tell providers. Both PEM. */
export interface SamlKey {
  readonly privateKey: string
  readonly certificate: string
}

/** Who we are to identity providers. */
export interface SamlSelf {
  /** With its slash. */
  readonly issuer: string
  readonly key: () => Promise<SamlKey>
}

export interface SamlDependencies {
  readonly fetch: SafeFetch
  readonly clock: Clock
  /** Without it there are no SAML connections. */
  readonly saml?: SamlSelf
}

/** Our name at an identity provider; each connection has its own, so that no answer for one serves at another. */
export const samlEntityId = (issuer: string, { name }: Pick<Connection, 'name'>): string =>
  `${issuer}samlp/metadata?connection=${encodeURIComponent(name)}`

/** @throws {ConnectionUnavailable} */
export function createSamlConnector(connection: Connection, dependencies: SamlDependencies): Connector {
  const { clock, saml: self } = dependencies
  if (self === undefined) throw new ConnectionUnavailable('nobody said who we are to SAML providers')
  const { signSAMLRequest, signatureAlgorithm, protocolBinding } = connection.options
  if (signSAMLRequest === true && signatureAlgorithm === 'rsa-sha1')
    throw new ConnectionUnavailable('options.signatureAlgorithm rsa-sha1 is too weak to sign with')
  const provider = identityProviderOf(connection, dependencies)
  const names = samlNamesOf(connection)
  const us = { entityId: samlEntityId(self.issuer, connection), names }
  const signing = async (): Promise<Partial<SamlConfig>> =>
    signSAMLRequest === true
      ? { privateKey: (await self.key()).privateKey, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256' }
      : {}
  const asking = async (request: AuthorizationRequest) => {
    const { signInEndpoint } = await provider()
    return new SAML(
      requestOptions(us, request, {
        entryPoint: signInEndpoint,
        isPosted: protocolBinding === POST_BINDING,
        ...(await signing()),
      }),
    )
  }
  return {
    scopes: { ask: () => [], missing: (wanted) => wanted, spellings: (granted) => granted },
    traits: { refreshTokenGraceSeconds: undefined, revocationEnds: 'token', apiHosts: [] },
    async authorizationUrl(request) {
      return new URL(await (await asking(request)).getAuthorizeUrlAsync(request.state, undefined, {}))
    },
    ...(protocolBinding === POST_BINDING
      ? {
          async authorizationForm(request: AuthorizationRequest) {
            const fields = await (await asking(request)).getAuthorizeMessageAsync(request.state)
            return { action: (await provider()).signInEndpoint, fields: textsOf(fields) }
          },
        }
      : {}),
    async checkAnswer(answer) {
      readSamlResponse(requireResponse(answer))
    },
    async redeem(answer, expected) {
      if (answer.get('state') !== expected.state) throw invalid('state')
      const response = readSamlResponse(requireResponse(answer))
      const idp = await provider()
      requireOurs(response, idp, expected)
      const now = clock()
      const assertion = readAssertion(await verify(response, idp, us.entityId, now), {
        issuer: idp.entityId,
        audience: us.entityId,
        recipient: expected.redirectUri,
        requestId: requestIdOf(expected),
        now,
        authenticatedAfter: expected.authenticatedAfter,
      })
      const account: UpstreamAccount = samlAccountOf(assertion, names, us.entityId)
      const key = JSON.stringify(['saml', assertion.issuer, assertion.id])
      return { ...account, once: { key, expiresAt: assertion.notOnOrAfter + SAML_SKEW_SECONDS } }
    },
    refresh: () => Promise.reject(new ConnectionUnavailable('no tokens come from samlp')),
    revoke: async () => 'unsupported',
    async describeUs(redirectUri) {
      const key = signSAMLRequest === true ? await self.key() : undefined
      return generateServiceProviderMetadata({
        issuer: us.entityId,
        callbackUrl: redirectUri,
        identifierFormat: nameIdFormat(names),
        wantAssertionsSigned: true,
        generateUniqueId: () => '_metadata',
        ...(key === undefined ? {} : { privateKey: key.privateKey, publicCerts: key.certificate }),
      })
    },
  }
}

interface Us {
  readonly entityId: string
  readonly names: SamlNames
}

const nameIdFormat = ({ subject }: SamlNames): string | null => (subject === undefined ? PERSISTENT : null)

const textsOf = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))

/** The transaction's nonce: an answer to any other request names another. */
const requestIdOf = ({ nonce }: { readonly nonce: string }): string => `_${nonce}`

function requestOptions(
  { entityId, names }: Us,
  { redirectUri, nonce, extra = {} }: AuthorizationRequest,
  { isPosted, ...more }: Partial<SamlConfig> & { readonly isPosted: boolean },
): SamlConfig {
  return {
    issuer: entityId,
    callbackUrl: redirectUri,
    // The library wants one; requests are not verified by it.
    idpCert: 'AAAA',
    identifierFormat: nameIdFormat(names),
    disableRequestedAuthnContext: true,
    forceAuthn: asksAnew(extra),
    passive: extra.prompt === 'none',
    // Packed in URLs alone (saml-bindings §3.4.4.1, §3.5.4).
    skipRequestCompression: isPosted,
    generateUniqueId: () => requestIdOf({ nonce }),
    ...more,
  }
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
async function verify(response: SamlResponse, idp: IdentityProvider, entityId: string, now: number): Promise<string> {
  const { encoded, isSigned, hasSignedAssertion } = response
  if (!isSigned && !hasSignedAssertion) throw badSignature('none')
  const certificates = liveCertificates(idp, now)
  if (certificates.length === 0) throw badSignature('certificate expired')
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
