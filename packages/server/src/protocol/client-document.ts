// A client as the tenant file and the Management API hold it (auth0-wire.md §6.2).
import { z } from 'zod'
import { isNetwork } from '../lib/networks.ts'
import { agentPolicyDocument } from './agent-policy-document.ts'
import {
  flag,
  jsonObject,
  member,
  origin,
  patchOf,
  redirectUriFault,
  scopes,
  shortMetadata,
  text,
  tolerated,
  webUrl,
  wholeSeconds,
} from './fields.ts'
import { GRANT_TYPES } from './grant-types.ts'

export const APP_TYPES = ['regular_web', 'spa', 'native', 'non_interactive', 'resource_server'] as const
export const AUTH_METHODS = ['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt'] as const

export const clientIdField = z
  .string()
  .regex(/^[A-Za-z0-9._~@:/-]{1,255}$/, { error: 'up to 255 letters, digits and . _ ~ @ : / -' })
/** Kept as a plain hash, and thus worth its name: no password. */
export const clientSecretField = z.string().min(16).max(512)

const uris = () => z.array(text(2048)).max(100)

const publicKeyCredential = z.union(
  [
    z.strictObject({ id: text(64) }),
    z.strictObject({
      name: text(255).optional(),
      credential_type: z.enum(['public_key', 'x509_cert', 'cert_subject_dn']),
      pem: text(20_000).optional(),
      subject_dn: text(256).optional(),
      alg: z.enum(['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384', 'EdDSA']).optional(),
      parse_expiry_from_cert: z.boolean().optional(),
      expires_at: z.iso.datetime().optional(),
    }),
  ],
  { error: 'the id of a credential, or a new one with credential_type' },
)
const credentials = () => z.strictObject({ credentials: z.array(publicKeyCredential).min(1).max(10) })

const refreshTokenPolicy = z.strictObject({ audience: text(600), scope: scopes() })

const refreshToken = z.strictObject({
  rotation_type: member(
    z.enum(['rotating', 'non-rotating']),
    'Whether each use gives a new refresh token. Default: rotating for public clients, non-rotating for others.',
  ),
  expiration_type: member(
    z.enum(['expiring', 'non-expiring']),
    'Default: expiring for public clients, non-expiring for others.',
  ),
  leeway: member(
    wholeSeconds(),
    'Seconds for which the previous token of a rotation still gives the same successor. Default: settings.tokens.refresh_rotation_grace_seconds.',
  ),
  token_lifetime: member(wholeSeconds(1), 'Seconds from the first token of a family to its end.', 31_557_600),
  infinite_token_lifetime: member(flag(), 'No absolute end. Default: true when non-expiring.'),
  idle_token_lifetime: member(wholeSeconds(1), 'Seconds without use until a family ends.', 2_592_000),
  infinite_idle_token_lifetime: member(flag(), 'No end for lack of use. Default: true when non-expiring.'),
  policies: member(
    z.array(refreshTokenPolicy).max(100),
    'Further audiences, with scopes, that a refresh may name.',
    [],
  ),
})

const jwtConfiguration = z.strictObject({
  alg: member(z.enum(['RS256', 'PS256']), 'Signature of ID tokens.', 'RS256'),
  lifetime_in_seconds: member(wholeSeconds(1), 'Life of ID tokens.', 36_000),
  secret_encoded: tolerated(flag()),
  scopes: tolerated(jsonObject()),
})

const vaultAccess = z.strictObject({
  credentials: member(z.array(publicKeyCredential).max(10), 'Keys that its JWTs are signed by.'),
  ip_allowlist: member(
    z.array(text(64).refine(isNetwork, { error: 'an address, or a network such as 203.0.113.0/24' })).max(10),
    'Addresses and networks that it may ask from. None: it may not ask.',
  ),
  grants: member(
    z
      .array(z.strictObject({ connection: text(128), scopes: z.array(text(280)).max(20) }))
      .max(5)
      .refine((grants) => grants.flatMap(({ scopes }) => scopes).length <= 20, { error: 'at most 20 scopes in all' })
      .refine((grants) => new Set(grants.map(({ connection }) => connection)).size === grants.length, {
        error: 'each connection once',
      }),
    'What it may have: no token that can do more at the provider is given out.',
  ),
})

const oidcLogout = z.strictObject({
  backchannel_logout_urls: member(
    z.array(webUrl()).max(10),
    'Where sessions that end are announced (OpenID Connect Back-Channel Logout 1.0).',
    [],
  ),
  backchannel_logout_initiators: tolerated(jsonObject()),
  backchannel_logout_session_metadata: tolerated(jsonObject()),
})

/** Members that a caller may set on any door. */
const shared = {
  description: member(z.string().max(140), 'Free text for the operator.'),
  logo_uri: member(webUrl(), 'Logo shown on pages that name the client.'),
  app_type: member(z.enum(APP_TYPES), 'Kind of application.', 'regular_web'),
  is_first_party: member(flag(), "The operator's own: skips consent.", true),
  oidc_conformant: member(
    flag(),
    'Always in effect; false is accepted and changes nothing but the right to the vault grant.',
    true,
  ),
  callbacks: member(uris(), 'Redirect URIs, compared exactly.', []),
  allowed_logout_urls: member(uris(), 'Where a logout may lead, compared exactly.', []),
  web_origins: member(z.array(origin()).max(100), 'Origins of its pages: web_message, silent sign-in, CORS.', []),
  allowed_origins: member(z.array(origin()).max(100), 'Further origins for CORS.', []),
  dangerously_allow_http_redirects: member(
    flag(),
    'Allows http redirect URIs that do not stay on loopback: codes travel in clear.',
    false,
  ),
  grant_types: member(
    z.array(z.enum(GRANT_TYPES)),
    'Grant types it may use. Default: authorization_code and refresh_token for people, client_credentials for non_interactive, none for resource_server.',
  ),
  token_endpoint_auth_method: member(
    z.enum(AUTH_METHODS).nullable(),
    'How it authenticates, and in no other way. Default: none for spa and native, client_secret_post for others; null with client_authentication_methods.',
  ),
  client_authentication_methods: member(
    z.strictObject({
      private_key_jwt: credentials().optional(),
      tls_client_auth: credentials().optional(),
      self_signed_tls_client_auth: credentials().optional(),
    }),
    'Authentication by key instead of secret.',
  ),
  jwt_configuration: jwtConfiguration.optional().meta({ description: 'ID tokens.' }),
  refresh_token: refreshToken.optional().meta({ description: 'Refresh tokens.' }),
  linking: z
    .strictObject({
      client_initiated: member(
        flag(),
        'May ask to link accounts (scope link_account). Default: true for first-party clients.',
      ),
    })
    .optional()
    .meta({ description: 'Account linking.' }),
  oidc_logout: oidcLogout.optional().meta({ description: 'Logout.' }),
  require_pushed_authorization_requests: member(flag(), 'Takes only requests that were pushed (RFC 9126).', false),
  require_proof_of_possession: member(flag(), 'Gives only DPoP-bound tokens (RFC 9449).', false),
  resource_server_identifier: member(text(600), 'For app_type resource_server: the API whose tokens it may exchange.'),
  token_vault_privileged_access: member(
    vaultAccess,
    'Exchange by a JWT that the client signs, without a user present.',
  ),
  token_exchange: member(
    z.strictObject({
      allow_any_profile_of_type: z.array(z.enum(['custom_authentication', 'on_behalf_of_token_exchange'])).optional(),
    }),
    'Token exchange. With custom_authentication a client without a secret may bring tokens of providers as well, each once; one with a secret may anyway.',
  ),
  policy: agentPolicyDocument.optional().meta({ description: 'What it may do with what people connected.' }),
  client_metadata: member(shortMetadata(), 'Up to ten short strings of the operator.', {}),
  initiate_login_uri: member(webUrl(), 'Where a person is sent to begin signing in to it.'),
  organization_usage: tolerated(z.enum(['deny', 'allow', 'require'])),
  organization_require_behavior: tolerated(z.enum(['no_prompt', 'pre_login_prompt', 'post_login_prompt'])),
  organization_discovery_methods: tolerated(),
  default_organization: tolerated(),
  cross_origin_authentication: tolerated(flag()),
  cross_origin_loc: tolerated(),
  sso: tolerated(flag()),
  sso_disabled: tolerated(flag()),
  custom_login_page_on: tolerated(flag()),
  custom_login_page: tolerated(z.string()),
  custom_login_page_preview: tolerated(z.string()),
  form_template: tolerated(z.string()),
  addons: tolerated(jsonObject()),
  mobile: tolerated(jsonObject()),
  native_social_login: tolerated(jsonObject()),
  allowed_clients: tolerated(z.array(z.string())),
  client_aliases: tolerated(z.array(z.string())),
  encryption_key: tolerated(),
  compliance_level: tolerated(),
  session_transfer: tolerated(),
  skip_non_verifiable_callback_uri_confirmation_prompt: tolerated(),
  async_approval_notification_channels: tolerated(z.array(z.string())),
  external_client_id: tolerated(),
  signed_request_object: tolerated(),
} as const

const name = z
  .string()
  .regex(/^[^<>]{1,255}$/, { error: 'up to 255 characters without < and >' })
  .meta({ description: 'Shown to people.' })

/** In the tenant file: id and secret may be fixed. */
export const clientFields = z.strictObject({
  client_id: clientIdField.meta({ description: 'Fixed id; the API generates one.' }),
  client_secret: member(
    clientSecretField,
    'Fixed secret of at least 16 characters; kept as a hash. Required of clients that authenticate by secret.',
  ),
  name,
  ...shared,
})
export const clientDocument = clientFields.superRefine(checkClient)
export type ClientDocument = z.infer<typeof clientFields>

/** Body of `POST /api/v2/clients`: id and secret are generated. */
export const clientCreateBody = z.strictObject({ name, ...shared }).superRefine(checkClient)
/** Body of `PATCH /api/v2/clients/{id}`: `null` removes; check what results with `clientStored`. */
export const clientPatchBody = patchOf({ name, ...shared })
/** A client as it is kept: without its secret. */
export const clientStored = clientFields.omit({ client_secret: true }).superRefine(checkClient)

type Checked = Partial<Omit<ClientDocument, 'client_id'>>

function checkClient(client: Checked, context: z.RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
  const rules = {
    native: client.app_type === 'native',
    dangerouslyAllowHttp: client.dangerously_allow_http_redirects === true,
  }
  for (const key of ['callbacks', 'allowed_logout_urls'] as const) {
    for (const [index, uri] of (client[key] ?? []).entries()) {
      const fault = redirectUriFault(uri, rules)
      if (fault) refuse([key, index], fault)
    }
  }
  if (isPublic(client) && client.client_secret !== undefined) {
    refuse(['client_secret'], 'no secret, for the client authenticates by none')
  }
  if (client.app_type === 'resource_server' && client.resource_server_identifier === undefined) {
    refuse(['resource_server_identifier'], 'the identifier of an API, for app_type is resource_server')
  }
  if (client.app_type !== 'resource_server' && client.resource_server_identifier !== undefined) {
    refuse(['app_type'], 'resource_server, for resource_server_identifier is given')
  }
  if (
    client.token_endpoint_auth_method === 'private_key_jwt' &&
    !client.client_authentication_methods?.private_key_jwt
  ) {
    refuse(['client_authentication_methods'], 'private_key_jwt with its credentials')
  }
  if (isPublic(client) && client.grant_types?.includes('client_credentials')) {
    refuse(['grant_types'], 'no client_credentials, for the client authenticates by none')
  }
}

function isPublic({
  token_endpoint_auth_method: method,
  app_type,
  client_authentication_methods: keys,
}: Checked): boolean {
  if (method === undefined) return keys === undefined && (app_type === 'spa' || app_type === 'native')
  return method === 'none'
}

/** True when the client has to authenticate by a secret. */
export function needsSecret(client: Checked): boolean {
  return (
    !isPublic(client) &&
    !client.client_authentication_methods &&
    client.token_endpoint_auth_method !== 'private_key_jwt'
  )
}
