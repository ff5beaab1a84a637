// Secrets that stand in documents and examples, or that somebody meant to replace: everybody knows them. Where others can
// reach the server, it does not start with them (T-OPS-04).
import type { ConfigProblem } from './config-error.ts'
import { isLoopbackHost } from './fields.ts'

/** Those of our own documents. A check compares the list with what stands there. */
const OURS: ReadonlySet<string> = new Set([
  'a lantern under the bridge',
  'agent-guide-secret',
  'from-auth0-secret',
  'its-secret',
  'our-secret-there',
  'quick-start-secret',
])

/** Words that say of themselves that something else belongs there. */
const PLACEHOLDER =
  /change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|this)|^(?:your|my|our|the|a|an|some)?[-_ ]?(?:client|webhook|api|very|super)?[-_ ]?(?:secret|password|key)[-_ ]?(?:here|there|123|1234|123456)?$|^(?:example|placeholder|xxx+|\.{3}|…)|^<.*>$/i

const isExampleSecret = (value: string): boolean => OURS.has(value) || PLACEHOLDER.test(value.replace(/^whsec_/, ''))

interface Secrets {
  readonly settings: {
    readonly webhooks?:
      | readonly { readonly secret: string; readonly previous_secret?: string | undefined }[]
      | undefined
  }
  readonly clients: readonly { readonly client_secret?: string | undefined }[]
  readonly connections: readonly { readonly options?: unknown }[]
  readonly users: readonly { readonly password: string }[]
}

/** One problem for each secret of a tenant file that everybody knows; none for a server that only its own machine reaches. */
export function exampleSecrets(file: Secrets, issuer: string): readonly ConfigProblem[] {
  if (isLoopbackHost(new URL(issuer).hostname)) return []
  const places: readonly (readonly [pointer: string, value: unknown])[] = [
    ...(file.settings.webhooks ?? []).flatMap((webhook, index) => [
      [`/settings/webhooks/${index}/secret`, webhook.secret] as const,
      [`/settings/webhooks/${index}/previous_secret`, webhook.previous_secret] as const,
    ]),
    ...file.clients.map(({ client_secret }, index) => [`/clients/${index}/client_secret`, client_secret] as const),
    ...file.connections.map(
      ({ options }, index) => [`/connections/${index}/options/client_secret`, secretOf(options)] as const,
    ),
    ...file.users.map(({ password }, index) => [`/users/${index}/password`, password] as const),
  ]
  return places
    .filter(([, value]) => typeof value === 'string' && isExampleSecret(value))
    .map(([pointer]) => ({
      code: 'example_secret',
      pointer,
      found: 'a secret that stands in examples',
      expected: 'one of your own, from a generator of random values',
    }))
}

/**
 * Is this a key that nobody drew at random: bytes that repeat or count up, as in examples, or text that was typed? (Of
 * random keys, fewer than one in a million million is taken for one.)
 */
export function isExampleKey(bytes: Uint8Array): boolean {
  const step = ((bytes[1] ?? 0) - (bytes[0] ?? 0)) & 0xff
  const isSequence = bytes.every((byte, index) => index === 0 || ((byte - (bytes[index - 1] ?? 0)) & 0xff) === step)
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  return isSequence || isText || new Set(bytes).size < bytes.length / 2
}

const secretOf = (options: unknown): unknown =>
  typeof options === 'object' && options !== null && 'client_secret' in options ? options.client_secret : undefined
