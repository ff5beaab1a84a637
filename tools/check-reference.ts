// The references of errors and events name every code and event type that the source knows, and none that it does not.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, projectRoot, reportProblems } from './lib/files.ts'

export type SourceFile = { readonly path: string; readonly text: string }

const SERVER = 'packages/server/src/'
const ERRORS = 'docs/reference/errors.md'
const EVENTS = 'docs/reference/events.md'

/** How a code is written where it is made. Each has the code as its first group. */
const CODE_PATTERNS: readonly RegExp[] = [
  /new ApiRefusal\(\s*\d{3},\s*'(\w+)'/g,
  /new (?:NotFound|Conflict|Invalid|Forbidden)\(\s*'(\w+)'/g,
  /\bsuper\('([a-z]\w*)',/g,
  /\bwire\(\d{3}, '(\w+)'/g,
  /\brefusal\(\d{3}, '(\w+)'/g,
  /\berror: '(\w+)'/g,
  /\bdenied\('(\w+)'/g,
  /\breadonly code = '(\w+)'/g,
  /\bconst [A-Z_]+ = '(federated_\w+)'/g,
]
/** Where codes are members of documents or arguments, in these folders alone. */
const LOCAL_PATTERNS: readonly { readonly under: RegExp; readonly pattern: RegExp }[] = [
  { under: /^(?:config|protocol|cli)\//, pattern: /[{,\s]code: '(\w+)'/g },
  { under: /^(?:config|protocol|cli)\//, pattern: /\brefuse\(.*, '([a-z_]+)'\)/g },
  { under: /^api\/operation\.ts$/, pattern: /\b(?:body|query|path): '(invalid_\w+)'/g },
  {
    under: /^(?:oauth\/(?:exchange|account-use|use-policy)|api\/me\/(?:proxy|recent-proof))/,
    pattern: /\breason: '(\w+)'/g,
  },
]
const UNION =
  /export type (?:FlowErrorCode|ExchangeRefusalCode|RefusalCode|UnavailableReason|ReconnectReason|ImportRefusalCode|PolicyReason) =([^\n]*\n(?:\s+(?:\||\/\*\*|\/\/).*\n)*)/g
const ENGINE_ERROR = /\berrors\.([A-Z]\w+)\(/g

/** The protocol engine answers with these by itself. */
const FROM_ENGINE: ReadonlySet<string> = new Set([
  'consent_required',
  'interaction_required',
  'invalid_dpop_proof',
  'invalid_request_object',
  'invalid_request_uri',
  'login_required',
  'request_not_supported',
  'request_uri_not_supported',
  'unsupported_grant_type',
  'unsupported_response_mode',
  'unsupported_response_type',
  'use_dpop_nonce',
])

/** Written like codes, and seen by nobody. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  address_taken: 'becomes a sentence on the account page',
  custom: 'a kind of issue of the schema library',
  invalid_client_auth: 'becomes invalid_client',
  user_gone: 'becomes user_blocked',
}

/** Every code in the source, with the first file that makes it. */
export function codesOf(files: readonly SourceFile[]): ReadonlyMap<string, string> {
  const codes = new Map<string, string>()
  for (const { path, text } of files) {
    for (const code of codesOfFile(path.slice(SERVER.length), text)) {
      if (!Object.hasOwn(NOT_SHOWN, code) && !codes.has(code)) codes.set(code, path)
    }
  }
  return codes
}

function codesOfFile(path: string, text: string): readonly string[] {
  const local = LOCAL_PATTERNS.filter(({ under }) => under.test(path)).map(({ pattern }) => pattern)
  const direct = [...CODE_PATTERNS, ...local].flatMap((pattern) => firstGroups(text, pattern))
  const members = firstGroups(text, UNION).flatMap((union) => firstGroups(union, /'(\w+)'/g))
  return [...direct, ...members, ...firstGroups(text, ENGINE_ERROR).map(snakeCase)]
}

/** Every event type in the source, with the first file that records it. */
export function eventTypesOf(files: readonly SourceFile[]): ReadonlyMap<string, string> {
  const types = new Map<string, string>()
  for (const { path, text } of files) {
    const lines = text.split('\n').filter((line) => /\btype: |[eE]vent\(/.test(line))
    for (const type of firstGroups(lines.join('\n'), /'([a-z_]+\.[a-z_]+)'/g))
      if (!types.has(type)) types.set(type, path)
  }
  return types
}

/** The names that a document's tables explain: what stands in the first column, as code. */
export const explainedIn = (document: string): ReadonlySet<string> =>
  new Set(firstGroups(document, /^\| `([\w.]+)` \|/gm))

/** Returns one line for each name that the document misses, and each that the source does not know. */
export function findReferenceProblems(
  path: string,
  document: string,
  known: ReadonlyMap<string, string>,
  mayExplain: ReadonlySet<string> = new Set(),
): readonly string[] {
  const explained = explainedIn(document)
  const missing = [...known].filter(([name]) => !explained.has(name))
  const stale = [...explained].filter((name) => !known.has(name) && !mayExplain.has(name))
  return [
    ...missing.map(([name, where]) => `${path} does not explain ${name} (${where})`),
    ...stale.map((name) => `${path} explains ${name}, which no source file makes`),
  ]
}

const firstGroups = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '')

const snakeCase = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

if (import.meta.main) {
  const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
  const files = listFiles()
    .filter((path) => path.startsWith(SERVER) && path.endsWith('.ts'))
    .map((path) => ({ path, text: read(path) }))
  reportProblems('the references name every code and event type', [
    ...findReferenceProblems(ERRORS, read(ERRORS), codesOf(files), FROM_ENGINE),
    ...findReferenceProblems(EVENTS, read(EVENTS), eventTypesOf(files)),
  ])
}
