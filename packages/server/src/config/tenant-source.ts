// The tenant file on its way in: read, environment filled in, checked.
import { readFileSync } from 'node:fs'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { ConfigError, type ConfigProblem } from '../protocol/config-error.ts'
import { fillEnvironment } from '../protocol/substitution.ts'
import { parseTenantFile, type TenantFile } from '../protocol/tenant-file.ts'
import type { Environment } from './command-line.ts'
import type { TenantSource } from './server-config.ts'
import { refuse } from './values.ts'

interface Input {
  readonly path: string
  readonly where: string
  readonly environment: Environment
  /** The configured issuer, or a stand-in for the one that is known after binding. */
  readonly issuer: string
}

/** @throws {ConfigError} the file cannot be read, is no JSON, or holds what no tenant holds. */
export function readTenantSource({ path, where, environment, issuer }: Input): TenantSource {
  const written = parseJson(readText(path, where), path)
  if (!isJsonObject(written)) return refuse('', 'no object', 'an object with settings, clients, …', 'wrong_type')
  const source = { path, document: fillEnvironment(written, environment) }
  try {
    tenantFor(source, issuer)
  } catch (error) {
    throw error instanceof ConfigError ? withoutVariables(error, written) : error
  }
  return source
}

/** The tenant file for this issuer. */
export const tenantFor = (source: TenantSource, issuer: string): TenantFile => parseTenantFile(source.document, issuer)

function readText(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return refuse(where, `${JSON.stringify(path)}, which cannot be read (${code})`, 'a readable file', 'unreadable')
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const found = message.includes('twice')
      ? `text in which ${message}`
      : `text that is no JSON (${placeOf(message, text)})`
    return refuse(`tenant file ${path}`, found, 'JSON', 'syntax')
  }
}

/** Where the fault is; the parser's own message quotes the text, which may hold secrets. */
function placeOf(message: string, text: string): string {
  const named = /line \d+ column \d+/.exec(message)?.[0]
  if (named) return named
  if (!isUnexpectedToken(message)) return 'it ends too early'
  // The parser names no place for these. They come as soon as the text reaches the bad token, and not before.
  let [low, high] = [0, text.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isUnexpectedToken(faultOf(text.slice(0, middle)))) high = middle
    else low = middle + 1
  }
  const before = text.slice(0, Math.max(0, low - 1)).split('\n')
  return `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`
}

const isUnexpectedToken = (message: string) => message.startsWith('Unexpected token')

function faultOf(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

/** What came from the environment may be a secret wherever it stands: it is named, not shown. */
function withoutVariables(error: ConfigError, written: JsonObject): ConfigError {
  const [first = error, ...others] = error.problems.map((problem): ConfigProblem => {
    const value = valueAt(written, problem.pointer)
    return typeof value === 'string' && value.includes('${')
      ? { ...problem, found: `what ${value} stands for` }
      : problem
  })
  return new ConfigError(first, ...others)
}

const valueAt = (document: JsonObject, pointer: string): JsonValue | undefined =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<JsonValue | undefined>(
      // Arrays answer to their indices as objects do to their keys.
      (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
      document,
    )
