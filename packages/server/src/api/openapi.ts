// The OpenAPI document of both interfaces, from the schemas that validate their requests.
import { z } from 'zod'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import { MANAGEMENT_BASE } from './management/app.ts'
import { ME_BASE } from './me/face.ts'
import type { Operation } from './operation.ts'
import type { MediaType } from './request-body.ts'

export interface Documented {
  readonly management: readonly Operation[]
  readonly me: readonly Operation[]
  /** Paths that are no operations, in the document's own words, given the reference to what `/me/v1` refuses with. */
  readonly more?: (refusal: string) => JsonObject
}

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function openApiDocument(issuer: string, { management, me, more }: Documented): JsonObject {
  const components = new Map<string, JsonValue>()
  const paths = new Map<string, Record<string, JsonObject>>()
  for (const { base, operations, refusal } of [
    { base: MANAGEMENT_BASE, operations: management, refusal: MANAGEMENT_REFUSAL },
    { base: ME_BASE, operations: me, refusal: ME_REFUSAL },
  ]) {
    components.set(refusal.name, jsonSchema(refusal.schema, 'output', components))
    for (const { spec } of operations) {
      const path = base + spec.path
      paths.set(path, { ...paths.get(path), [spec.method]: describe(spec, { base, refusal, components }) })
    }
  }
  const scopes = [...new Set([...management, ...me].flatMap(({ spec }) => spec.scopes))].sort()
  const oauth = { tokenUrl: `${issuer}oauth/token`, scopes: Object.fromEntries(scopes.map((scope) => [scope, ''])) }
  const tags = [...new Set([...management, ...me].map(({ spec }) => spec.tag))].sort()
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tenon',
      version: '1',
      description: 'Management API and My Account API. Any one of the scopes of an operation suffices.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: issuer.replace(/\/$/, '') }],
    tags: tags.map((name) => ({ name })),
    paths: { ...Object.fromEntries(paths), ...more?.(`#/components/schemas/${ME_REFUSAL.name}`) },
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: { oauth2: { type: 'oauth2', flows: { clientCredentials: oauth } } },
    },
  }
}

/** What an interface answers when it refuses: one shape for all (docs/reference/errors.md has the codes). */
interface RefusalShape {
  readonly name: string
  readonly contentType: string
  readonly schema: z.ZodType
}

const MANAGEMENT_REFUSAL: RefusalShape = {
  name: 'Refusal',
  contentType: 'application/json',
  schema: z
    .object({
      statusCode: z.int(),
      error: z.string(),
      message: z.string(),
      errorCode: z.string().optional().meta({ description: 'Stable; a 401 has none.' }),
    })
    .loose(),
}

const ME_REFUSAL: RefusalShape = {
  name: 'Problem',
  contentType: 'application/problem+json',
  schema: z
    .object({
      type: z.string(),
      title: z.string(),
      detail: z.string(),
      status: z.int(),
      code: z.string().meta({ description: 'Stable.' }),
      reason: z.string().optional(),
      validation_errors: z
        .array(
          z.object({
            detail: z.string(),
            source: z.string(),
            pointer: z.string().optional(),
            field: z.string().optional(),
          }),
        )
        .optional(),
    })
    .loose(),
}

interface Surroundings {
  readonly base: string
  readonly refusal: RefusalShape
  readonly components: Map<string, JsonValue>
}

function describe(spec: Operation['spec'], { base, refusal, components }: Surroundings): JsonObject {
  const inputOf = (schema: z.ZodType) => jsonSchema(schema, 'input', components)
  const answers = Object.entries(spec.answers).map(([status, { description, schema, mediaType }]) => {
    if (Number(status) >= 400) return [status, refusalAnswer(description, refusal)] as const
    if (mediaType !== undefined) return [status, { description, content: { [mediaType]: {} } }] as const
    if (schema === undefined) return [status, { description }] as const
    const content = { 'application/json': { schema: jsonSchema(schema, 'output', components) } }
    return [status, { description, content }] as const
  })
  const parameters = [...parametersOf('path', spec.params, inputOf), ...parametersOf('query', spec.query, inputOf)]
  const common = commonRefusals(spec).map(([status, description]) => [status, refusalAnswer(description, refusal)])
  return {
    operationId: operationId(base, spec),
    summary: spec.summary,
    tags: [spec.tag],
    // Any one of them suffices.
    security: spec.scopes.map((scope) => ({ oauth2: [scope] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(spec.body === undefined ? {} : { requestBody: requestBody(spec, inputOf(spec.body)) }),
    responses: { ...Object.fromEntries(common), ...Object.fromEntries(answers) },
  }
}

/** `get /users/{id}/links` is `get_users_id_links`. */
const operationId = (base: string, { method, path }: Operation['spec']): string =>
  [base === ME_BASE ? 'me' : '', method, ...path.split(/[^\w]+/)]
    .filter((part) => part !== '')
    .join('_')
    .replaceAll('-', '_')

const MEDIA_TYPES: Readonly<Record<MediaType, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
}

/** An absent body is an empty object, so that only schemas that take none of it need one. */
function requestBody({ body, accepts = ['json'] }: Operation['spec'], schema: JsonObject): JsonObject {
  return {
    required: body?.safeParse({}).success !== true,
    content: Object.fromEntries(accepts.map((type) => [MEDIA_TYPES[type], { schema }])),
  }
}

/** What any operation may answer, whatever it does. */
function commonRefusals({ params, query, body }: Operation['spec']): readonly (readonly [string, string])[] {
  const takes = params !== undefined || query !== undefined || body !== undefined
  return [
    ...(takes ? [['400', 'The request breaks the schema, or has no meaning'] as const] : []),
    ['401', 'No token, or none for this interface'],
    ['403', 'insufficient_scope, or the caller may not'],
    ...(body === undefined ? [] : [['413', 'payload_too_large'] as const, ['415', 'unsupported_media_type'] as const]),
    ['429', 'too_many_requests, with `retry-after`'],
  ]
}

const refusalAnswer = (description: string, { name, contentType }: RefusalShape): JsonObject => ({
  description,
  content: { [contentType]: { schema: { $ref: `#/components/schemas/${name}` } } },
})

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

/** What a caller may send, or gets. Recursive parts become components: a reference starts at the root of the document. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Map<string, JsonValue>): JsonObject {
  const made: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' })))
  if (!isJsonObject(made)) return {}
  const { $schema: _, $defs = {}, ...rest } = made
  const definitions = isJsonObject($defs) ? $defs : {}
  for (const [name, inner] of Object.entries(definitions)) components.set(name, withReferences(inner))
  const moved = withReferences(rest)
  return isJsonObject(moved) ? moved : {}
}

function withReferences(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  // Narrowing a readonly array needs a hand.
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((inner) => withReferences(inner))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, JsonValue]) => {
      if (key !== '$ref' || typeof inner !== 'string' || !inner.startsWith(DEFINITION))
        return [key, withReferences(inner)]
      return [key, `#/components/schemas/${inner.slice(DEFINITION.length)}`]
    }),
  )
}
