// The OpenAPI document of both interfaces, from the schemas that validate their requests.
import { z } from 'zod'
import { sha256Hex } from '../crypto/hashing.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import { MANAGEMENT_BASE } from './management/app.ts'
import { ME_BASE } from './me/app.ts'
import type { Operation } from './operation.ts'

export interface Documented {
  readonly management: readonly Operation[]
  readonly me: readonly Operation[]
}

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function openApiDocument(issuer: string, { management, me }: Documented): JsonObject {
  const components = new Map<string, JsonValue>()
  const paths = new Map<string, Record<string, JsonObject>>()
  for (const [base, operations] of [
    [MANAGEMENT_BASE, management],
    [ME_BASE, me],
  ] as const)
    for (const { spec } of operations) {
      const path = base + spec.path
      paths.set(path, { ...paths.get(path), [spec.method]: describe(spec, components) })
    }
  const scopes = [...new Set([...management, ...me].flatMap(({ spec }) => spec.scopes))].sort()
  const oauth = { tokenUrl: `${issuer}oauth/token`, scopes: Object.fromEntries(scopes.map((scope) => [scope, ''])) }
  return {
    openapi: '3.1.0',
    info: { title: 'Tenon', version: '1', description: 'Management API and My Account API.' },
    servers: [{ url: issuer.replace(/\/$/, '') }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { oauth2: { type: 'oauth2', flows: { clientCredentials: oauth } } },
    },
  }
}

function describe(spec: Operation['spec'], components: Map<string, JsonValue>): JsonObject {
  const schemaOf = (schema: z.ZodType) => jsonSchema(schema, components)
  const content = (schema: z.ZodType) => ({ 'application/json': { schema: schemaOf(schema) } })
  const answers = Object.entries(spec.answers).map(([status, { description, schema }]) => [
    status,
    { description, ...(schema === undefined ? {} : { content: content(schema) }) },
  ])
  const parameters = [...parametersOf('path', spec.params, schemaOf), ...parametersOf('query', spec.query, schemaOf)]
  return {
    summary: spec.summary,
    tags: [spec.tag],
    // Any one of them suffices.
    security: spec.scopes.map((scope) => ({ oauth2: [scope] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(spec.body === undefined ? {} : { requestBody: { required: true, content: content(spec.body) } }),
    responses: Object.fromEntries(answers),
  }
}

function parametersOf(
  place: 'path' | 'query',
  schema: z.ZodType | undefined,
  schemaOf: (schema: z.ZodType) => JsonObject,
): readonly JsonObject[] {
  const { properties = {}, required = [] } = schema === undefined ? {} : schemaOf(schema)
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(isJsonObject(properties) ? properties : {}).map(([name, inner]) => ({
    name,
    in: place,
    required: place === 'path' || needed.has(name),
    schema: inner,
  }))
}

const DEFINITION = '#/$defs/'

/** What a caller may send. Recursive parts become components: a reference starts at the root of the document. */
function jsonSchema(schema: z.ZodType, components: Map<string, JsonValue>): JsonObject {
  const made: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })))
  if (!isJsonObject(made)) return {}
  const { $schema: _, $defs = {}, ...rest } = made
  const definitions = isJsonObject($defs) ? $defs : {}
  const names = new Map(
    Object.entries(definitions).map(([name, inner]) => [name, `part-${sha256Hex(JSON.stringify(inner)).slice(0, 12)}`]),
  )
  for (const [name, inner] of Object.entries(definitions))
    components.set(names.get(name) ?? name, withReferences(inner, names))
  const moved = withReferences(rest, names)
  return isJsonObject(moved) ? moved : {}
}

function withReferences(value: JsonValue, names: ReadonlyMap<string, string>): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  // Narrowing a readonly array needs a hand.
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((inner) => withReferences(inner, names))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, JsonValue]) => {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(DEFINITION))
        return [key, withReferences(inner, names)]
      const name = inner.slice(DEFINITION.length)
      return [key, `#/components/schemas/${names.get(name) ?? name}`]
    }),
  )
}
