// What every grant that we serve ends with: the engine's own tokens, made from what the grant found.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { User } from '../../domain/user.ts'
import type { JsonObject } from '../../lib/json.ts'
import { MY_ACCOUNT_API_PATH } from '../../protocol/built-in.ts'
import { claimsOf } from '../claims.ts'
import type { RefreshTarget } from './refresh-target.ts'

/** On whose behalf, and under what. */
export interface TokenSource {
  readonly accountId: string
  readonly grantId: string
  /** Only what a token of ours tells of itself. */
  readonly gty?: string | undefined
  readonly sessionUid?: string | undefined
  readonly sid?: string | undefined
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  readonly authTime?: number | undefined
  /** Who acts for the person (RFC 8693 §4.1). */
  readonly act?: JsonObject | undefined
  /** Seconds that the access token lives; undefined: as long as its audience says. */
  readonly expiresIn?: number | undefined
}

/** A sign-in in a browser, as codes and refresh tokens keep it. */
type SignIn = Pick<TokenSource, 'sid' | 'acr' | 'amr' | 'authTime'>

interface ClaimSources {
  /** The access token that is made; what `issueAccess` left on it is ours. */
  readonly token: object
  /** What the engine makes it from, where that is an authorization code. */
  readonly code: object | undefined
  readonly issuer: string
}

/** The engine asks for claims of ours when it makes a token. */
export function extraClaims({ token, code, issuer }: ClaimSources): JsonObject | undefined {
  // Models of the engine's, whose declared types lack these members.
  const { act, signIn, resourceServer } = token as TokenMembers
  const isForAccount = resourceServer?.audience === `${issuer}${MY_ACCOUNT_API_PATH}`
  const claims = {
    ...(act === undefined ? {} : { act }),
    ...(isForAccount ? signInClaims((code as SignIn | undefined) ?? signIn) : {}),
  }
  return Object.keys(claims).length === 0 ? undefined : claims
}

interface TokenMembers {
  readonly act?: JsonObject
  readonly signIn?: SignIn
  readonly resourceServer?: { readonly audience?: string }
}

/**
 * When and how the person proved themselves (RFC 9068 §2.2.1), for an API that asks for a proof of a moment ago. Of sign-ins in
 * a browser alone, which have a `sid`: a yes to a device, a password that an app took or a provider's token is no such proof.
 */
const signInClaims = ({ sid, authTime, acr, amr = [] }: SignIn = {}): JsonObject =>
  sid === undefined || authTime === undefined
    ? {}
    : {
        auth_time: authTime,
        ...(acr === undefined ? {} : { acr }),
        ...(amr.length === 0 ? {} : { amr: [...amr] }),
      }

export async function issueAccess(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  source: TokenSource,
  target: RefreshTarget,
  thumbprint: string | undefined,
): Promise<{ value: string; expiresIn: number }> {
  const access = new provider.AccessToken({
    accountId: source.accountId,
    client: ctx.oidc.client,
    expiresWithSession: false,
    grantId: source.grantId,
    gty: source.gty,
    sessionUid: source.sessionUid,
    sid: source.sid,
    expiresIn: source.expiresIn,
  } as ConstructorParameters<typeof provider.AccessToken>[0])
  if (target.resource !== undefined)
    access.resourceServer = new provider.ResourceServer(target.resource.uri, target.resource.info)
  access.scope = target.scopes.join(' ')
  const { act, sid, acr, amr, authTime } = source
  Object.assign(access, { signIn: { sid, acr, amr, authTime }, ...(act === undefined ? {} : { act }) })
  if (thumbprint !== undefined) access.setThumbprint('jkt', thumbprint)
  const value = await access.save()
  return { value, expiresIn: access.expiration }
}

/**
 * SDKs check an ID token on every answer (auth0-wire.md §0 rule 8); `iss`, `sub` and `aud` stay, and there is no nonce, which
 * is for one authorization request (OpenID Connect Core §12.2): SDKs refuse one that they did not just ask with.
 */
export async function issueIdToken(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  source: TokenSource,
  target: RefreshTarget,
  user: User,
): Promise<string> {
  const idToken = new provider.IdToken(
    { ...claimsOf(user), acr: source.acr, amr: source.amr, auth_time: source.authTime },
    { ctx },
  )
  // The engine sets these three the same way; its declared type lacks them.
  Object.assign(idToken, { scope: target.scopes.join(' '), mask: {}, rejected: [] })
  if (source.sid !== undefined) idToken.set('sid', source.sid)
  return idToken.issue({ use: 'idtoken' })
}

/** A refresh token for exactly what the access token is for; a public client's is bound to its key (RFC 9449 §5). */
export async function issueRefresh(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  source: TokenSource,
  target: RefreshTarget,
  thumbprint: string | undefined,
): Promise<string> {
  const { client } = ctx.oidc
  const token = new provider.RefreshToken({
    accountId: source.accountId,
    acr: source.acr,
    amr: source.amr,
    authTime: source.authTime,
    client,
    expiresWithSession: false,
    grantId: source.grantId,
    gty: source.gty,
    resource: target.resource?.uri,
    rotations: 0,
    scope: target.scopes.join(' '),
  } as unknown as ConstructorParameters<typeof provider.RefreshToken>[0])
  if (thumbprint !== undefined && client?.tokenEndpointAuthMethod === 'none') Object.assign(token, { jkt: thumbprint })
  return token.save()
}
