// Walks the OpenAPI document: requests that it allows and requests that it does not, for every operation. No answer is a
// fault of ours, each is as the document says, and what is refused has changed nothing.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { managementOperations } from '../../src/api/management/app.ts'
import { meOperations } from '../../src/api/me/app.ts'
import { openApiDocument } from '../../src/api/openapi.ts'
import { isJsonObject, type JsonObject, type JsonValue, stringsOf } from '../../src/lib/json.ts'
import { ISSUER, openWorld, type World } from '../api/world.ts'
import { databases } from '../attacks/databases.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import { type Fingerprint, fingerprintOf, type Seeded, seed } from './openapi-world.ts'
import { valuesOf } from './schema-arbitrary.ts'

const LONG = process.env.TENON_TEST_LONG !== undefined
const RUNS = { sqlite: LONG ? 60 : 8, postgres: LONG ? 15 : 2 } as const

// Only the descriptions are read: the dependencies are not used.
const management = managementOperations({} as Parameters<typeof managementOperations>[0])
const me = meOperations({} as Parameters<typeof meOperations>[0])
const document: JsonObject = openApiDocument(ISSUER, { management, me })

const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
ajv.addSchema({ ...document, $id: 'openapi' })

interface Described {
  readonly path: string
  readonly method: string
  readonly operation: JsonObject
}

const object = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {})

const operations: readonly Described[] = Object.entries(object(document.paths)).flatMap(([path, methods]) =>
  Object.entries(object(methods)).map(([method, operation]) => ({ path, method, operation: object(operation) })),
)

test('the document is whole: ids, scopes, answers and their schemas', () => {
  assert.ok(operations.length > 80)
  const ids = operations.map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const { path, method, operation } of operations) {
    const what = `${method} ${path}`
    assert.ok(Array.isArray(operation.security) && operation.security.length > 0, what)
    for (const name of path.match(/\{\w+\}/g) ?? [])
      assert.ok(
        parametersOf(operation).some((one) => `{${one.name}}` === name),
        `${what}: ${name}`,
      )
    for (const [status, answer] of Object.entries(object(operation.responses)))
      if (status !== '202' && status !== '204') assert.ok(isJsonObject(object(answer).content), `${what}: ${status}`)
    for (const status of ['401', '403', '429']) assert.ok(isJsonObject(object(operation.responses)[status]), what)
  } // Whoever generates a client from it sees these names.
  for (const name of Object.keys(object(object(document.components).schemas))) assert.match(name, /^[A-Z][A-Za-z]+$/)
})

for (const database of databases)
  describe(`requests made out of the OpenAPI document (${database})`, () => {
    let w: World
    let fingerprint: Fingerprint
    before(async () => {
      const home = database === 'postgres' ? await createEmptyDatabase() : newFile()
      w = await openWorld({ database: home, requestsPerMinute: 1_000_000 })
      fingerprint = await fingerprintOf(home.url)
    })
    after(async () => {
      await fingerprint.close()
      await w.close()
    })

    test('every operation answers as it says, and refusals change nothing', async () => {
      const faults: string[] = []
      let seeded = await seed(w)
      let isFresh = true
      for (const described of operations) {
        if (!isFresh) seeded = await seed(w)
        isFresh = described.method === 'get'
        const property = fc.asyncProperty(requestOf(described, seeded), async (request) =>
          check(w, fingerprint, described, seeded, request),
        )
        const details = await fc.check(property, { numRuns: RUNS[database], endOnFailure: true })
        // All of them, so that one run shows everything that is wrong.
        if (details.failed) faults.push(`${details.errorInstance} (seed ${details.seed})`)
      }
      assert.equal(faults.join('\n'), '')
      assert.deepEqual(w.errors, [])
    })
  })

function newFile() {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-openapi-'))
  return { url: `sqlite:${join(folder, 'tenon.db')}`, remove: async () => rmSync(folder, { recursive: true }) }
}

const parametersOf = (operation: JsonObject): readonly JsonObject[] =>
  Array.isArray(operation.parameters) ? operation.parameters.filter(isJsonObject) : []

interface Request {
  readonly route: string
  readonly body: JsonValue | undefined
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: 'weak' | 'none'
  /** It must be refused. */
  readonly isBad: boolean
}

function requestOf({ path, operation }: Described, { seeds, idsUnder }: Seeded): fc.Arbitrary<Request> {
  const place = { root: document, depth: 0 }
  const under = (name: string) => (name === 'id' ? idsUnder(path) : seeds(name))
  const value = (parameter: JsonObject) =>
    valuesOf(parameter.schema, { ...place, seeds: under, name: String(parameter.name) }).map(
      (one) => [parameter, one] as const,
    )
  const all = parametersOf(operation)
  const optional = all.filter(({ required }) => required !== true)
  const chosen = fc
    .subarray(optional, { maxLength: Math.min(3, optional.length) })
    .chain((few) => fc.tuple(...[...all.filter(({ required }) => required === true), ...few].map(value)))
  const schema = object(object(object(object(operation.requestBody).content)['application/json'])).schema
  const body: fc.Arbitrary<JsonValue | undefined> =
    schema === undefined ? fc.constant(undefined) : valuesOf(schema, { ...place, seeds, name: '' })
  const good = fc
    .tuple(chosen, body)
    .map(([parameters, one]): Request => ({ route: routeOf(path, parameters), body: one, isBad: false }))
  return fc
    .tuple(good, fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...faultsFor(schema))))
    .map(([request, fault]) => (fault === undefined ? request : fault(request)))
}

type Fault = (request: Request) => Request

/** What no schema allows. */
function faultsFor(schema: JsonValue | undefined): readonly Fault[] {
  const common: Fault[] = [
    (request) => ({ ...request, token: 'weak', isBad: true }),
    (request) => ({ ...request, token: 'none', isBad: true }),
  ]
  if (schema === undefined) return common
  const isClosed = object(schema).additionalProperties === false
  return [
    ...common,
    (request) => ({ ...request, raw: '{"half":', isBad: true }),
    (request) => ({ ...request, raw: '{"__proto__":{"polluted":true}}', isBad: true }),
    (request) => ({ ...request, headers: { 'content-type': 'text/plain' }, isBad: true }),
    (request) => ({ ...request, body: 'a text', isBad: true }),
    ...(isClosed
      ? [(request: Request) => ({ ...request, body: { ...object(request.body), no_such_member: 1 }, isBad: true })]
      : []),
    ...stringsOf(object(schema).required).map((name) => (request: Request) => {
      const { [name]: _, ...rest } = object(request.body)
      return { ...request, body: rest, isBad: true }
    }),
  ]
}

function routeOf(path: string, parameters: readonly (readonly [JsonObject, JsonValue])[]): string {
  let route = path.replace(/^\/(?:api\/v2|me\/v1)/, '')
  const query = new URLSearchParams()
  for (const [parameter, value] of parameters) {
    const texts = [value].flat().map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
    // An empty part of a path, or one of dots, is another path.
    const part = /^\.{0,2}$/.test(texts[0] ?? '') ? 'x' : encodeURIComponent(texts[0] ?? '')
    if (parameter.in === 'path') route = route.replace(`{${parameter.name}}`, () => part)
    else for (const text of texts) query.append(String(parameter.name), text)
  }
  return query.size === 0 ? route : `${route}?${query}`
}

async function check(
  w: World,
  fingerprint: Fingerprint,
  described: Described,
  seeded: Seeded,
  request: Request,
): Promise<void> {
  const { path, method, operation } = described
  const isMe = path.startsWith('/me/')
  const token = await tokenFor(w, request, isMe ? seeded.userId : undefined)
  const before = await fingerprint.read()
  const send = isMe ? w.me : w.management
  const answer = await send(token, method.toUpperCase(), request.route, request.raw ?? request.body, request.headers)
  const what = `${method} ${request.route} ${request.raw ?? JSON.stringify(request.body)}: ${answer.status} ${answer.text}`
  assert.ok(answer.status < 500, what)
  if (request.isBad) assert.ok(answer.status >= 400, what)
  if (answer.status >= 400) assert.equal(await fingerprint.read(), before, what)
  const declared = object(operation.responses)[String(answer.status)]
  assert.ok(isJsonObject(declared), `not declared: ${what}`)
  const validate = answerSchema(path, method, answer.status, declared)
  if (validate === undefined) return assert.equal(answer.text, '', what)
  assert.ok(validate(answer.json), `${JSON.stringify(validate.errors)}: ${what}`)
}

/** A person's own token is issued anew: what was asked before may have ended the one before. */
async function tokenFor(w: World, { token }: Request, userId: string | undefined): Promise<string | undefined> {
  if (token === 'none') return undefined
  const scopes = token === 'weak' ? ['nothing:at_all'] : undefined
  if (userId === undefined) return w.machineToken(scopes)
  return w.userToken(userId, scopes === undefined ? {} : { scopes })
}

const compiled = new Map<string, ValidateFunction>()

function answerSchema(
  path: string,
  method: string,
  status: number,
  declared: JsonObject,
): ValidateFunction | undefined {
  const [contentType] = Object.keys(object(declared.content))
  if (contentType === undefined) return undefined
  const steps = ['paths', path, method, 'responses', String(status), 'content', contentType, 'schema']
  const pointer = steps
    .map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/')
  const known = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#/${pointer}` })
  compiled.set(pointer, known)
  return known
}
