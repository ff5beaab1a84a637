// What a provider does that follows the specifications; profiles say where theirs differs.
import type { Endpoints, ProviderProfile, RevocationForm } from './profile.ts'

/** RFC 7009: a form with the token, authenticated as at the token endpoint. */
export const RFC_7009: RevocationForm = {
  method: 'POST',
  body: 'form',
  member: 'token',
  authentication: 'client',
  takes: 'both',
  ends: 'token',
}

/** OpenID Connect Core §5.1 names, ours on the left. */
export const OIDC_CLAIMS = {
  email: 'email',
  email_verified: 'email_verified',
  name: 'name',
  given_name: 'given_name',
  family_name: 'family_name',
  nickname: 'nickname',
  username: 'preferred_username',
  picture: 'picture',
  phone_number: 'phone_number',
} as const

const plain = {
  endpoints: {},
  selfHosted: undefined,
  placeholders: {},
  authorization: {
    parameters: {},
    offlineParameters: {},
    offlineScopes: [],
    accountPicker: { prompt: 'select_account' },
    passedThrough: [],
    responseMode: undefined,
    pkce: true,
  },
  scopes: {
    defaults: [],
    always: [],
    parameter: 'scope',
    separator: ' ',
    aliases: [],
    prefixes: [],
    contains: {},
    unnamed: [],
    grantedMember: 'scope',
    grantedIn: 'token_answer',
    grantedForm: 'text',
    blankIsSilence: false,
  },
  client: { auth: 'client_secret_post', idParameter: 'client_id', signedSecretFor: undefined },
  token: {
    requestBody: 'form',
    at: '',
    types: [],
    errors: ['error'],
    fields: {},
    accessSeconds: undefined,
    assumedSeconds: undefined,
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
    graceSeconds: undefined,
    absoluteSeconds: undefined,
    idleSeconds: undefined,
    deadErrors: [],
  },
  revocation: RFC_7009,
  api: { header: 'authorization', prefix: 'Bearer ', headers: {}, hosts: [] },
  extras: [],
  evidence: {
    pages: [],
    refresh: 'vendor',
    confidence: 'high',
    checked: '2026-11',
    uncertain: [],
    notes: [],
    changes: [],
  },
} as const satisfies Partial<ProviderProfile>

const plainIdentity = {
  requiredClaims: {},
  claims: OIDC_CLAIMS,
  verifiedBy: ['true'],
  emailList: { at: '', email: 'email', primary: 'primary', verified: 'verified' },
  userinfo: { method: 'GET' },
  emailAuthority: undefined,
  nameInAnswer: undefined,
} as const

/** Any OpenID provider, by its discovery document. */
export const genericOidc: ProviderProfile = {
  ...plain,
  strategy: 'oidc',
  name: 'OpenID Connect',
  protocol: 'oidc',
  scopes: { ...plain.scopes, defaults: ['openid', 'profile', 'email'], always: ['openid'] },
  client: { ...plain.client, auth: undefined },
  identity: { ...plainIdentity, from: 'id_token', subject: ['sub'], subjectType: 'string' },
}

/** Any OAuth 2.0 provider with a user-info endpoint, by its connection's options. */
export const genericOAuth2: ProviderProfile = {
  ...plain,
  strategy: 'oauth2',
  name: 'OAuth 2.0',
  protocol: 'oauth2',
  identity: {
    ...plainIdentity,
    from: 'userinfo',
    subject: ['user_id'],
    subjectType: 'either',
    claims: { ...OIDC_CLAIMS, username: 'username' },
  },
}

/** What a profile says of itself: everything that is not as the specifications have it. */
export interface ProfileFacts {
  readonly strategy: string
  readonly name: string
  readonly endpoints: Endpoints
  readonly selfHosted?: Endpoints | undefined
  readonly placeholders?: ProviderProfile['placeholders']
  readonly authorization?: Partial<ProviderProfile['authorization']>
  readonly scopes?: Partial<ProviderProfile['scopes']>
  readonly client?: Partial<ProviderProfile['client']>
  readonly token?: Partial<ProviderProfile['token']>
  readonly refresh: Partial<ProviderProfile['refresh']>
  readonly revocation?: Partial<RevocationForm>
  readonly identity?: Partial<ProviderProfile['identity']>
  readonly api?: Partial<ProviderProfile['api']>
  readonly extras?: ProviderProfile['extras']
  readonly evidence: Partial<ProviderProfile['evidence']>
}

export const oidcProfile = (facts: ProfileFacts): ProviderProfile => completed(genericOidc, facts)

export const oauth2Profile = (facts: ProfileFacts): ProviderProfile => completed(genericOAuth2, facts)

/** The same provider under another strategy. */
export const variantOf = (profile: ProviderProfile, facts: Partial<ProfileFacts>): ProviderProfile =>
  completed(profile, { ...profile, ...facts })

function completed(base: ProviderProfile, facts: ProfileFacts): ProviderProfile {
  return {
    strategy: facts.strategy,
    name: facts.name,
    protocol: base.protocol,
    endpoints: facts.endpoints,
    selfHosted: facts.selfHosted,
    placeholders: facts.placeholders ?? {},
    authorization: { ...base.authorization, ...facts.authorization },
    scopes: { ...base.scopes, ...facts.scopes },
    client: { ...base.client, ...facts.client },
    token: { ...base.token, ...facts.token },
    refresh: { ...base.refresh, ...facts.refresh },
    revocation: { ...base.revocation, ...facts.revocation },
    identity: { ...base.identity, ...facts.identity },
    api: { ...base.api, ...facts.api },
    extras: facts.extras ?? base.extras,
    evidence: { ...base.evidence, ...facts.evidence },
  }
}
