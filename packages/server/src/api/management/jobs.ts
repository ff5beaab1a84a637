// Jobs: import and export of users (auth0-wire.md §6.4). A job is done when it is answered, for no file is larger than a
// body may be; callers who ask again until it is done hear so at once.
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Context } from 'hono'
import { z } from 'zod'
import { type ImportSummary, importUsers, type RefusedRow } from '../../accounts/import-users.ts'
import { newId, sha256Hex } from '../../crypto/hashing.ts'
import { PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { NotFound } from '../../domain/errors.ts'
import { isJsonObject, isString, type JsonObject } from '../../lib/json.ts'
import { type JsonRow, jsonRows, RowsBroken } from '../../lib/json-rows.ts'
import { toIso } from '../../lib/time.ts'
import { type Caller, type Operation, operation, validate } from '../operation.ts'
import { booleanText } from '../paging.ts'
import { ApiRefusal, insufficientScope, invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { exportUsers } from './export-users.ts'

/** Auth0 keeps them as long. */
const JOB_SECONDS = 86_400
const MAX_ERRORS = 1000

export const jobShape = z.object({ id: z.string(), type: z.string(), status: z.string() }).loose()
const jobParams = z.object({ id: z.string().regex(/^job_[A-Za-z0-9]{16}$/) })
const noJob = { 404: { description: 'inexistent_job' } }

export function jobOperations(deps: ManagementDeps): readonly Operation[] {
  return [startImport(deps), startExport(deps), findJob(deps), listErrors(deps), download(deps)]
}

const startImport = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/jobs/users-imports',
      summary: 'Import users, from an export or in the form of a bulk import',
      tag: 'jobs',
      scopes: ['create:users'],
      accepts: ['multipart'],
      body: z.strictObject({
        users: z.string().min(1),
        connection_id: z.string().min(1).max(64),
        upsert: booleanText.optional(),
        external_id: z.string().max(255).optional(),
        send_completion_email: booleanText.optional(),
      }),
      answers: { 202: { description: 'The job', schema: jobShape }, 400: { description: 'inexistent_connection' } },
    },
    async ({ caller, body }) => {
      const connection = await deps.storage.connections.find(body.connection_id)
      if (connection?.strategy !== PASSWORD_STRATEGY)
        throw new ApiRefusal(400, 'inexistent_connection', 'The connection does not exist, or has no passwords.')
      const { upsert = false } = body
      const errors: JsonObject[] = []
      const onRefused = (refused: RefusedRow) => {
        if (errors.length < MAX_ERRORS) errors.push(serializeRefused(refused))
      }
      const options = { upsert, connection: connection.name, onRefused }
      const summary = await importUsers(deps, await rowsOf(body.users), options)
      const job = await putJob(deps, caller, {
        type: 'users_import',
        connection_id: connection.id,
        connection: connection.name,
        upsert,
        ...(body.external_id === undefined ? {} : { external_id: body.external_id }),
        summary: serializeSummary(summary),
        errors,
      })
      return { status: 202, body: job }
    },
  )

const startExport = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/jobs/users-exports',
      summary: 'Export users; `location` of the job is where they are',
      tag: 'jobs',
      scopes: ['read:users'],
      body: z.strictObject({
        connection_id: z.string().min(1).max(64).optional(),
        format: z.enum(['json']).optional(),
        limit: z.int().min(1).optional(),
        fields: z
          .array(z.strictObject({ name: z.string().min(1).max(255), export_as: z.string().min(1).max(255).optional() }))
          .max(100)
          .optional(),
      }),
      answers: { 200: { description: 'The job', schema: jobShape }, 400: { description: 'inexistent_connection' } },
    },
    async ({ caller, body }) => {
      const id = body.connection_id
      const connection = id === undefined ? undefined : await deps.storage.connections.find(id)
      if (id !== undefined && connection === undefined)
        throw new ApiRefusal(400, 'inexistent_connection', 'The connection does not exist.')
      const job = await putJob(deps, caller, {
        type: 'users_export',
        format: 'json',
        ...(connection === undefined ? {} : { connection_id: connection.id, connection: connection.name }),
        ...(body.limit === undefined ? {} : { limit: body.limit }),
        ...(body.fields === undefined
          ? {}
          : { fields: body.fields.map(({ name, export_as = name }) => ({ name, export_as })) }),
      })
      return { status: 200, body: job }
    },
  )

const findJob = (deps: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/jobs/{id}',
      summary: 'One job',
      tag: 'jobs',
      scopes: ['create:users', 'read:users'],
      params: jobParams,
      answers: { 200: { description: 'The job', schema: jobShape }, ...noJob },
    },
    async ({ params }) => ({ status: 200, body: serializeJob(deps, await getJob(deps, params.id)) }),
  )

const listErrors = (deps: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/jobs/{id}/errors',
      summary: 'Rows of an import that were refused, and why',
      tag: 'jobs',
      scopes: ['create:users', 'read:users'],
      params: jobParams,
      answers: {
        200: { description: 'Refused rows', schema: z.array(z.object({}).loose()) },
        204: { description: 'None' },
        ...noJob,
      },
    },
    async ({ params }) => {
      const { errors } = await getJob(deps, params.id)
      return Array.isArray(errors) && errors.length > 0 ? { status: 200, body: errors } : { status: 204 }
    },
  )

/** Streams, so that it is no `operation`, whose answers are one JSON document. */
const download = (deps: ManagementDeps): Operation => ({
  spec: {
    method: 'get',
    path: '/jobs/{id}/users',
    summary: 'The users of an export: a gzip file with a line of JSON for each',
    tag: 'jobs',
    scopes: ['read:users'],
    params: jobParams,
    answers: { 200: { description: 'A gzip file', mediaType: 'application/gzip' }, ...noJob },
  },
  async serve(context: Context, caller: Caller) {
    if (!caller.scopes.has('read:users')) throw insufficientScope(['read:users'])
    const { id } = validate(jobParams, context.req.param(), 'path')
    const job = await getJob(deps, id)
    if (job.type !== 'users_export') throw inexistentJob()
    const file = Readable.from(linesOf(deps, job)).pipe(createGzip())
    // Both streams carry bytes; the types of node and of the web differ in what they are called.
    return new Response(Readable.toWeb(file) as ReadableStream<Uint8Array>, {
      headers: {
        'content-type': 'application/gzip',
        'content-disposition': `attachment; filename="${id}.json.gz"`,
        'cache-control': 'no-store',
      },
    })
  },
})

async function* linesOf({ storage }: ManagementDeps, job: JsonObject): AsyncGenerator<string> {
  const fields = Array.isArray(job.fields) ? job.fields.filter(isJsonObject) : undefined
  let left = typeof job.limit === 'number' ? job.limit : Number.POSITIVE_INFINITY
  for await (const user of exportUsers(storage, {
    connection: isString(job.connection) ? job.connection : undefined,
  })) {
    if (left-- <= 0) return
    yield `${JSON.stringify(fields === undefined ? user : selected(user, fields))}\n`
  }
}

/** `user_metadata.theme` and `identities[0].connection` name members inside. */
function selected(user: JsonObject, fields: readonly JsonObject[]): JsonObject {
  return Object.fromEntries(
    fields.flatMap(({ name, export_as: as }) => {
      const value = isString(name) ? memberAt(user, name) : undefined
      return value === undefined || !isString(as) ? [] : [[as, value]]
    }),
  )
}

function memberAt(root: JsonObject, path: string) {
  let value: JsonObject[string] | undefined = root
  for (const step of path.replaceAll(/\[(\d+)\]/g, '.$1').split('.')) {
    if (Array.isArray(value)) value = value[Number(step)]
    else if (isJsonObject(value)) value = Object.hasOwn(value, step) ? value[step] : undefined
    else return undefined
  }
  return value
}

export async function putJob(deps: ManagementDeps, { clientId }: Caller, members: JsonObject): Promise<JsonObject> {
  const { storage, clock } = deps
  const at = clock()
  const id = newId('job_', 16)
  const payload = { id, status: 'completed', created_at: toIso(at), ...members }
  await storage.transaction(async (tx) => {
    const { type, summary = null } = members
    await tx.events.append({
      type: 'job.completed',
      at,
      outcome: 'ok',
      clientId,
      data: { job: id, kind: type ?? null, summary },
    })
    await tx.artifacts.put({
      kind: 'Job',
      idHash: sha256Hex(id),
      uid: undefined,
      grantId: undefined,
      userId: undefined,
      clientId,
      payload,
      createdAt: at,
      expiresAt: at + JOB_SECONDS,
      consumedAt: undefined,
      successorEnvelope: undefined,
      identityKey: undefined,
    })
  })
  return serializeJob(deps, payload)
}

async function getJob({ storage, clock }: ManagementDeps, id: string): Promise<JsonObject> {
  const job = await storage.artifacts.find('Job', sha256Hex(id))
  if (job === undefined || job.expiresAt <= clock()) throw inexistentJob()
  return job.payload
}

const inexistentJob = () => new NotFound('inexistent_job', 'The job does not exist.')

/** The rows that were refused have their own path. */
function serializeJob({ issuer }: ManagementDeps, { errors: _, ...job }: JsonObject): JsonObject {
  return job.type === 'users_export' ? { ...job, location: `${issuer}api/v2/jobs/${job.id}/users` } : job
}

const serializeSummary = ({ total, inserted, updated, refused }: ImportSummary): JsonObject => ({
  total,
  inserted,
  updated,
  failed: refused,
})

/** Names the row by what names its user; its hash, and whatever else it holds, goes nowhere. */
function serializeRefused({ row, fault }: RefusedRow): JsonObject {
  return {
    line: row.line,
    user: nameOf(row.text),
    errors: [{ code: fault.code, path: fault.field, message: `The row is refused: ${fault.code}.` }],
  }
}

function nameOf(text: string): JsonObject {
  try {
    const row: unknown = JSON.parse(text)
    if (!isJsonObject(row)) return {}
    return Object.fromEntries(
      (['user_id', 'email'] as const).flatMap((name) => (isString(row[name]) ? [[name, row[name].slice(0, 320)]] : [])),
    )
  } catch {
    return {}
  }
}

/** All of them, before any is taken in: a file that breaks off changes nothing. */
async function rowsOf(text: string): Promise<readonly JsonRow[]> {
  try {
    return await Array.fromAsync(jsonRows([text]))
  } catch (error) {
    if (error instanceof RowsBroken) throw invalidBody(`The users cannot be read: ${error.message}.`, '/users')
    throw error
  }
}
