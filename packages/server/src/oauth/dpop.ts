// The engine's own check of DPoP proofs (RFC 9449 §4.3), for the grants that we serve in its place. It is not among its
// public exports; the exact version is pinned, and a test would miss it.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'

export type ValidateDpop = (
  provider: Provider,
  ctx: KoaContextWithOIDC,
) => Promise<{ readonly thumbprint: string } | undefined>

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
