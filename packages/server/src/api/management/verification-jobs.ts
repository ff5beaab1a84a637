// A mail that asks a person to show that an address is theirs, as a job that is done once the mail waits to be sent.
import { z } from 'zod'
import { type Operation, operation } from '../operation.ts'
import type { ManagementDeps } from './deps.ts'
import { jobShape, putJob } from './jobs.ts'
import { addressOf, mailVerification, requireClient, requireMailable, verificationFields } from './verification.ts'

export const verificationJobOperations = (deps: ManagementDeps): readonly Operation[] => [
  operation(
    {
      method: 'post',
      path: '/jobs/verification-email',
      summary: 'Mail somebody a link by which they show that their address is theirs',
      tag: 'jobs',
      scopes: ['update:users'],
      body: z.strictObject(verificationFields),
      answers: {
        201: { description: 'The job', schema: jobShape },
        400: { description: 'operation_not_supported, inexistent_client' },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, body }) => {
      const { storage } = deps
      await requireClient(storage, body.client_id)
      const verification = await addressOf(storage, body)
      await requireMailable(deps, verification.address)
      await mailVerification(deps, verification, body.client_id)
      const job = await putJob(deps, caller, { type: 'verification_email' })
      return { status: 201, body: job }
    },
  ),
]
