// The engine's models, where they lack what we need.
import type Provider from 'oidc-provider'
import { equalSecrets, sha256Hex } from '../crypto/hashing.ts'
import { assertionAudiences } from './client-assertion.ts'
import type { EngineLibrary } from './engine.ts'

interface ModelDeps {
  readonly library: EngineLibrary
  readonly issuer: string
}

interface SecretHolder {
  readonly clientSecret?: string
  readonly clientAuthMethod?: string
}

/**
 * What the models lack: members of ours, `sid` in ID tokens, our names in assertions, secrets compared by hash and taken
 * in the one way that the client is registered with.
 */
export function patchModels(provider: Provider, { library, issuer }: ModelDeps): void {
  keepInPayload(provider.Session, ['identity', 'device', 'session_metadata'])
  keepInPayload(provider.RefreshToken, ['refresh_token_metadata'])
  keepInPayload(provider.Interaction, ['browser'])
  keepInPayload(provider.Grant, ['identity'])
  allowLoopbackForms(provider)
  provider.Client.prototype.includeSid = () => true
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => new Set(assertionAudiences(issuer))
  provider.Client.prototype.compareClientSecret = function compare(this: SecretHolder, actual: string) {
    const method =
      library.Provider.ctx?.headers.authorization === undefined ? 'client_secret_post' : 'client_secret_basic'
    return method === this.clientAuthMethod && equalSecrets(sha256Hex(actual), this.clientSecret ?? '')
  }
}

interface ClientSchema {
  prototype: { invalidate(message: string, code?: string): void }
}

/** ID tokens go by form_post alone, so that http on loopback is no worse for them than for codes. */
function allowLoopbackForms(provider: Provider): void {
  // Documented by the engine, and missing in its declarations.
  const { Schema } = provider.Client as unknown as { Schema: ClientSchema }
  const { invalidate } = Schema.prototype
  Schema.prototype.invalidate = function allow(message, code) {
    if (code !== 'implicit-force-https' && code !== 'implicit-forbid-localhost') invalidate.call(this, message, code)
  }
}

function keepInPayload(model: { readonly IN_PAYLOAD: string[] }, more: readonly string[]): void {
  const known = model.IN_PAYLOAD
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => [...known, ...more] })
}
