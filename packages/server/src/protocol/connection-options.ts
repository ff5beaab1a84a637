// `options` of a connection, per strategy (auth0-wire.md §6.3 and the contract's "Connections").
import { z } from 'zod'
import { flag, jsonObject, member, scopeText, text, tolerated, webUrl, wholeSeconds } from './fields.ts'
import { CATALOGUE_STRATEGIES } from './strategies.ts'

const domain = () =>
  z.string().regex(/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i, {
    error: 'a domain name such as example.com',
  })
const apiHost = () =>
  z.string().regex(/^(?:\*\.)?[a-z0-9.-]{1,253}(?::\d{1,5})?$/i, { error: 'a host such as api.example.com' })
const parameter = z.union([z.strictObject({ value: z.string().max(2048) }), z.strictObject({ alias: text(128) })], {
  error: 'an object with value, or with alias, the name of a parameter of our own authorization request',
})
const fieldsMap = z.record(text(128), text(256))

/** How people and their addresses are read from any upstream. */
const identity = {
  trust_email: member(flag(), 'Its email_verified is believed.', false),
  email_domains: member(z.array(domain()).max(1000), 'Domains whose addresses it is authoritative for.', []),
  shared_callback: member(flag(), "Uses Auth0's callback path login/callback, without the connection's name.", false),
  set_user_root_attributes: tolerated(z.enum(['on_each_login', 'on_first_login', 'never_on_login'])),
  non_persistent_attrs: tolerated(z.array(z.string())),
  should_trust_email_verified_connection: tolerated(z.string()),
  icon_url: tolerated(webUrl()),
  domain_aliases: tolerated(z.array(z.string())),
} as const

/** What every OAuth upstream takes. */
const oauth = {
  ...identity,
  client_id: text(512).meta({ description: 'Our id at the provider.' }),
  client_secret: member(z.string().max(4096), 'Our secret at the provider; kept sealed, never shown.'),
  scope: member(scopeText(), 'Scopes asked of the provider.'),
  upstream_params: member(
    z.record(text(128), parameter),
    'Parameters of the authorization request: fixed ones, and ones taken over from the request to us.',
    {},
  ),
  api_hosts: member(
    z.array(apiHost()).max(100),
    "Hosts that the proxy may reach with its tokens. Default: the profile's.",
  ),
  federated_connections_access_tokens: member(
    z.strictObject({ active: flag() }),
    "Auth0's older switch: tokens of a sign-in are kept and may be exchanged.",
  ),
  id_token_session_expiry_supported: tolerated(flag()),
  pkce_enabled: member(flag(), 'Sends PKCE (S256) to the provider. Default: what its profile says, mostly true.'),
  fieldsMap: member(
    fieldsMap,
    'From our profile fields to JSON paths in what the provider says; user_id for oauth2 alone.',
  ),
} as const

/** A catalogue connection may run against another instance of its provider: GitHub Enterprise, a test server. */
const endpoints = z.strictObject({
  issuer: member(webUrl(), 'Issuer, with discovery.'),
  authorization: member(webUrl(), 'Authorization endpoint.'),
  token: member(webUrl(), 'Token endpoint.'),
  refresh: member(webUrl(), 'Where refresh tokens go, when that is not the token endpoint.'),
  userinfo: member(webUrl(), 'User-info endpoint.'),
  emails: member(webUrl(), 'Endpoint that lists the addresses of the person.'),
  metadata: member(webUrl(), 'Endpoint that tells more of the account, such as its sites.'),
  jwks: member(webUrl(), 'Keys of ID tokens.'),
  revocation: member(webUrl(), 'Revocation endpoint (RFC 7009).'),
})

const oidc = z
  .strictObject({
    ...oauth,
    issuer: member(webUrl(), 'Issuer; discovery completes the rest.'),
    discovery_url: member(webUrl(), 'Discovery document, where it is not at the issuer.'),
    oidc_metadata: tolerated(jsonObject()),
    authorization_endpoint: member(webUrl(), 'Wins over discovery.'),
    token_endpoint: member(webUrl(), 'Wins over discovery.'),
    userinfo_endpoint: member(webUrl(), 'Wins over discovery.'),
    jwks_uri: member(webUrl(), 'Wins over discovery.'),
    revocation_endpoint: member(webUrl(), 'Wins over discovery.'),
    type: tolerated(z.enum(['back_channel', 'front_channel'])),
    token_endpoint_auth_method: member(
      z.enum(['client_secret_post', 'client_secret_basic']),
      'How we authenticate there. Default: what the provider announces.',
    ),
    connection_settings: tolerated(jsonObject()),
    attribute_map: tolerated(jsonObject()),
    endpoints: member(endpoints, 'Overrides single endpoints.'),
    id_token_signed_response_algs: member(
      z.array(text(16)).max(20),
      'Narrows the signatures of ID tokens that are taken.',
    ),
    tenant_domain: tolerated(z.string()),
    dpop_signing_alg: tolerated(z.string()),
    send_back_channel_nonce: tolerated(flag()),
  })
  .superRefine((options, context) => {
    if (options.issuer ?? options.endpoints?.issuer ?? options.discovery_url) return
    context.addIssue({ code: 'custom', path: ['issuer'], message: 'an issuer, or a discovery_url' })
  })

const oauth2 = z.strictObject({
  ...oauth,
  authorizationURL: webUrl().meta({ description: 'Authorization endpoint.' }),
  tokenURL: webUrl().meta({ description: 'Token endpoint.' }),
  userInfoURL: member(webUrl(), 'Answers who the person is.'),
  revocationURL: member(webUrl(), 'Revocation endpoint (RFC 7009).'),
  authParams: tolerated(jsonObject()),
  authParamsMap: tolerated(jsonObject()),
  customHeaders: tolerated(jsonObject()),
  useOauthSpecScope: tolerated(flag()),
  token_endpoint_auth_method: member(
    z.enum(['client_secret_post', 'client_secret_basic']),
    'How we authenticate there.',
    'client_secret_post',
  ),
  logoutUrl: tolerated(webUrl()),
  scripts: tolerated(jsonObject()),
})

const unasked = z.strictObject({
  enabled: member(
    flag(),
    'A response that nobody asked for sends the browser to where the application begins a sign-in; nothing in it is believed. Otherwise it is refused.',
    false,
  ),
  client_id: member(z.string().max(256), 'That application; it has an initiate_login_uri.'),
  client_protocol: tolerated(z.string()),
  client_authorizequery: tolerated(z.string()),
})

const samlp = z
  .strictObject({
    ...identity,
    signInEndpoint: member(webUrl(), "The identity provider's sign-in URL; needed without metadata."),
    signOutEndpoint: tolerated(webUrl()),
    signingCert: member(
      z.string().max(20_000),
      'Certificate of its signatures, PEM or base64; several PEM one after the other. Needed without metadata.',
    ),
    cert: member(z.string().max(20_000), 'The same, under its older name.'),
    entityId: member(text(1024), "The identity provider's entity id; needed without metadata."),
    fieldsMap: member(
      z.record(text(128), z.union([text(256), z.array(text(256)).max(20)], { error: 'a name, or an array of names' })),
      'From our profile fields to attribute names.',
    ),
    user_id_attribute: member(
      text(256),
      'Attribute that names the person for good. Default: the NameID, which must be persistent.',
    ),
    signatureAlgorithm: member(z.enum(['rsa-sha256', 'rsa-sha1']), 'Signature of our requests.', 'rsa-sha256'),
    digestAlgorithm: member(z.enum(['sha256', 'sha1']), 'Digest of our requests.', 'sha256'),
    signSAMLRequest: member(flag(), 'Signs our requests.', false),
    encrypted_assertions: member(
      flag(),
      'Publishes a key in our metadata, and takes assertions that are encrypted to it (AES-GCM, RSA-OAEP) besides plain ones.',
      false,
    ),
    protocolBinding: member(
      z.enum(['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST']),
      'Binding of our requests.',
      'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
    ),
    metadataUrl: member(webUrl(), 'Where it publishes its metadata; read again every ten minutes.'),
    metadataXml: member(
      z.string().max(200_000),
      'Its metadata. Sign-in URL, certificates and entity id given beside it win.',
    ),
    metadata_signing_cert: member(
      z.string().max(20_000),
      'Certificate that signs its metadata, PEM or base64; metadata that is unsigned, or signed by another, is then refused.',
    ),
    idpinitiated: member(unasked, 'What becomes of a response that nobody asked for.'),
    tenant_domain: tolerated(z.string()),
    debug: tolerated(flag()),
  })
  .superRefine((options, context) => {
    if (options.metadataXml !== undefined || options.metadataUrl !== undefined) return
    if (options.signInEndpoint === undefined) {
      context.addIssue({ code: 'custom', path: ['signInEndpoint'], message: "the identity provider's sign-in URL" })
    }
    if (options.signingCert === undefined && options.cert === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['signingCert'],
        message: "the certificate of the identity provider's signatures",
      })
    }
    if (options.entityId === undefined) {
      context.addIssue({ code: 'custom', path: ['entityId'], message: "the identity provider's entity id" })
    }
  })

/** The password database. */
const database = z.strictObject({
  disable_signup: member(flag(), 'Nobody may sign up; the operator adds users.', false),
  passwordPolicy: tolerated(z.enum(['none', 'low', 'fair', 'good', 'excellent']).nullable()),
  password_complexity_options: tolerated(jsonObject()),
  requires_username: tolerated(flag()),
  validation: tolerated(jsonObject()),
  brute_force_protection: tolerated(flag()),
  password_history: tolerated(jsonObject()),
  password_dictionary: tolerated(jsonObject()),
  password_no_personal_info: tolerated(jsonObject()),
  enabledDatabaseCustomization: tolerated(z.literal(false)),
  import_mode: tolerated(z.literal(false)),
  customScripts: tolerated(jsonObject()),
  configuration: tolerated(jsonObject()),
  attributes: tolerated(jsonObject()),
  authentication_methods: tolerated(jsonObject()),
  passkey_options: tolerated(jsonObject()),
  mfa: tolerated(jsonObject()),
  strategy_version: tolerated(z.int()),
  non_persistent_attrs: tolerated(z.array(z.string())),
})

/** Codes by mail. */
const email = z.strictObject({
  disable_signup: member(flag(), 'A code is mailed only to the address of somebody who is known.', false),
  brute_force_protection: tolerated(flag()),
  email: tolerated(jsonObject()),
  totp: tolerated(jsonObject()),
  authParams: tolerated(jsonObject()),
})

const passkey = z.strictObject({})

/** Where the credential of a person may go, and how one finds out whose it is. */
const credential = {
  api_hosts: z
    .array(apiHost())
    .min(1)
    .max(100)
    .meta({ description: 'Hosts that the proxy may send it to: people are told them before they type it.' }),
  scope: member(scopeText(), 'What it is taken to be good for, since nobody can tell: counts as granted.'),
  userInfoURL: member(
    webUrl(),
    'Asked with it, when it is typed, whose account it opens. Default: it is kept as it was typed, unchecked.',
  ),
  fieldsMap: member(
    fieldsMap,
    'From our profile fields to JSON paths in the answer of `userInfoURL`; there, `user_id` must be among them.',
  ),
  help_url: member(webUrl(), "The provider's page on which such a credential is made, for people to open."),
  icon_url: tolerated(webUrl()),
} as const

interface CheckedCredential {
  readonly userInfoURL?: string | undefined
  readonly fieldsMap?: Readonly<Record<string, string>> | undefined
}

function checkSubject({ userInfoURL, fieldsMap: map }: CheckedCredential, context: z.RefinementCtx): void {
  if (userInfoURL === undefined || map?.user_id !== undefined) return
  context.addIssue({
    code: 'custom',
    path: ['fieldsMap', 'user_id'],
    message: 'where the answer has the id, such as id',
  })
}

const headerName = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, { error: 'the name of a header' })
    .refine((name) => !NOT_FOR_KEYS.has(name.toLowerCase()), { error: 'a header that carries a key' })

/** They say where a request goes, or how long it is. */
const NOT_FOR_KEYS = new Set(
  'connection content-length content-type cookie expect forwarded host keep-alive proxy-authorization te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
)

const apiKey = z
  .strictObject({
    ...credential,
    header: member(headerName(), 'The header that carries the key.', 'Authorization'),
    scheme: member(
      z.string().regex(/^[\w-]{0,32}$/, { error: 'a word such as Bearer, or empty' }),
      'Stands before the key, with a blank. Default: `Bearer` in `Authorization`, nothing in another header.',
    ),
  })
  .superRefine(checkSubject)

/** User name and password, as HTTP knows them (RFC 7617). */
const basic = z.strictObject(credential).superRefine(checkSubject)

/**
 * Catalogue connections: what every OAuth upstream takes, the endpoints, a few members of single providers, and one
 * boolean per product of the provider (`calendar`, `repo`, …), whose names are the provider's own.
 */
const catalogue = z
  .object({
    ...oauth,
    endpoints: member(endpoints, "Overrides the vendor's endpoints."),
    domain: member(
      text(253),
      'The host of the customer, or of software on a host of their own; see the list of providers.',
    ),
    tenant_domain: member(text(253), 'Entra ID: id of the tenant, or organizations. Keycloak: the realm.'),
    max_groups_to_retrieve: tolerated(z.union([z.int(), z.string()], { error: 'a number' })),
    waad_protocol: tolerated(z.string()),
    identity_api: tolerated(z.string()),
    user_id_attribute: tolerated(z.enum(['oid', 'sub'])),
    strategy_version: tolerated(z.int()),
    allowed_audiences: tolerated(z.array(z.string())),
    app_id: tolerated(z.string()),
    team_id: member(text(64), 'Apple: the team whose key signs.'),
    kid: member(text(64), 'Apple: id of the key in client_secret.'),
    app_secret: tolerated(z.string()),
    access_token_seconds: tolerated(wholeSeconds(1)),
  })
  .catchall(z.boolean())

const OWN_OPTIONS = {
  auth0: database,
  oidc,
  oauth2,
  samlp,
  email,
  passkey,
  'api-key': apiKey,
  basic,
} as const

export const OPTIONS: Readonly<Record<string, z.ZodType>> = {
  ...OWN_OPTIONS,
  ...Object.fromEntries(CATALOGUE_STRATEGIES.map((name) => [name, catalogue])),
}

/** Option schemas by the name under which the reference lists them. */
export const OPTION_TABLES = { ...OWN_OPTIONS, catalogue } as const
