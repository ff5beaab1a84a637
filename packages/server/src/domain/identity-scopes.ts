// Scopes by which a person is told to the client that they sign in to; nothing else is reached with them.

const IDENTITY_SCOPES = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])

/** False for a scope that opens no API of the provider's. */
export const reachesApis = (scope: string): boolean => !IDENTITY_SCOPES.has(scope)
