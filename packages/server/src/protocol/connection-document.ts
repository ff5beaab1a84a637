// A connection as the tenant file and the Management API hold it (auth0-wire.md §6.3).
import { z } from 'zod'
import { PASSWORD_CONNECTION } from './built-in.ts'
import { clientIdField } from './client-document.ts'
import { OPTIONS } from './connection-options.ts'
import { flag, jsonObject, member, patchOf, shortMetadata, text, tolerated } from './fields.ts'
import { CREDENTIAL_STRATEGIES, STRATEGIES, TOKENLESS_STRATEGIES } from './strategies.ts'

const changeable = {
  display_name: member(text(128), 'Shown to people. Default: the name of the provider, or the connection.'),
  options: jsonObject().optional().meta({ description: 'Depends on the strategy, see below.' }),
  enabled_clients: member(z.array(clientIdField).max(10_000), 'Clients that may use it.', []),
  authentication: member(z.strictObject({ active: flag() }), 'May log people in.', { active: true }),
  connected_accounts: member(
    z.strictObject({ active: flag(), cross_app_access: flag().optional(), allow_missing_user_id: flag().optional() }),
    'Its tokens may be kept for agents.',
    { active: false },
  ),
  show_as_button: member(flag(), 'Stands as a button on the sign-in page.', true),
  metadata: member(shortMetadata(), 'Up to ten short strings of the operator.', {}),
  is_domain_connection: member(flag(), 'Signs people in to every client that registers itself from then on.', false),
  realms: tolerated(z.array(z.string())),
  cross_app_access_requesting_app: tolerated(),
} as const

const name = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,126}[A-Za-z0-9])?$/, {
    error: 'up to 128 letters, digits, - and _, the ends neither - nor _',
  })
  .meta({ description: 'Immutable; part of callback paths and of user ids.' })
const strategy = z.enum(STRATEGIES).meta({ description: 'Immutable; one of the generic names or a catalogue name.' })

export const connectionFields = z.strictObject({ name, strategy, ...changeable })
/** In the tenant file, and the body of `POST /api/v2/connections`. */
export const connectionDocument = connectionFields.superRefine(checkConnection)
export type ConnectionDocument = z.infer<typeof connectionFields>

/** Body of `PATCH /api/v2/connections/{id}`: `options` replaces the whole; check what results with `connectionDocument`. */
export const connectionPatchBody = patchOf(changeable)

function checkConnection(connection: ConnectionDocument, context: z.RefinementCtx): void {
  const options = OPTIONS[connection.strategy]?.safeParse(connection.options ?? {})
  for (const issue of options?.error?.issues ?? []) {
    context.addIssue({ ...issue, path: ['options', ...issue.path] })
  }
  if (connection.connected_accounts?.active && TOKENLESS_STRATEGIES.has(connection.strategy)) {
    const message = `false, for no tokens come from ${connection.strategy}`
    context.addIssue({ code: 'custom', path: ['connected_accounts', 'active'], message })
  }
  if (connection.authentication?.active !== false && CREDENTIAL_STRATEGIES.has(connection.strategy)) {
    const message = `false, for nobody signs in by ${connection.strategy}`
    context.addIssue({ code: 'custom', path: ['authentication', 'active'], message })
  }
  if (connection.name === PASSWORD_CONNECTION && connection.strategy !== 'auth0') {
    context.addIssue({ code: 'custom', path: ['strategy'], message: `auth0, for this is ${PASSWORD_CONNECTION}` })
  }
}
