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
const parameters = () => z.record(z.string().max(128), z.json())

/** How people and their addresses are read from any upstream. */
const identity = {
  trust_email: member(flag(), 'Its email_verified is believed.', false),
  email_domains: member(z.array(domain()).max(1000), 'Domains whose addresses it is authoritative for.', []),
  shared_callback: member(flag(), "Uses Auth0's callback path login/callback, without the connection's name.", false),
  set_user_root_attributes: member(
    z.enum(['on_each_login', 'on_first_login', 'never_on_login']),
    'When the profile of the user follows the one of the connection.',
    'on_each_login',
  ),
  non_persistent_attrs: member(z.array(text(128)).max(100), 'Profile members that are not kept.', []),
  should_trust_email_verified_connection: tolerated(z.string()),
  icon_url: member(webUrl(), 'Icon of the button.'),
  domain_aliases: member(z.array(domain()).max(1000), 'Address domains that lead to this connection.', []),
} as const

/** What every OAuth upstream takes. */
const oauth = {
  ...identity,
  client_id: text(512).meta({ description: 'Our id at the provider.' }),
  client_secret: member(z.string().max(4096), 'Our secret at the provider; kept sealed, never shown.'),
  scope: member(scopeText(), 'Scopes asked of the provider.'),
  upstream_params: member(parameters(), 'Parameters of the authorization request, fixed or passed through.', {}),
  api_hosts: member(
    z.array(apiHost()).max(100),
    "Hosts that the proxy may reach with its tokens. Default: the profile's.",
  ),
  federated_connections_access_tokens: member(
    z.strictObject({ active: flag() }),
    "Auth0's older switch: the tokens of a sign-in may be exchanged.",
  ),
  id_token_session_expiry_supported: tolerated(flag()),
  pkce_enabled: member(
    flag(),
    'Sends PKCE (S256) to the provider. Default: on where the provider is known to take it.',
  ),
} as const

/** A catalogue connection may run against another instance of its provider: GitHub Enterprise, a test server. */
const endpoints = z.strictObject({
  issuer: member(webUrl(), 'Issuer, with discovery.'),
  authorization: member(webUrl(), 'Authorization endpoint.'),
  token: member(webUrl(), 'Token endpoint.'),
  userinfo: member(webUrl(), 'User-info endpoint.'),
  emails: member(webUrl(), 'Endpoint that lists the addresses of the person.'),
  jwks: member(webUrl(), 'Keys of ID tokens.'),
  revocation: member(webUrl(), 'Revocation endpoint (RFC 7009).'),
})

const fieldsMap = () =>
  z.record(text(128), z.union([text(256), z.array(text(256)).max(20)], { error: 'a path, or an array of paths' }))

const oidc = z
  .strictObject({
    ...oauth,
    issuer: member(webUrl(), 'Issuer; discovery completes the rest.'),
    discovery_url: member(webUrl(), 'Discovery document, where it is not at the issuer.'),
    oidc_metadata: member(jsonObject(), 'The discovery document itself, for a provider that has none.'),
    authorization_endpoint: member(webUrl(), 'Wins over discovery.'),
    token_endpoint: member(webUrl(), 'Wins over discovery.'),
    userinfo_endpoint: member(webUrl(), 'Wins over discovery.'),
    jwks_uri: member(webUrl(), 'Wins over discovery.'),
    revocation_endpoint: member(webUrl(), 'Wins over discovery.'),
    type: member(z.enum(['back_channel', 'front_channel']), 'Accepted; the code flow is always used.', 'back_channel'),
    token_endpoint_auth_method: member(
      z.enum(['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none']),
      "How we authenticate there. Default: the provider's first that we speak.",
    ),
    connection_settings: member(
      z.strictObject({ pkce: z.enum(['auto', 'S256', 'plain', 'disabled']).optional() }),
      'PKCE.',
    ),
    attribute_map: member(jsonObject(), 'From their claims to our profile fields.'),
    endpoints: member(endpoints, 'Overrides single endpoints.'),
    tenant_domain: tolerated(z.string()),
    dpop_signing_alg: tolerated(z.string()),
    send_back_channel_nonce: tolerated(flag()),
  })
  .superRefine((options, context) => {
    if (options.issuer ?? options.discovery_url ?? options.oidc_metadata) return
    context.addIssue({ code: 'custom', path: ['issuer'], message: 'an issuer, a discovery_url or oidc_metadata' })
  })

const oauth2 = z.strictObject({
  ...oauth,
  authorizationURL: webUrl().meta({ description: 'Authorization endpoint.' }),
  tokenURL: webUrl().meta({ description: 'Token endpoint.' }),
  userInfoURL: member(webUrl(), 'Answers who the person is.'),
  revocationURL: member(webUrl(), 'Revocation endpoint (RFC 7009).'),
  fieldsMap: member(fieldsMap(), 'From our profile fields to JSON paths in the user-info answer.'),
  authParams: member(parameters(), 'Further parameters of the authorization request.', {}),
  authParamsMap: member(
    z.record(text(128), text(128)),
    'Parameters taken over from our own authorization request.',
    {},
  ),
  customHeaders: member(z.record(text(128), z.string().max(4096)), 'Headers of the user-info request.', {}),
  useOauthSpecScope: member(flag(), 'Separates scopes by spaces rather than commas.', true),
  token_endpoint_auth_method: member(
    z.enum(['client_secret_post', 'client_secret_basic']),
    'How we authenticate there.',
    'client_secret_post',
  ),
  logoutUrl: member(webUrl(), 'Where a federated logout leads.'),
  scripts: tolerated(jsonObject()),
})

const samlp = z
  .strictObject({
    ...identity,
    signInEndpoint: webUrl().meta({ description: "The identity provider's sign-in URL." }),
    signOutEndpoint: member(webUrl(), 'Its sign-out URL.'),
    signingCert: member(z.string().max(20_000), 'Certificate of its signatures, PEM or base64.'),
    cert: member(z.string().max(20_000), 'The same, under its older name.'),
    entityId: member(text(1024), "The identity provider's entity id."),
    fieldsMap: member(fieldsMap(), 'From our profile fields to attribute names.'),
    user_id_attribute: member(text(256), 'Attribute that names the person. Default: the NameID.'),
    signatureAlgorithm: member(z.enum(['rsa-sha256', 'rsa-sha1']), 'Signature of our requests.', 'rsa-sha256'),
    digestAlgorithm: member(z.enum(['sha256', 'sha1']), 'Digest of our requests.', 'sha256'),
    signSAMLRequest: member(flag(), 'Signs our requests.', false),
    protocolBinding: member(
      z.enum(['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST']),
      'Binding of our requests.',
      'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
    ),
    metadataUrl: tolerated(webUrl()),
    metadataXml: tolerated(z.string().max(200_000)),
    idpinitiated: tolerated(jsonObject()),
    tenant_domain: tolerated(z.string()),
    debug: tolerated(flag()),
  })
  .superRefine((options, context) => {
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

const length = () => z.int().min(1).max(1024)

/** The password database. */
const database = z.strictObject({
  disable_signup: member(flag(), 'Nobody may sign up; the operator adds users.', false),
  passwordPolicy: member(
    z.enum(['none', 'low', 'fair', 'good', 'excellent']).nullable(),
    'Accepted; length and known leaks decide here.',
  ),
  password_complexity_options: member(
    z.strictObject({ min_length: member(length(), 'Shortest password.', 8) }),
    'Strength.',
  ),
  requires_username: member(flag(), 'Signing up asks for a user name too.', false),
  validation: member(
    z.strictObject({
      username: z.strictObject({ min: length().optional(), max: length().optional() }).nullable().optional(),
    }),
    'User names.',
  ),
  brute_force_protection: member(flag(), 'Slows down guessing.', true),
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

/**
 * Catalogue connections: what every OAuth upstream takes, the endpoints, a few members of single providers, and one
 * boolean per product of the provider (`calendar`, `repo`, …), whose names are the provider's own.
 */
const catalogue = z
  .object({
    ...oauth,
    endpoints: member(endpoints, "Overrides the vendor's endpoints."),
    domain: member(text(253), 'Okta, Zendesk, Shopify, …: the host of the customer.'),
    tenant_domain: member(text(253), 'Entra ID: the tenant.'),
    max_groups_to_retrieve: tolerated(z.union([z.int(), z.string()], { error: 'a number' })),
    waad_protocol: tolerated(z.string()),
    identity_api: tolerated(z.string()),
    user_id_attribute: member(z.enum(['oid', 'sub']), 'Entra ID: the claim that names the person.', 'oid'),
    strategy_version: tolerated(z.int()),
    allowed_audiences: member(z.array(text(512)), 'Client ids whose ID tokens are taken besides ours.', []),
    app_id: tolerated(z.string()),
    team_id: member(text(64), 'Apple, Slack: the team.'),
    kid: member(text(64), 'Apple: id of the key.'),
    app_secret: member(z.string().max(20_000), 'Apple: the private key.'),
    access_token_seconds: member(wholeSeconds(1), 'Life to assume where the provider names none.'),
  })
  .catchall(z.boolean())

export const OPTIONS: Readonly<Record<string, z.ZodType>> = {
  auth0: database,
  oidc,
  oauth2,
  samlp,
  ...Object.fromEntries(CATALOGUE_STRATEGIES.map((name) => [name, catalogue])),
}

/** Option schemas by the name under which the reference lists them. */
export const OPTION_TABLES: Readonly<Record<string, z.ZodObject>> = { auth0: database, oidc, oauth2, samlp, catalogue }
