// RFC 6749 §6 with the one question that matters to the vault: is the refresh token dead, or was there no clear answer?
import type { EpochSeconds } from '../lib/time.ts'
import type { ClientAuthMethod } from './catalogue/profile.ts'
import type { RefreshAnswer, RefreshRequest } from './connector.ts'
import { UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import { readExtras } from './extras.ts'
import type { LosslessObject } from './lossless-json.ts'
import { readTokenSet } from './token-answer.ts'
import { type BackChannel, callTokenEndpoint } from './token-endpoint.ts'

const CLIENT_ERRORS = new Set(['invalid_client', 'unauthorized_client', 'incorrect_client_credentials'])

export interface RefreshCall {
  readonly channel: BackChannel
  readonly endpoint: string
  readonly clientAuth: ClientAuthMethod
  readonly request: RefreshRequest
  readonly now: EpochSeconds
  /** Throws `subject_changed` when the answer is about somebody else. */
  readonly checkSubject: (members: LosslessObject) => void
}

/**
 * @throws {UpstreamRefused} `subject_changed` alone.
 * @throws {UpstreamUnavailable}
 */
export async function refreshTokens(call: RefreshCall): Promise<RefreshAnswer> {
  try {
    return await attempt(call)
  } catch (cause) {
    if (!(cause instanceof UpstreamRefused) || cause.code === 'subject_changed') throw cause
    // A page in place of JSON says nothing about the refresh token.
    throw new UpstreamUnavailable('junk', { detail: cause.detail ?? cause.code, cause })
  }
}

async function attempt({
  channel,
  endpoint,
  clientAuth,
  request,
  now,
  checkSubject,
}: RefreshCall): Promise<RefreshAnswer> {
  const { profile } = channel.settings
  const answer = await callTokenEndpoint(channel, {
    endpoint,
    clientAuth,
    fields: { ...profile.token.fields, grant_type: 'refresh_token', refresh_token: request.refreshToken },
    timeoutSeconds: request.timeoutSeconds,
  })
  if (answer.kind === 'answer') {
    checkSubject(answer.members)
    return {
      kind: 'refreshed',
      tokenset: readTokenSet(answer.members, { profile, now, grant: 'refresh' }),
      extras: readExtras(profile.extras, { token_answer: answer.members }),
    }
  }
  const { error } = answer
  if (error === 'invalid_grant' || profile.refresh.deadErrors.includes(error)) {
    return { kind: 'invalid_grant', reason: error }
  }
  throw new UpstreamUnavailable(CLIENT_ERRORS.has(error) ? 'client_rejected' : 'junk', { detail: error })
}
