// Token-exchange profiles: which tokens of which provider prove who a person is. Data, where Auth0 runs a tenant's code.
import { connectionRefusal } from '../domain/connection-use.ts'
import type { Identity } from '../domain/user.ts'
import type { Storage } from '../storage/storage.ts'
import type { Connectors } from '../upstream/connectors.ts'
import { ConnectionUnavailable, UpstreamRefused, UpstreamUnavailable } from '../upstream/errors.ts'
import type { ConnectionReader } from '../vault/connections.ts'

export type SubjectProver = (given: {
  readonly clientId: string
  /** `subject_token_type`. */
  readonly type: string
  readonly token: string
}) => Promise<ProvenSubject>

export type ProvenSubject =
  | { readonly kind: 'proven'; readonly identity: Identity }
  /** `reason` is for the operator's log. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface SubjectProverDeps {
  readonly storage: Storage
  readonly connections: ConnectionReader
  readonly connectors: Connectors
}

/** Makes the check of subject tokens: nobody becomes a user by it, who has no identity there gets nothing. */
export function createSubjectProver({ storage, connections, connectors }: SubjectProverDeps): SubjectProver {
  return async ({ clientId, type, token }) => {
    const profile = await storage.exchangeProfiles.findByType(type)
    const connection = profile && (await connections.find(storage, profile.connectionId))
    if (profile === undefined || connection === undefined) return refused('profile_unknown')
    const enabled = await storage.connections.isEnabled(connection.id, clientId)
    const record = await storage.connections.find(connection.id)
    if (connectionRefusal(record?.document, enabled) !== undefined) return refused('connection_not_enabled')
    try {
      const { proveSubject } = connectors.for(connection)
      if (proveSubject === undefined) return refused('connection_unavailable')
      const subject = await proveSubject(token, profile.audiences)
      const identity = await storage.identities.find(connection.id, subject)
      return identity === undefined ? refused('identity_unknown') : { kind: 'proven', identity }
    } catch (error) {
      if (error instanceof UpstreamRefused || error instanceof ConnectionUnavailable) return refused('token_invalid')
      if (error instanceof UpstreamUnavailable) return refused('provider_unavailable')
      throw error
    }
  }
}

const refused = (reason: string): ProvenSubject => ({ kind: 'refused', reason })
