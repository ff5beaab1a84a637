// What strings of the tenant file may stand for: environment variables, and the server's own address.
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { pointerOf } from './problems.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Path = readonly (string | number)[]

/** `$${NAME}` is the text `${NAME}` itself. */
const VARIABLE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Fills in `${NAME}` in every string value.
 *
 * @throws {ConfigError} naming each variable that is not set, and where it stands.
 */
export function fillEnvironment(document: JsonObject, environment: Environment): JsonObject {
  const missing: ConfigProblem[] = []
  const filled = mapObject(document, [], (text, path) =>
    text.replace(VARIABLE, (whole, escaped: string, name: string) => {
      if (escaped !== '') return whole.slice(1)
      const value = environment[name]
      if (value !== undefined) return value
      const found = `\${${name}}, but no environment variable ${name} is set`
      missing.push({
        code: 'environment_missing',
        pointer: pointerOf(path),
        found,
        expected: `${name} in the environment`,
      })
      return whole
    }),
  )
  const [first, ...others] = missing
  if (first) throw new ConfigError(first, ...others)
  return filled
}

/** Puts the server's own address where `<issuer>` (with its trailing slash) and `<issuer-host>` stand. */
export function fillIssuer(document: JsonObject, issuer: string): JsonObject {
  const { host } = new URL(issuer)
  return mapObject(document, [], (text) => text.replaceAll('<issuer>', issuer).replaceAll('<issuer-host>', host))
}

type Change = (text: string, path: Path) => string

const mapObject = (object: JsonObject, path: Path, change: Change): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, mapValue(value, [...path, key], change)]))

function mapValue(value: JsonValue, path: Path, change: Change): JsonValue {
  if (typeof value === 'string') return change(value, path)
  if (isArray(value)) return value.map((item, index) => mapValue(item, [...path, index], change))
  if (typeof value === 'object' && value !== null) return mapObject(value, path, change)
  return value
}

/** `Array.isArray` does not narrow readonly arrays. */
const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)
