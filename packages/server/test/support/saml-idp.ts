// A SAML identity provider on loopback that really signs. It is called `localhost`, and so on another site than a server
// on 127.0.0.1: what it posts comes without cookies that stay at home.
import { randomBytes, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { inflateRawSync } from 'node:zlib'
import { makeSigner, type SamlSigner } from './saml-certificates.ts'
import type { Encryption } from './saml-encryption.ts'
import { type AskedOf, escapeXml, honestFacts, type SamlFacts, type Signing, signedResponse } from './saml-messages.ts'
import {
  ECDSA_SHA256,
  type ElementSigning,
  RSA_SHA256,
  SHA256,
  type SigningLibrary,
  signElement,
} from './saml-signing.ts'

/** What it does wrong, until `reset()`. */
export interface SamlLies {
  parts?: Signing['parts']
  signer?: SamlSigner
  assertionSigner?: SamlSigner
  signature?: string
  digest?: string
  keyInfo?: boolean
  prefixList?: string
  encryption?: Encryption
  facts?: (facts: SamlFacts) => Partial<SamlFacts>
  after?: (xml: string, facts: SamlFacts) => string | Promise<string>
}

export interface SamlUser {
  readonly nameId: string
  readonly attributes: SamlFacts['attributes']
}

/** An authentication request as it came. */
export interface SeenRequest extends AskedOf {
  readonly method: string
  readonly xml: string
  readonly relayState: string | undefined
  /** The query as it was signed, and its signature. */
  readonly signed: { readonly text: string; readonly signature: string } | undefined
}

export interface SamlIdp {
  readonly url: string
  readonly entityId: string
  readonly signer: SamlSigner
  /** Changes as tests tell it to. */
  lies: SamlLies
  /** Who signs for it; `reset()` leaves it. */
  library: SigningLibrary
  readonly requests: SeenRequest[]
  /** Replaces what stands at `/metadata`. */
  metadata: string
  addUser(key: string, user?: Partial<SamlUser>): SamlUser
  switchUser(key: string): void
  reset(): void
  connection(name: string, options?: object): { name: string; strategy: string; options: object }
  /** The base64 of a response of its present user, signed and lied about as told. */
  respond(asked: AskedOf, lies?: SamlLies): Promise<string>
  stop(): Promise<void>
}

export interface SamlIdpOptions {
  readonly signer?: SamlSigner
  readonly entityId?: string
}

export async function startSamlIdp(options: SamlIdpOptions = {}): Promise<SamlIdp> {
  const signer = options.signer ?? (await makeSigner('Corp'))
  const users = new Map<string, SamlUser>()
  let current: string | undefined
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://localhost:${address.port}`
  const entityId = options.entityId ?? `${url}/metadata`

  const idp: SamlIdp = {
    url,
    entityId,
    signer,
    lies: {},
    library: 'xmldsigjs',
    requests: [],
    metadata: metadataOf({ entityId, signInEndpoint: `${url}/sso`, certificates: [signer.certificate] }),
    addUser(key, user = {}) {
      const added = {
        nameId: `corp-${randomBytes(8).toString('hex')}`,
        attributes: { email: `${key}@corp.test`, name: key },
        ...user,
      }
      users.set(key, added)
      current = key
      return added
    },
    switchUser(key) {
      if (!users.has(key)) throw new Error(`no user ${key}`)
      current = key
    },
    reset() {
      idp.lies = {}
    },
    connection: (name, more = {}) => ({
      name,
      strategy: 'samlp',
      options: { signInEndpoint: `${url}/sso`, signingCert: signer.certificate, entityId, ...more },
    }),
    async respond(asked, lies = idp.lies) {
      const user = users.get(current ?? '')
      if (user === undefined) throw new Error('nobody is signed in at the provider')
      const honest = honestFacts(asked, { issuer: entityId, ...user })
      const facts = { ...honest, ...lies.facts?.(honest) }
      const by = lies.signer ?? signer
      const xml = await signedResponse(facts, {
        parts: lies.parts ?? 'both',
        signer: by,
        library: idp.library,
        ...(lies.assertionSigner === undefined ? {} : { assertionSigner: lies.assertionSigner }),
        ...(lies.prefixList === undefined ? {} : { prefixList: lies.prefixList }),
        ...(lies.encryption === undefined ? {} : { encryption: lies.encryption }),
        signature: lies.signature ?? (by.kind === 'ec' ? ECDSA_SHA256 : RSA_SHA256),
        digest: lies.digest ?? SHA256,
        keyInfo: lies.keyInfo ?? false,
      })
      return Buffer.from((await lies.after?.(xml, facts)) ?? xml).toString('base64')
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const here = new URL(request.url ?? '/', url)
    if (here.pathname === '/metadata') {
      response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(idp.metadata)
      return
    }
    if (here.pathname !== '/sso') return void response.writeHead(404).end()
    const asked = await readRequest(request, here)
    idp.requests.push(asked)
    const fields = { SAMLResponse: await idp.respond(asked), RelayState: asked.relayState }
    const inputs = Object.entries(fields).map(([name, value]) =>
      value === undefined ? '' : `<input type="hidden" name="${name}" value="${escapeXml(value)}">`,
    )
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      `<!doctype html><html lang="en"><head><title>Corp</title></head><body data-page="corp"><form data-form="corp" method="post" action="${escapeXml(asked.acs)}">${inputs.join('')}<button name="action" value="go">Go on</button></form></body></html>`,
    )
  }
  return idp
}

async function readRequest(request: IncomingMessage, here: URL): Promise<SeenRequest> {
  const { method = 'GET' } = request
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const fields = method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : here.searchParams
  const bytes = Buffer.from(fields.get('SAMLRequest') ?? '', 'base64')
  const xml = (method === 'POST' ? bytes : inflateRawSync(bytes)).toString('utf8')
  const named = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(xml)?.[1] ?? ''
  const signature = fields.get('Signature')
  return {
    id: named('ID'),
    acs: named('AssertionConsumerServiceURL'),
    issuer: (/<saml:Issuer[^>]*>([^<]*)</.exec(xml)?.[1] ?? '').replaceAll('&amp;', '&'),
    method,
    xml,
    relayState: fields.get('RelayState') ?? undefined,
    signed: signature === null ? undefined : { text: here.search.slice(1).replace(/&Signature=.*$/, ''), signature },
  }
}

/** Whether the query of a request was signed by this certificate (saml-bindings §3.4.4.1). */
export const isSignedBy = ({ signed }: SeenRequest, certificate: string): boolean =>
  signed !== undefined &&
  verify('sha256', Buffer.from(signed.text), certificate, Buffer.from(signed.signature, 'base64'))

export function metadataOf({
  entityId,
  signInEndpoint,
  certificates,
  attributes = '',
}: {
  readonly entityId: string
  readonly signInEndpoint: string
  readonly certificates: readonly string[]
  /** More of the root, as XML. */
  readonly attributes?: string
}): string {
  const keys = certificates.map((pem) => pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''))
  const descriptors = keys.map(
    (key) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- as people publish it -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escapeXml(entityId)}"${attributes}>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${descriptors.join('\n    ')}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${escapeXml(signInEndpoint)}"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${escapeXml(signInEndpoint)}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`
}

/** As federations publish it: its root signed by whoever runs them. */
export function signedMetadata(
  metadata: string,
  signer: SamlSigner,
  more: Partial<ElementSigning> = {},
): Promise<string> {
  const named = metadata.includes(' ID="') ? metadata : metadata.replace('entityID=', 'ID="_metadata" entityID=')
  const signing = { signer, signature: RSA_SHA256, digest: SHA256, keyInfo: false, library: 'xmldsigjs' } as const
  return signElement(named, { ...signing, ...more })
}

/** One document about several providers. */
export const federationOf = (documents: readonly string[], attributes = ''): string =>
  `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"${attributes}>${documents.map((one) => one.slice(one.indexOf('<md:'))).join('')}</md:EntitiesDescriptor>`

/** The certificate to which our metadata has assertions encrypted. */
export function encryptionCertificateIn(metadata: string): string {
  const [, base64 = ''] = /use="encryption">[\s\S]*?X509Certificate>([^<]+)</.exec(metadata) ?? []
  return `-----BEGIN CERTIFICATE-----\n${base64.trim()}\n-----END CERTIFICATE-----\n`
}
