// Scopes of the two built-in APIs (auth0-wire.md §3.4, §3.5, §6).

const crud = (nouns: readonly string[]) =>
  nouns.flatMap((noun) => ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:${noun}`))

/** What a person's own token may hold for the Management API. */
export const CURRENT_USER_SCOPES: readonly string[] = [
  'read:current_user',
  'update:current_user_metadata',
  'update:current_user_identities',
  'delete:current_user_identities',
  'delete:current_user',
  'create:current_user_device_credentials',
  'delete:current_user_device_credentials',
]

export const MANAGEMENT_SCOPES: readonly string[] = [
  ...crud(['users', 'clients', 'connections', 'client_grants', 'resource_servers', 'client_credentials']),
  ...crud(['token_exchange_profiles']),
  ...crud(['grants', 'sessions', 'refresh_tokens', 'signing_keys']),
  'update:users_app_metadata',
  'read:user_idp_tokens',
  'read:client_keys',
  'update:client_keys',
  'update:client_token_vault_privileged_access',
  'read:federated_connections_tokens',
  'delete:federated_connections_tokens',
  'read:logs',
  'read:logs_users',
  'read:tenant_settings',
  'update:tenant_settings',
  'create:user_tickets',
  'read:device_credentials',
  'delete:device_credentials',
  'read:organizations',
  ...CURRENT_USER_SCOPES,
]

export const MY_ACCOUNT_SCOPES: readonly string[] = [
  'create:me:connected_accounts',
  'read:me:connected_accounts',
  'delete:me:connected_accounts',
  ...crud(['me:authentication_methods']),
  'read:me:factors',
]
