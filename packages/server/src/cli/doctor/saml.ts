// A SAML connection: is it complete, and for how long can its provider still vouch for anybody?
import type { Connection } from '../../domain/connection.ts'
import type { Clock } from '../../lib/time.ts'
import type { SafeFetch } from '../../upstream/safe-fetch.ts'
import { certificateEnd, identityProviderOf, liveCertificates } from '../../upstream/saml-provider.ts'
import { samlEntityId } from '../../upstream/saml-request.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const SOON_SECONDS = 30 * 86_400

/** @throws what `identityProviderOf` throws. */
export async function examineSaml(
  connection: Connection,
  { fetch, clock, issuer }: { readonly fetch: SafeFetch; readonly clock: Clock; readonly issuer: string },
): Promise<Finding> {
  const what = connection.name
  const provider = await identityProviderOf(connection, { fetch, clock })()
  const ends = liveCertificates(provider, clock()).map(certificateEnd)
  const last = Math.max(...ends)
  if (ends.length === 0)
    return fail(
      what,
      "every certificate of the provider's signatures has expired: nobody can sign in",
      'put its present one into options.signingCert, or its metadata into options.metadataUrl',
    )
  const until = new Date(last * 1000).toISOString().slice(0, 10)
  const found = `samlp at ${new URL(provider.signInEndpoint).host}, certificate until ${until}`
  if (last - clock() < SOON_SECONDS)
    return warn(what, found, 'add the next certificate to options.signingCert before then')
  return ok(what, `${found}; we are ${samlEntityId(issuer, connection)}`)
}
