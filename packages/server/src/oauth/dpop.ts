// The engine's own check of DPoP proofs (RFC 9449 §4.3), for the grants that we serve in its place. It is not among its
// public exports; the exact version is pinned, and a test would miss it.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { EngineDeps } from './engine.ts'
import type { NonceBook } from './proof-of-possession.ts'

export type ValidateDpop = (provider: Provider, ctx: KoaContextWithOIDC) => Promise<DpopProof | undefined>

const MODULE = 'oidc-provider/lib/helpers/validate_dpop.js'

/** Loads it; a proof that was used before is refused as well. */
export async function loadDpopValidation(): Promise<ValidateDpop> {
  // Untyped: the module has no declarations.
  const { default: validate, checkDpopReplay } = (await import(MODULE)) as DpopModule
  return async (provider, ctx) => {
    const proof = await validate(provider, ctx)
    if (proof === undefined) return undefined
    await checkDpopReplay(provider, ctx, proof, ctx.oidc.client?.clientId ?? '')
    return proof
  }
}

export interface DpopProof {
  readonly thumbprint: string
}

const NONCES_MODULE = 'oidc-provider/lib/helpers/challenge.js'

/** The nonces that the engine gives and takes under this secret of 32 bytes, for the doors that are ours. */
export async function loadDpopNonces(secret: Uint8Array): Promise<NonceBook> {
  // Untyped: the module has no declarations.
  const { default: Challenge } = (await import(NONCES_MODULE)) as {
    default: new (secret: Buffer, info: string) => NonceBook
  }
  return new Challenge(Buffer.from(secret), 'DPoP')
}

/** The proof of a token request. @throws {InvalidGrant} there is none, and the client binds every token (RFC 9449 §5.2). */
export async function requiredProof(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  { validateDpop, library }: Pick<EngineDeps, 'validateDpop' | 'library'>,
): Promise<DpopProof | undefined> {
  const proof = await validateDpop(provider, ctx)
  if (proof === undefined && ctx.oidc.client?.dpopBoundAccessTokens === true)
    throw new library.errors.InvalidGrant('DPoP proof JWT not provided')
  return proof
}

export const tokenTypeOf = (proof: DpopProof | undefined): 'Bearer' | 'DPoP' =>
  proof === undefined ? 'Bearer' : 'DPoP'

interface DpopModule {
  readonly default: (
    provider: Provider,
    ctx: KoaContextWithOIDC,
  ) => Promise<{ readonly thumbprint: string } | undefined>
  readonly checkDpopReplay: (
    provider: Provider,
    ctx: KoaContextWithOIDC,
    proof: object,
    clientId: string,
  ) => Promise<void>
}
