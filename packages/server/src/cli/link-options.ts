// What the commands about links are told, and the settings that hold where nothing is said.
import { SETTINGS_KEY } from '../accounts/apply-tenant.ts'
import type { Option } from '../config/options.ts'
import { type LinkPolicy, parseSettings, type Settings } from '../domain/settings.ts'
import { isJsonObject } from '../lib/json.ts'
import { ConfigError } from '../protocol/config-error.ts'
import type { Repositories } from '../storage/storage.ts'
import type { CommandInput } from './command.ts'

const told = (name: string, value: string, description: string): Option => ({
  name,
  value,
  flagOnly: true,
  default: 'none',
  description,
})

const json: Option = { name: 'json', flagOnly: true, default: 'off', description: 'Print JSON, for programs.' }
const policy = told('policy', 'POLICY', 'off, suggest or auto_when_authoritative instead of what the settings say.')

export const EXPLAIN_OPTIONS: readonly Option[] = [
  told('connection', 'NAME', 'A sign-in by this connection …'),
  told('subject', 'ID', '… by this account of its provider.'),
  told('email', 'ADDRESS', 'The address that the provider gives with it.'),
  {
    name: 'email-verified',
    flagOnly: true,
    default: 'off',
    description: 'The provider says that the address is verified.',
  },
  told('session', 'USER_ID', 'Who is signed in in that browser.'),
  policy,
  told('primary', 'USER_ID', 'Joining two users: the one that remains …'),
  told('secondary', 'USER_ID', '… and the one that is joined into it.'),
  json,
]

export const SIMULATE_OPTIONS: readonly Option[] = [policy, json]

export const lastSaid = ({ commandLine }: CommandInput, name: string): string | undefined =>
  commandLine.said(name).at(-1)?.value

const POLICIES: readonly LinkPolicy[] = ['off', 'suggest', 'auto_when_authoritative']

/** @throws {ConfigError} no such policy. */
export function policyOf(input: CommandInput, present: LinkPolicy): LinkPolicy {
  const value = lastSaid(input, 'policy')
  if (value === undefined) return present
  const known = POLICIES.find((one) => one === value)
  if (known !== undefined) return known
  throw new ConfigError({
    code: 'invalid_value',
    pointer: '--policy',
    found: JSON.stringify(value.slice(0, 40)),
    expected: POLICIES.join(', '),
  })
}

export async function settingsNow(storage: Repositories): Promise<Settings> {
  const document: unknown = JSON.parse((await storage.meta.find(SETTINGS_KEY)) ?? '{}')
  return parseSettings(isJsonObject(document) ? document : {})
}
