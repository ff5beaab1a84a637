// What we ask of an identity provider, and how we describe ourselves to it. The library writes and signs both.
import type { SAML, SamlConfig } from '@node-saml/node-saml'
import type { Connection } from '../domain/connection.ts'
import { asksAnew } from './authorization.ts'
import type { AuthorizationForm, AuthorizationRequest, Connector } from './connector.ts'
import { ConnectionUnavailable } from './errors.ts'
import { PERSISTENT, type SamlNames } from './saml-account.ts'
import { NEWER_OAEP, OLDER_OAEP } from './saml-decryption.ts'
import { type IdentityProvider, POST_BINDING } from './saml-provider.ts'

/** Loaded when it is first needed: most deployments have no such connection. */
export const samlLibrary = () => import('@node-saml/node-saml')

/** A key of ours; its certificate is what we tell providers. Both PEM. */
export interface SamlKey {
  readonly privateKey: string
  readonly certificate: string
}

/** Who we are to identity providers. */
export interface SamlSelf {
  /** With its slash. */
  readonly issuer: string
  /** Signs our requests. */
  readonly key: () => Promise<SamlKey>
  /** Opens what was encrypted to us; another one, so that no answer of one use serves the other. */
  readonly decryptionKey: () => Promise<SamlKey>
}

/** Our name at an identity provider; each connection has its own, so that no answer for one serves at another. */
export const samlEntityId = (issuer: string, { name }: Pick<Connection, 'name'>): string =>
  `${issuer}samlp/metadata?connection=${encodeURIComponent(name)}`

/** The transaction's nonce: an answer to any other request names another. */
export const requestIdOf = ({ nonce }: { readonly nonce: string }): string => `_${nonce}`

export interface SamlParties {
  readonly connection: Connection
  readonly self: SamlSelf
  readonly provider: () => Promise<IdentityProvider>
  readonly names: SamlNames
}

/** @throws {ConnectionUnavailable} our requests would be signed by an algorithm that does not hold. */
export function samlRequests(
  parties: SamlParties,
): Pick<Connector, 'authorizationUrl' | 'authorizationForm' | 'describeUs'> {
  const { signSAMLRequest, signatureAlgorithm, protocolBinding } = parties.connection.options
  if (signSAMLRequest === true && signatureAlgorithm === 'rsa-sha1')
    throw new ConnectionUnavailable('options.signatureAlgorithm rsa-sha1 is too weak to sign with')
  const form = async (request: AuthorizationRequest): Promise<AuthorizationForm> => {
    const fields = await (await writerOf(parties, request)).getAuthorizeMessageAsync(request.state)
    return { action: (await parties.provider()).signInEndpoint, fields: textsOf(fields) }
  }
  return {
    async authorizationUrl(request) {
      return new URL(await (await writerOf(parties, request)).getAuthorizeUrlAsync(request.state, undefined, {}))
    },
    ...(protocolBinding === POST_BINDING ? { authorizationForm: form } : {}),
    describeUs: (redirectUri) => describe(parties, redirectUri),
  }
}

async function writerOf(
  { connection, self, provider, names }: SamlParties,
  { redirectUri, nonce, extra = {} }: AuthorizationRequest,
): Promise<SAML> {
  const { SAML } = await samlLibrary()
  const { protocolBinding, signSAMLRequest } = connection.options
  const { signInEndpoint } = await provider()
  return new SAML({
    issuer: samlEntityId(self.issuer, connection),
    callbackUrl: redirectUri,
    entryPoint: signInEndpoint,
    // It wants one, and verifies nothing with this writer.
    idpCert: 'AAAA',
    identifierFormat: nameIdFormat(names),
    disableRequestedAuthnContext: true,
    forceAuthn: asksAnew(extra),
    passive: extra.prompt === 'none',
    // Packed in URLs alone (saml-bindings §3.4.4.1, §3.5.4).
    skipRequestCompression: protocolBinding === POST_BINDING,
    generateUniqueId: () => requestIdOf({ nonce }),
    ...(signSAMLRequest === true ? await signing(self) : {}),
  })
}

const signing = async ({ key }: SamlSelf): Promise<Partial<SamlConfig>> => ({
  privateKey: (await key()).privateKey,
  signatureAlgorithm: 'sha256',
  digestAlgorithm: 'sha256',
})

const nameIdFormat = ({ subject }: SamlNames): string | null => (subject === undefined ? PERSISTENT : null)

const textsOf = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))

export const takesEncrypted = ({ options }: Pick<Connection, 'options'>): boolean =>
  options.encrypted_assertions === true

async function describe({ connection, self, names }: SamlParties, redirectUri: string): Promise<string> {
  const { generateServiceProviderMetadata } = await samlLibrary()
  const key = connection.options.signSAMLRequest === true ? await self.key() : undefined
  const opener = takesEncrypted(connection) ? await self.decryptionKey() : undefined
  const text = generateServiceProviderMetadata({
    issuer: samlEntityId(self.issuer, connection),
    callbackUrl: redirectUri,
    identifierFormat: nameIdFormat(names),
    wantAssertionsSigned: true,
    generateUniqueId: () => '_metadata',
    ...(key === undefined ? {} : { privateKey: key.privateKey, publicCerts: key.certificate }),
    ...(opener === undefined ? {} : { decryptionPvk: opener.privateKey, decryptionCert: opener.certificate }),
  })
  return withOurCiphers(text)
}

/** The library names what it could open itself: CBC as well, and no way to send the key. */
function withOurCiphers(metadata: string): string {
  return metadata.replace(/http:[^"]*#aes256-cbc/, OLDER_OAEP).replace(/http:[^"]*#aes128-cbc/, NEWER_OAEP)
}
