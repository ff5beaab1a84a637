// A user as the tenant file and `POST /api/v2/users` take it (auth0-wire.md §6.1).
import { z } from 'zod'
import { flag, member, metadata, patchOf, text, tolerated, webUrl } from './fields.ts'

export const emailField = z
  .string()
  .max(254)
  .regex(/^[^\s@"<>]{1,64}@[^\s@"<>.]+(?:\.[^\s@"<>.]+)*$/, { error: 'an e-mail address' })

const passwordField = z.string().min(1).max(1024)

const profile = {
  name: member(text(300), 'Full name.'),
  given_name: member(text(150), 'Given name.'),
  family_name: member(text(150), 'Family name.'),
  nickname: member(text(300), 'Short name.'),
  picture: member(webUrl(), 'Picture.'),
} as const

const changeable = {
  email: member(emailField, 'Primary address.'),
  email_verified: member(flag(), "The operator's word that the address is theirs: grade G3.", false),
  password: member(passwordField, 'Kept as an argon2id hash.'),
  username: member(text(128), 'User name, where the connection asks for one.'),
  phone_number: member(
    z.string().regex(/^\+[0-9]{1,15}$/, { error: 'a number such as +15551234567' }),
    'Phone number.',
  ),
  phone_verified: tolerated(flag()),
  verify_email: member(
    flag(),
    'Mails the address a link by which the person shows that it is theirs; on PATCH together with email.',
    false,
  ),
  blocked: member(flag(), 'May not sign in, and nothing acts for them.', false),
  user_metadata: member(metadata(), 'What the person may see and change.', {}),
  app_metadata: member(metadata(), 'What applications know about the person.', {}),
  ...profile,
} as const

/** Body of `POST /api/v2/users`. */
export const userCreateBody = z.strictObject({
  connection: text(128).meta({ description: 'Name of a password connection.' }),
  user_id: member(
    z.string().regex(/^[\x21-\x7b\x7d\x7e]{1,200}$/, { error: 'up to 200 printable characters without |' }),
    'Id within the connection. Default: 24 random hex digits.',
  ),
  ...changeable,
})
/** In the tenant file: one who can sign in. */
export const userDocument = z.strictObject({
  ...userCreateBody.shape,
  email: emailField.meta({ description: 'Primary address, with which the user signs in.' }),
  password: passwordField.meta({ description: 'Kept as an argon2id hash; set once, when the user is made.' }),
})
export type UserDocument = z.infer<typeof userDocument>
/** Body of `PATCH /api/v2/users/{id}`. */
export const userPatchBody = patchOf({
  ...changeable,
  connection: member(text(128), 'Connection of the identity that the change concerns.'),
  client_id: member(text(255), 'Client in whose name mails are sent.'),
  verify_password: tolerated(flag()),
})
