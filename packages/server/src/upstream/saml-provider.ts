// What we know of an identity provider: from the connection's options, or from the metadata that it publishes.
import { X509Certificate } from 'node:crypto'
import type { Connection } from '../domain/connection.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { createCached } from './cached.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import { requireAvailable, type SafeFetch } from './safe-fetch.ts'
import { readSigned, requireSignatureShape, requireStrongKey, signaturesOf, XMLDSIG } from './saml-signature.ts'
import { readInstant } from './saml-time.ts'
import { childrenOf, everyElement, readXml, type XmlElement } from './saml-xml.ts'

export const REDIRECT_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
export const POST_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
const METADATA_TTL_SECONDS = 600

export interface IdentityProvider {
  readonly entityId: string
  readonly signInEndpoint: string
  /** Of its signatures: several while it changes from one to the next. */
  readonly certificates: readonly X509Certificate[]
  /** Until when its metadata says so; undefined: no end was named. */
  readonly validUntil: EpochSeconds | undefined
}

/**
 * Options win over metadata, each by itself; metadata by URL is ten minutes old at most while it can be had, and serves no
 * longer than it says itself.
 *
 * @throws {ConnectionUnavailable} something is missing or cannot be read; with metadata, the promise says so.
 * @throws {UpstreamRefused} `metadata_invalid`, by the promise: it is over, not signed as it must be, or no metadata.
 */
export function identityProviderOf(
  { options }: Pick<Connection, 'options'>,
  { fetch, clock }: { readonly fetch: SafeFetch; readonly clock: Clock },
): () => Promise<IdentityProvider> {
  const load = loaderOf(options, { fetch, clock })
  // Asked each time: what could not be renewed ends as well.
  return async () => requireCurrent(await load(), clock())
}

function requireCurrent(provider: IdentityProvider, now: EpochSeconds): IdentityProvider {
  if (provider.validUntil !== undefined && provider.validUntil <= now) throw invalid('validUntil')
  return provider
}

function loaderOf(
  options: JsonObject,
  { fetch, clock }: { readonly fetch: SafeFetch; readonly clock: Clock },
): () => Promise<IdentityProvider> {
  const { metadataXml, metadataUrl, metadata_signing_cert: pinned } = options
  const vouchers = isString(pinned) ? readCertificates(pinned) : undefined
  const read = async (text: string) => {
    const metadata = await readMetadata(text, options, { vouchers, now: clock() })
    // Before it is held: an old document, served again, replaces none that counts.
    return requireCurrent(complete(options, metadata), clock())
  }
  if (isString(metadataUrl)) {
    const load = async () => read(await fetchMetadata(fetch, metadataUrl))
    return createCached({ load, ttlSeconds: METADATA_TTL_SECONDS, clock })
  }
  if (isString(metadataXml)) return createCached({ load: () => read(metadataXml), ttlSeconds: Infinity, clock })
  const known = complete(options, {})
  return async () => known
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
  return { entityId, signInEndpoint, certificates, validUntil: metadata.validUntil }
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
  requireStrongKey(certificate)
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

interface Vouched {
  /** Who must have signed it; undefined: whoever gave us the text or the URL vouches for it. */
  readonly vouchers: readonly X509Certificate[] | undefined
  readonly now: EpochSeconds
}

/** @throws {UpstreamRefused} `metadata_invalid`. */
async function readMetadata(text: string, options: JsonObject, vouched: Vouched): Promise<Known> {
  const root = await vouchedFor(text, vouched)
  const entity = entityOf(root, options.entityId)
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
    validUntil: earliestEnd(root, entity, role),
    ...(location === undefined ? {} : { signInEndpoint: webUrl(location) }),
  }
}

/** The document as it may be believed: all of it, or what the signature of its root covers. */
async function vouchedFor(text: string, { vouchers, now }: Vouched): Promise<XmlElement> {
  // People write comments into metadata. A signature covers none of them (xml-exc-c14n §1.1), so that they can go first.
  const plain = text.replaceAll(/<!--[\s\S]*?-->/g, '')
  try {
    const root = readXml(plain)
    if (vouchers === undefined) return root
    const [signature, ...more] = signaturesOf(root)
    if (signature === undefined || more.length > 0) throw invalid('unsigned')
    requireSignatureShape(root, signature)
    const ids = [...everyElement(root)].flatMap(({ attributes }) => attributes.get('ID') ?? [])
    if (new Set(ids).size !== ids.length) throw invalid('id twice')
    return await readSigned(plain, root.attributes.get('ID') ?? '', liveCertificates({ certificates: vouchers }, now))
  } catch (cause) {
    if (!(cause instanceof UpstreamRefused) || cause.code === 'metadata_invalid') throw cause
    throw invalid(cause.code === 'saml_xml_refused' ? `xml: ${cause.detail}` : `signature: ${cause.detail}`)
  }
}

/** Whatever holds it may say that it ends (saml-metadata §2.3). */
function earliestEnd(...holders: readonly XmlElement[]): EpochSeconds | undefined {
  const ends = holders.flatMap(({ attributes }) => attributes.get('validUntil') ?? []).map(readInstant)
  if (ends.includes(undefined)) throw invalid('validUntil')
  return ends.reduce((least, end) => (least === undefined || (end ?? 0) < least ? end : least), undefined)
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
