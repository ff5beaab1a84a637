// What a client may ask of an API, as the tenant file and the Management API hold it (auth0-wire.md §6.4).
import { z } from 'zod'
import { clientIdField } from './client-document.ts'
import { flag, member, patchOf, scopes, text, tolerated } from './fields.ts'

const changeable = {
  scope: member(scopes(), 'Scopes that may be granted.', []),
  allow_all_scopes: member(flag(), 'All scopes of the API, also later ones.', false),
  organization_usage: tolerated(z.enum(['deny', 'allow', 'require'])),
  allow_any_organization: tolerated(flag()),
  authorization_details_types: tolerated(z.array(z.string())),
} as const

/** In the tenant file, and the body of `POST /api/v2/client-grants`. */
export const clientGrantDocument = z.strictObject({
  client_id: clientIdField.meta({ description: 'The client.' }),
  audience: text(600).meta({ description: 'Identifier of the API.' }),
  subject_type: member(z.enum(['client', 'user']), 'Tokens of the client itself, or of its users.', 'client'),
  ...changeable,
})
/** Body of `PATCH /api/v2/client-grants/{id}`. */
export const clientGrantPatchBody = patchOf(changeable)
