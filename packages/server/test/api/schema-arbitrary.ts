// Values that a JSON Schema allows, as the OpenAPI document writes them; ids of things that exist where a member names one.
import fc from 'fast-check'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../../src/lib/json.ts'

/** Values worth trying for a member of that name. */
export type Seeds = (name: string) => readonly string[]

interface Place {
  readonly root: JsonObject
  readonly seeds: Seeds
  readonly name: string
  readonly depth: number
}

const MAX_DEPTH = 4

export function valuesOf(schema: JsonValue | undefined, place: Place): fc.Arbitrary<JsonValue> {
  if (!isJsonObject(schema)) return anything
  const inner: Place = { ...place, depth: place.depth + 1 }
  if (isString(schema.$ref)) return valuesOf(resolve(place.root, schema.$ref), inner)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as JsonValue[]))
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices)) {
    const usable = place.depth > MAX_DEPTH ? choices.slice(0, 1) : choices
    return fc.oneof(...usable.map((one: JsonValue) => valuesOf(one, inner)))
  }
  if (Array.isArray(schema.allOf)) return valuesOf(Object.assign({}, ...schema.allOf), inner)
  switch (schema.type) {
    case 'string':
      return texts(schema, place)
    case 'integer':
      return fc.integer(bounds(schema))
    case 'number':
      return fc.integer(bounds(schema))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(valuesOf(schema.items, inner), {
        minLength: sizeOf(schema.minItems, 0),
        maxLength: Math.max(sizeOf(schema.minItems, 0), Math.min(sizeOf(schema.maxItems, 2), 2)),
      })
    case 'object':
      return objects(schema, inner)
    default:
      return anything
  }
}

const anything: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue>('x', 1, true, null, [], { a: 1 })

const sizeOf = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback)

const bounds = (schema: JsonObject) => {
  const min = Math.max(sizeOf(schema.minimum, -5), -1000)
  const above = typeof schema.exclusiveMinimum === 'number' ? schema.exclusiveMinimum + 1 : min
  const low = Math.max(min, above)
  return { min: low, max: Math.max(low, Math.min(sizeOf(schema.maximum, 1000), 100_000)) }
}

function texts(schema: JsonObject, { seeds, name }: Place): fc.Arbitrary<string> {
  const known = seeds(name)
  const free = freeText(schema)
  return known.length === 0 ? free : fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, free)
}

function freeText(schema: JsonObject): fc.Arbitrary<string> {
  const minLength = sizeOf(schema.minLength, 0)
  const maxLength = Math.max(minLength, Math.min(sizeOf(schema.maxLength, 24), 24))
  if (schema.format === 'date-time') return fc.constantFrom('2030-01-01T00:00:00Z', '2020-02-29T12:00:00.5Z')
  if (schema.format === 'email') return fc.constantFrom('someone@example.test', 'other@example.test')
  const pattern = isString(schema.pattern) ? patternText(schema.pattern) : undefined
  const plain = fc.string({ unit: 'grapheme', minLength, maxLength })
  const likely = fc.constantFrom('https://app.test/cb', 'https://app.test', 'openid', '2027-01-01', '5', 'true')
  return pattern ?? fc.oneof(plain, likely)
}

function patternText(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern), { maxLength: 60 })
  } catch {
    // Not every expression can be turned round.
    return undefined
  }
}

function objects(schema: JsonObject, place: Place): fc.Arbitrary<JsonObject> {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const required = stringsOf(schema.required)
  const members = Object.entries(properties).map(
    ([name, inner]) => [name, valuesOf(inner, { ...place, name })] as const,
  )
  // Few members at once: with all of them, nearly everything would clash with something.
  const optional = members.filter(([name]) => !required.includes(name))
  const few = fc.subarray(optional, { maxLength: Math.min(place.depth > MAX_DEPTH ? 0 : 3, optional.length) })
  const chosen = place.depth > 1 ? few : fc.oneof({ weight: 3, arbitrary: few }, fc.subarray(optional))
  const named = chosen.chain((more) =>
    fc.record(Object.fromEntries([...members.filter(([name]) => required.includes(name)), ...more])),
  )
  if (!isJsonObject(schema.additionalProperties)) return named
  const others = fc.dictionary(fc.constantFrom('plan', 'note', 'a b'), valuesOf(schema.additionalProperties, place), {
    maxKeys: 2,
  })
  return fc.tuple(named, others).map(([one, other]) => ({ ...other, ...one }))
}

/** `#/components/schemas/name`. */
function resolve(root: JsonObject, reference: string): JsonValue | undefined {
  let at: JsonValue | undefined = root
  for (const step of reference.split('/').slice(1)) at = isJsonObject(at) ? at[step] : undefined
  return at
}
