// What we know of an identity provider: from the connection's options, or from the metadata that it publishes.
import { X509Certificate } from 'node:crypto'
import type { Connection } from '../domain/connection.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { createCached } from './cached.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import { requireAvailable, type SafeFetch } from './safe-fetch.ts'
import { XMLDSIG } from './saml-response.ts'
import { childrenOf, everyElement, readXml, type XmlElement } from './saml-xml.ts'

export const REDIRECT_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
export const POST_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
const METADATA_TTL_SECONDS = 600
const MIN_RSA_BITS = 2048

export interface IdentityProvider {
  readonly entityId: string
  readonly signInEndpoint: string
  /** Of its signatures: several while it changes from one to the next. */
  readonly certificates: readonly X509Certificate[]
}

/**
 * Options win over metadata, each by itself; metadata by URL is ten minutes old at most while it can be had.
 *
 * @throws {ConnectionUnavailable} something is missing or cannot be read; with a URL, the promise says so.
 */
export function identityProviderOf(
  { options }: Pick<Connection, 'options'>,
  { fetch, clock }: { readonly fetch: SafeFetch; readonly clock: Clock },
): () => Promise<IdentityProvider> {
  const { metadataXml, metadataUrl } = options
  if (!isString(metadataUrl)) {
    const known = complete(options, isString(metadataXml) ? readMetadata(metadataXml, options) : {})
    return async () => known
  }
  const load = async () => complete(options, readMetadata(await fetchMetadata(fetch, metadataUrl), options))
  return createCached({ load, ttlSeconds: METADATA_TTL_SECONDS, clock })
}

/** Those that may vouch now. */
export const liveCertificates = (
  { certificates }: Pick<IdentityProvider, 'certificates'>,
  now: EpochSeconds,
): readonly X509Certificate[] => certificates.filter((one) => certificateEnd(one) > now)

export const certificateEnd = ({ validTo }: X509Certificate): EpochSeconds => Math.floor(Date.parse(validTo) / 1000)

type Known = Partial<IdentityProvider>

function complete(options: JsonObject, metadata: Known): IdentityProvider {
  const { signInEndpoint: endpoint, signingCert, cert, entityId: id } = options
  const signInEndpoint = isString(endpoint) ? webUrl(endpoint) : metadata.signInEndpoint
  const entityId = isString(id) ? id : metadata.entityId
  const own = [signingCert, cert].find(isString)
  const certificates = own === undefined ? metadata.certificates : readCertificates(own)
  if (signInEndpoint === undefined) throw new ConnectionUnavailable('options.signInEndpoint is missing')
  if (entityId === undefined) throw new ConnectionUnavailable('options.entityId is missing')
  if (certificates === undefined || certificates.length === 0)
    throw new ConnectionUnavailable('options.signingCert is missing')
  return { entityId, signInEndpoint, certificates }
}

/** Certificates in PEM, one after the other; in base64 of PEM, as Auth0 takes it; or one in bare base64. */
export function readCertificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
  if (blocks !== null) return blocks.map(readCertificate)
  const decoded = Buffer.from(text, 'base64')
  const inner = decoded.toString('latin1')
  return inner.includes('-----BEGIN CERTIFICATE-----') ? readCertificates(inner) : [readCertificate(decoded)]
}

function readCertificate(source: string | Buffer): X509Certificate {
  const certificate = parseCertificate(source)
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < MIN_RSA_BITS)
    throw new ConnectionUnavailable(`the signing certificate is not one of RSA with ${MIN_RSA_BITS} bits or more`)
  return certificate
}

function parseCertificate(source: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(source)
  } catch {
    throw new ConnectionUnavailable('the signing certificate cannot be read')
  }
}

async function fetchMetadata(fetch: SafeFetch, url: string): Promise<string> {
  const answer = await fetch(url, { headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' } })
  requireAvailable(answer)
  if (answer.status !== 200) throw invalid(`status ${answer.status}`)
  return answer.text
}

/** @throws {UpstreamRefused} `metadata_invalid`. */
function readMetadata(text: string, options: JsonObject): Known {
  const entity = entityOf(parse(text), options.entityId)
  const [role, ...more] = childrenOf(entity, METADATA, 'IDPSSODescriptor')
  if (role === undefined || more.length > 0) throw invalid('IDPSSODescriptor')
  const entityId = entity.attributes.get('entityID')
  if (entityId === undefined || entityId === '') throw invalid('entityID')
  const wanted = options.protocolBinding === POST_BINDING ? POST_BINDING : REDIRECT_BINDING
  const services = childrenOf(role, METADATA, 'SingleSignOnService')
  const location = services.find(({ attributes }) => attributes.get('Binding') === wanted)?.attributes.get('Location')
  return {
    entityId,
    certificates: childrenOf(role, METADATA, 'KeyDescriptor').flatMap(certificatesOf),
    ...(location === undefined ? {} : { signInEndpoint: webUrl(location) }),
  }
}

/** People write comments into metadata; it is no message, and nothing in it is compared with what a signature covers. */
function parse(text: string): XmlElement {
  try {
    return readXml(text.replaceAll(/<!--[\s\S]*?-->/g, ''))
  } catch (cause) {
    if (cause instanceof UpstreamRefused) throw invalid(`xml: ${cause.detail}`)
    throw cause
  }
}

function entityOf(root: XmlElement, entityId: unknown): XmlElement {
  const entities = [...everyElement(root)].filter(
    ({ namespace, name }) => namespace === METADATA && name === 'EntityDescriptor',
  )
  const matching = isString(entityId)
    ? entities.filter(({ attributes }) => attributes.get('entityID') === entityId)
    : entities
  const [entity, ...more] = matching
  // T-CONN-05: a document about somebody else would let one provider speak for another.
  if (entity === undefined || more.length > 0) throw invalid('entityID')
  return entity
}

function certificatesOf(descriptor: XmlElement): readonly X509Certificate[] {
  if (descriptor.attributes.get('use') === 'encryption') return []
  return [...everyElement(descriptor)]
    .filter(({ namespace, name }) => namespace === XMLDSIG && name === 'X509Certificate')
    .map(({ text }) => readCertificate(Buffer.from(text, 'base64')))
}

/** A browser is sent there: nothing but the web. */
function webUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw invalid('sign-in URL')
  return text
}

const invalid = (detail: string): UpstreamRefused => new UpstreamRefused('metadata_invalid', { detail })
