// SAML 2.0: we are the service provider. Libraries make our requests and verify signatures; everything else that an answer
// must be is checked beside them (docs/notes/saml.md; threats T-SAML-01 to -09).
import type { X509Certificate } from 'node:crypto'
import type { Connection } from '../domain/connection.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { BEARER, type Connector, type ExpectedAnswer, type UpstreamAccount } from './connector.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { samlAccountOf, samlNamesOf } from './saml-account.ts'
import { readAssertion, SAML_SKEW_SECONDS } from './saml-assertion.ts'
import { decryptAssertion } from './saml-decryption.ts'
import { type IdentityProvider, identityProviderOf, liveCertificates } from './saml-provider.ts'
import {
  requestIdOf,
  type SamlParties,
  type SamlSelf,
  samlEntityId,
  samlRequests,
  takesEncrypted,
} from './saml-request.ts'
import { contentOf, readSamlResponse, requireOpened, type SamlResponse } from './saml-response.ts'
import { readSigned, signaturesOf } from './saml-signature.ts'
import type { XmlElement } from './saml-xml.ts'

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
      asksWhichAccount: true,
      apiHeader: BEARER,
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
  parties: SamlParties,
  response: SamlResponse,
  expected: ExpectedAnswer,
  now: EpochSeconds,
): Promise<UpstreamAccount> {
  const { connection, self, provider, names } = parties
  const idp = await provider()
  const audience = samlEntityId(self.issuer, connection)
  requireOurs(response, idp, expected)
  const signed = await signedAssertion(response, parties, liveCertificates(idp, now))
  const assertion = readAssertion(signed, {
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

/** The assertion as it was signed. Every signature that is there must hold, and one must be there. */
async function signedAssertion(
  response: SamlResponse,
  { connection, self }: SamlParties,
  certificates: readonly X509Certificate[],
): Promise<XmlElement> {
  // What the frame's signature covers counts from here on, before any key of ours is used on it.
  const frame = response.isSigned ? await readSigned(response.text, idOf(response.root), certificates) : response.root
  const content = contentOf(frame)
  if (content === undefined) throw badSignature('covers no assertion')
  if (content.name === 'Assertion') {
    if (isSigned(contentOf(response.root))) return readSigned(response.text, idOf(content), certificates)
    if (response.isSigned) return content
    throw badSignature('none')
  }
  if (!takesEncrypted(connection)) throw new UpstreamRefused('saml_decryption_refused', { detail: 'not asked for' })
  const { text, root } = decryptAssertion(content, (await self.decryptionKey()).privateKey)
  requireOpened(root)
  // Anybody can encrypt to us: the signature of the frame says who sent it, and not who wrote what is in it.
  if (!isSigned(root)) throw badSignature('none on what was encrypted')
  return readSigned(text, idOf(root), certificates)
}

const isSigned = (one: XmlElement | undefined): boolean => one !== undefined && signaturesOf(one).length > 0

function idOf({ attributes }: XmlElement): string {
  const id = attributes.get('ID')
  if (id === undefined) throw badSignature('id')
  return id
}

const invalid = (detail: string): UpstreamRefused => new UpstreamRefused('saml_response_invalid', { detail })
const badSignature = (detail: string): UpstreamRefused => new UpstreamRefused('saml_signature_refused', { detail })
