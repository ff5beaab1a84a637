// Tenant settings as the tenant file and `/api/v2/tenants/settings` hold them: ours, and Auth0's that have an effect here.
import { z } from 'zod'
import { flag, member, redirectUri, text, tolerated, webUrl, wholeSeconds } from './fields.ts'
import { emailField } from './user-document.ts'

const linking = z.strictObject({
  policy: member(
    z.enum(['off', 'suggest', 'auto_when_authoritative']),
    'What a sign-in with an address that another user proved leads to: nothing, an offer to link after proof of the other account, or a link without asking where both sides are authoritative for the address.',
    'suggest',
  ),
  metadata: member(
    z.enum(['keep_primary', 'deep_merge']),
    "What a merge does with the secondary's metadata.",
    'keep_primary',
  ),
  reauthentication_seconds: member(wholeSeconds(1), 'How fresh a sign-in must be to change accounts.', 600),
  undo_days: member(z.int().min(0).max(3650), 'Days for which a link can be undone.', 30),
})

const tokens = z.strictObject({
  access_token_seconds: member(wholeSeconds(1), 'Life of access tokens.', 86_400),
  code_seconds: member(wholeSeconds(1).max(600), 'Life of authorization codes.', 60),
  refresh_rotation_grace_seconds: member(
    wholeSeconds().max(3600),
    'Seconds for which the previous token of a rotation, and only that, still gives the same successor.',
    10,
  ),
})

const sessions = z.strictObject({
  idle_seconds: member(wholeSeconds(1), 'Seconds without use until a session ends. Default: idle_session_lifetime.'),
  absolute_seconds: member(wholeSeconds(1), 'Seconds until a session ends in any case. Default: session_lifetime.'),
  cookie_same_site: member(z.enum(['lax', 'none']), 'none serves silent iframes from other sites.', 'lax'),
  oidc_logout_prompt_enabled: member(flag(), 'Asks before a logout that brings no proof of its session.', true),
})

const vault = z.strictObject({
  refresh_timeout_seconds: member(wholeSeconds(1).max(60), 'How long a provider may take to refresh.', 10),
  refresh_margin_seconds: member(
    wholeSeconds().max(3600),
    'A token with less life than this is refreshed before it is served.',
    60,
  ),
  public_clients_with_dpop: member(flag(), 'Lets public clients exchange when they prove possession of a key.', false),
  sharing: member(
    z.enum(['first_party', 'own_client']),
    'Whose connected accounts a first-party client may use: all of the user, or those connected through it. Third-party clients always have own_client.',
    'first_party',
  ),
})

const webhookSecret = () =>
  z
    .string()
    .min(16)
    .max(512)
    .refine(
      (value) =>
        !value.startsWith('whsec_') || /^whsec_(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2,3})?={0,2}$/.test(value),
      {
        error: 'at least 24 bytes in base64 behind whsec_',
      },
    )

const webhook = z.strictObject({
  url: webUrl().meta({ description: 'Where events are posted.' }),
  secret: webhookSecret().meta({
    description: 'Signs time and body: whsec_ with base64 behind, or any text of at least 16 characters.',
  }),
  previous_secret: member(webhookSecret(), 'Signs too, while the receiver changes over to the new one.'),
  events: member(
    z
      .array(
        z
          .string()
          .regex(/^(?:\*|[a-z_]{1,60}\.(?:\*|[a-z_]{1,60}))$/, { error: 'an event such as user.created, user.* or *' }),
      )
      .max(200),
    'Names such as user.created, all of a kind such as user.*, or *.',
    ['*'],
  ),
})

const rateLimits = z.strictObject({
  enabled: member(
    flag(),
    'Sign-ins: 10 failures an account and 100 an address in 15 minutes; exchanges: 600 a minute for a client and user; others: 300 a minute.',
    true,
  ),
})

const compatibility = z.strictObject({
  dangerously_accept_userinfo_query_token: member(
    flag(),
    'Takes an access token in the query of /userinfo, as an old SDK sends it: it lands in logs and histories.',
    false,
  ),
})

const group = <T extends z.ZodObject>(schema: T, description: string) => schema.optional().meta({ description })
const hours = () => z.number().positive().max(8760)

export const settingsDocument = z.strictObject({
  friendly_name: member(text(200), 'Name of the tenant on pages and in mails.', 'Tenon'),
  picture_url: member(webUrl(), 'Logo on pages.'),
  accent_color: member(
    z.string().regex(/^#[0-9a-f]{6}$/i, { error: 'a colour such as #1f6b4a' }),
    'Accent of the pages.',
  ),
  support_email: member(emailField, 'Shown where something went wrong.'),
  support_url: member(webUrl(), 'Shown where something went wrong.'),
  operators: member(z.array(text(300)).max(1000), 'User ids or proven addresses that may enter the console.', []),
  linking: group(linking, 'Account linking.'),
  tokens: group(tokens, 'Our own tokens.'),
  sessions: group(sessions, 'Browser sessions.'),
  vault: group(vault, 'Tokens of providers.'),
  rate_limits: group(rateLimits, 'Rate limits.'),
  webhooks: member(
    z
      .array(webhook)
      .max(20)
      .refine((list) => new Set(list.map(({ url }) => url)).size === list.length, { error: 'each url once' }),
    'Receivers of events.',
    [],
  ),
  compatibility: group(compatibility, 'Concessions to old clients.'),
  session_lifetime: member(hours(), 'Hours until a session ends in any case.', 168),
  idle_session_lifetime: member(hours(), 'Hours without use until a session ends.', 72),
  default_audience: member(z.string().max(600), 'API that authorization requests without audience mean.'),
  default_directory: member(z.string().max(128), 'Password connection of the password grant.'),
  default_redirection_uri: member(webUrl(), 'Where people go who come without an application.'),
  allowed_logout_urls: member(
    z.array(redirectUri()).max(100),
    'Where a logout without client may lead, compared exactly.',
    [],
  ),
  oidc_logout: group(
    z.strictObject({
      rp_logout_end_session_endpoint_discovery: member(flag(), 'Names the logout endpoint in discovery.', true),
    }),
    'Logout.',
  ),
  pushed_authorization_requests_supported: member(flag(), 'Takes pushed authorization requests (RFC 9126).', true),
  flags: z
    .object({
      enable_dynamic_client_registration: member(
        flag(),
        'Anybody may register a client at /oidc/register: of a third party, never with the vault grant.',
        false,
      ),
    })
    .catchall(z.boolean())
    .optional()
    .meta({ description: 'Switches by name; any other one has no effect.' }),
  enabled_locales: tolerated(z.array(z.string())),
  session_cookie: tolerated(),
  mtls: tolerated(),
  sandbox_version: tolerated(),
  customize_mfa_in_postlogin_action: tolerated(flag()),
  allow_organization_name_in_authentication_api: tolerated(flag()),
  acr_values_supported: tolerated(),
  error_page: tolerated(),
  change_password: tolerated(),
  guardian_mfa_page: tolerated(),
  device_flow: tolerated(),
})
