// What exists in every tenant without being named.

/** The password database. */
export const PASSWORD_CONNECTION = 'Username-Password-Authentication'

/** Paths below the issuer whose URLs are the identifiers of the two built-in resource servers. */
export const MANAGEMENT_API_PATH = 'api/v2/'
export const MY_ACCOUNT_API_PATH = 'me/'

export const builtInAudiences = (issuer: string): readonly string[] => [
  `${issuer}${MANAGEMENT_API_PATH}`,
  `${issuer}${MY_ACCOUNT_API_PATH}`,
]
