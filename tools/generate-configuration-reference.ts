// docs/reference/configuration.md says what the tables and schemas say: written from them, and checked against them.
import { writeFileSync } from 'node:fs'
import { environmentName, OPTIONS } from '../packages/server/src/config/options.ts'
import { clientFields } from '../packages/server/src/protocol/client-document.ts'
import { clientGrantDocument } from '../packages/server/src/protocol/client-grant-document.ts'
import { connectionFields } from '../packages/server/src/protocol/connection-document.ts'
import { OPTION_TABLES } from '../packages/server/src/protocol/connection-options.ts'
import { describeDocument } from '../packages/server/src/protocol/describe.ts'
import { exchangeProfileDocument } from '../packages/server/src/protocol/exchange-profile-document.ts'
import { resourceServerDocument } from '../packages/server/src/protocol/resource-server-document.ts'
import { settingsDocument } from '../packages/server/src/protocol/settings-document.ts'
import { CATALOGUE_STRATEGIES } from '../packages/server/src/protocol/strategies.ts'
import { userDocument } from '../packages/server/src/protocol/user-document.ts'
import { projectRoot } from './lib/files.ts'

const WRITTEN_BY =
  'Written by `tools/generate-configuration-reference.ts` from the tables and schemas that the server itself reads.'

const FLAGS =
  'Every command reads them; a flag wins over its variable, and an empty variable says nothing. What is wrong ends a ' +
  'command with status 2, naming the flag, what was found and what is expected.'

const TENANT_FILE =
  'JSON, given by `--tenant`, checked and applied at each start; applying it twice changes nothing. ' +
  `\`$\{NAME}\` in a string takes an environment variable (\`$$\{NAME}\` is the text itself), ` +
  "`<issuer>` and `<issuer-host>` stand for the server's own address. An unknown key, a wrong type, a doubled or " +
  'dangling reference ends the start with status 2 and the JSON pointer of the key. Keys marked * must be given.'

const CATALOGUE =
  `For ${CATALOGUE_STRATEGIES.map((name) => `\`${name}\``).join(', ')}. Besides these keys, booleans named after ` +
  'products of the provider are taken.'

export function renderConfigurationReference(): string {
  const { catalogue, ...generic } = OPTION_TABLES
  const blocks = [
    '# Configuration',
    WRITTEN_BY,
    '## Flags and environment variables',
    FLAGS,
    table(['flag', 'variable', 'default', 'meaning'], OPTIONS.map(optionRow)),
    '## Tenant file',
    TENANT_FILE,
    '### `settings`',
    documentTable(settingsDocument),
    '### `clients`',
    documentTable(clientFields),
    '### `resource_servers`',
    'Two exist always: `<issuer>api/v2/` and `<issuer>me/`.',
    documentTable(resourceServerDocument),
    '### `client_grants`',
    documentTable(clientGrantDocument),
    '### `connections`',
    'The password connection `Username-Password-Authentication` exists always.',
    documentTable(connectionFields),
    ...Object.entries(generic).flatMap(([name, options]) => [
      `#### \`options\` of \`${name}\``,
      documentTable(options),
    ]),
    '#### `options` of the catalogue',
    CATALOGUE,
    documentTable(catalogue),
    '### `token_exchange_profiles`',
    'Made or changed to match the file; what it leaves out stays.',
    documentTable(exchangeProfileDocument),
    '### `users`',
    'Made once, when nobody has the address yet; later changes of the file do not reach them.',
    documentTable(userDocument),
  ]
  return `${blocks.join('\n\n')}\n`
}

function optionRow(option: (typeof OPTIONS)[number]): string[] {
  const flag = `--${option.name}${'value' in option ? ` ${option.value}` : ''}`
  return [`\`${flag}\``, `\`${environmentName(option.name)}\``, cell(option.default), cell(option.description)]
}

function documentTable(schema: Parameters<typeof describeDocument>[0]): string {
  const { members, tolerated } = describeDocument(schema)
  const rows = members.map(({ key, type, required, default: fallback, meaning }) => [
    `\`${key}\`${required ? ' *' : ''}`,
    type,
    fallback === undefined ? '' : `\`${fallback}\``,
    cell(meaning),
  ])
  const keys = tolerated.map((key) => `\`${key}\``).join(', ')
  const note = keys === '' ? '' : `\n\nAccepted for compatibility, without effect: ${keys}.`
  return table(['key', 'type', 'default', 'meaning'], rows) + note
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*')

if (import.meta.main) {
  writeFileSync(`${projectRoot}/docs/reference/configuration.md`, renderConfigurationReference())
}
