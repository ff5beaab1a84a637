// Bodies of `/dbconnections/*` (auth0-wire.md §1.9).
import { z } from 'zod'
import { metadata } from './fields.ts'
import { emailField } from './user-document.ts'

const short = (max: number) => z.string().min(1).max(max).optional()

const target = { client_id: z.string().min(1).max(255), connection: z.string().min(1).max(128), email: emailField }

export const signUpBody = z.object({
  ...target,
  password: z.string().min(1).max(1024),
  name: short(150),
  given_name: short(150),
  family_name: short(150),
  nickname: short(150),
  user_metadata: metadata()
    .refine((given) => JSON.stringify(given).length <= 5000, { error: 'at most 5000 characters' })
    .optional(),
})
export type SignUpBody = z.infer<typeof signUpBody>

export const changePasswordBody = z.object(target)
export type ChangePasswordBody = z.infer<typeof changePasswordBody>
