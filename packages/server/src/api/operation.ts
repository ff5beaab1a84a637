// One operation of a JSON interface as data: who may call it, what it takes, what it gives. Everything that every
// operation needs (authentication, scopes, validation) happens here, so that none can forget it.
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { isCleanText } from '../lib/harmless-json.ts'
import type { JsonValue } from '../lib/json.ts'
import type { VerifiedAccess } from '../oauth/access-tokens.ts'
import { ApiRefusal, type FieldFault, insufficientScope } from './refusal.ts'
import { type MediaType, readBody } from './request-body.ts'

export interface OperationSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: 'get' | 'post' | 'patch' | 'put' | 'delete'
  /** Below the interface's base, OpenAPI style: `/users/{id}`. */
  readonly path: string
  readonly summary: string
  readonly tag: string
  /** Any one of them suffices; `*:current_user*` scopes reach the caller's own record only. */
  readonly scopes: readonly string[]
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Media types of the body; JSON alone when absent. */
  readonly accepts?: readonly MediaType[]
  readonly answers: Readonly<Record<number, AnswerSpec>>
}

export interface AnswerSpec {
  readonly description: string
  readonly schema?: z.ZodType
  /** Of an answer that is no JSON. */
  readonly mediaType?: string
}

export interface OperationInput<P, Q, B> {
  readonly caller: Caller
  readonly params: P
  readonly query: Q
  readonly body: B
}

/** A verified access token with the scopes that count on this interface. */
export interface Caller extends VerifiedAccess {
  readonly scopes: ReadonlySet<string>
}

export interface Answer {
  readonly status: ContentfulStatusCode | 204
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Operation {
  /** What the OpenAPI document is made of, too. */
  readonly spec: OperationSpec<z.ZodType, z.ZodType, z.ZodType>
  /** Serves one request of an authenticated caller. */
  serve(context: Context, caller: Caller): Promise<Response>
}

const NOTHING = z.object({})

/**
 * Makes an operation out of its description and what it does.
 *
 * Refusals come in this order: scope (403), path, query and body (400, 413, 415), then whatever `handle` finds.
 */
export function operation<
  P extends z.ZodType = typeof NOTHING,
  Q extends z.ZodType = typeof NOTHING,
  B extends z.ZodType = z.ZodUndefined,
>(
  spec: OperationSpec<P, Q, B>,
  handle: (input: OperationInput<z.infer<P>, z.infer<Q>, z.infer<B>>) => Promise<Answer>,
): Operation {
  return {
    spec,
    async serve(context, caller) {
      if (!spec.scopes.some((scope) => caller.scopes.has(scope))) throw insufficientScope(spec.scopes)
      // The schemas are those of the type parameters; the casts restore what `undefined` stands for.
      const params = validate((spec.params ?? NOTHING) as P, pathOf(context), 'path')
      const query = validate((spec.query ?? NOTHING) as Q, queryOf(context), 'query')
      const body = (spec.body === undefined ? undefined : await bodyOf(spec.body, context, spec.accepts)) as z.infer<B>
      return respond(await handle({ caller, params, query, body }))
    },
  }
}

function pathOf(context: Context): Record<string, string> {
  const params: Record<string, string> = context.req.param()
  for (const value of Object.values(params)) if (!isCleanText(value)) throw faulty('path', [])
  return params
}

/** Parameters by name; one that is repeated is an array, which only schemas that expect it take. */
function queryOf(context: Context): Record<string, string | string[]> {
  const query = new Map<string, string | string[]>()
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (!values.every(isCleanText)) throw faulty('query', [])
    const [first = ''] = values
    query.set(name, values.length > 1 ? values : first)
  }
  return Object.fromEntries(query)
}

async function bodyOf<B extends z.ZodType>(
  schema: B,
  context: Context,
  accepts: readonly MediaType[] = ['json'],
): Promise<z.infer<B>> {
  const body: JsonValue | undefined = await readBody(context.req.raw, accepts)
  return validate(schema, body ?? {}, 'body')
}

/** @throws {ApiRefusal} 400 with every fault. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, where: FieldFault['in']): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw faulty(where, parsed.error.issues)
}

const CODES = { body: 'invalid_body', query: 'invalid_query_string', path: 'invalid_uri' } as const
const NAMES = { body: 'Payload', query: 'Query', path: 'Path' } as const
const MAX_FAULTS = 20

function faulty(where: FieldFault['in'], issues: readonly z.core.$ZodIssue[]): ApiRefusal {
  const faults = issues.slice(0, MAX_FAULTS).map((issue) => faultOf(issue, where))
  const [first] = faults
  const subject = first === undefined ? 'characters that no text has' : first.detail
  const place = first === undefined || first.pointer === '' ? '' : ` on property ${first.pointer}`
  return new ApiRefusal(400, CODES[where], `${NAMES[where]} validation error: '${subject}'${place}.`, { faults })
}

function faultOf(issue: z.core.$ZodIssue, where: FieldFault['in']): FieldFault {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const pointer = pointerOf([...path, ...issue.keys.slice(0, 1)])
    return { pointer, detail: 'Additional properties not allowed', in: where }
  }
  return { pointer: pointerOf(path), detail: issue.message, in: where }
}

/** RFC 6901. */
const pointerOf = (path: readonly string[]): string =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function respond({ status, body, headers = {} }: Answer): Response {
  const common = { 'cache-control': 'no-store', ...headers }
  if (body === undefined) return new Response(null, { status, headers: common })
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...common },
  })
}
