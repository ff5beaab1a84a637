// Issuers that serve many tenants, each under its own name: Entra ID puts the tenant into `iss` and says it again in `tid`.
import { UpstreamRefused } from './errors.ts'
import type { LosslessObject } from './lossless-json.ts'

const TENANT = '{tid}'
const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

export const isForManyTenants = (issuer: string): boolean => issuer.includes(TENANT)

/**
 * The one issuer that these claims may come from. They are unverified still: what follows is that the signature covers
 * `iss` and `tid`, and that they agree.
 *
 * @throws {UpstreamRefused} `id_token_invalid`: they name no tenant.
 */
export function issuerFor(issuer: string, { tid }: LosslessObject): string {
  if (!isForManyTenants(issuer)) return issuer
  if (typeof tid !== 'string' || !GUID.test(tid)) throw new UpstreamRefused('id_token_invalid', { detail: 'tid' })
  return issuer.replaceAll(TENANT, tid)
}
