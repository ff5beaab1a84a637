import type { EpochSeconds } from '../lib/time.ts'
import type { ReplayMark } from './records.ts'

/** The row that says of something that it has served; of several callers the one whose row is stored first goes on. */
export const replayMark = (
  idHash: string,
  {
    at,
    expiresAt,
    clientId,
  }: { readonly at: EpochSeconds; readonly expiresAt: EpochSeconds; readonly clientId?: string },
): ReplayMark => ({
  kind: 'ReplayDetection',
  idHash,
  uid: undefined,
  grantId: undefined,
  userId: undefined,
  clientId: undefined,
  payload: { kind: 'ReplayDetection', ...(clientId !== undefined && { iss: clientId }) },
  createdAt: at,
  expiresAt,
  consumedAt: undefined,
  successorEnvelope: undefined,
  identityKey: undefined,
})
