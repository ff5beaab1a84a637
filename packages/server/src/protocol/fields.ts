// Building blocks of the wire documents. Every member is optional unless its document says otherwise; its default and
// its meaning stand in its metadata, from which the reference, the OpenAPI document and `withDefaults` read them.
import { z } from 'zod'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'

interface Meaning {
  readonly description: string
  /** What holds when the member is absent. Left out when that depends on other members. */
  readonly default?: JsonValue
}

/** An optional member with its meaning. */
export function member<T extends z.ZodType>(schema: T, description: string, fallback?: JsonValue) {
  const meaning: Meaning = fallback === undefined ? { description } : { description, default: fallback }
  return schema.optional().meta({ ...meaning })
}

/** Any JSON. Not zod's own, which has no name: that is what documents of the interface call it. */
export const json: z.ZodType<JsonValue> = z
  .lazy(() => z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]))
  .meta({ id: 'JsonValue' })

/** A member that Auth0's documents hold and that has no effect here; taken so that exported documents can be applied. */
export const tolerated = (schema: z.ZodType = json) => schema.optional().meta({ description: TOLERATED })

const TOLERATED = 'Accepted for compatibility; has no effect.'

export const isTolerated = (field: z.core.$ZodType): boolean => descriptionOf(field) === TOLERATED

export const flag = () => z.boolean()
export const text = (max = 1024) => z.string().min(1).max(max)
export const wholeSeconds = (min = 0) => z.int().min(min).max(3_153_600_000)
export const scopeValue = () =>
  z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,280}$/, { error: 'a scope: printable ASCII without spaces, " and \\' })
export const scopes = () => z.array(scopeValue()).max(1000)

/** `a b c`, or the same as an array: upstream options take both. */
export const scopeText = () =>
  z.union([z.string().max(4096), z.array(text(280)).max(200)], { error: 'a string or an array of strings' })

export const metadata = () => z.record(z.string().max(255), json)

/** Metadata of a client or connection: ten short strings, like Auth0's. */
export const shortMetadata = () =>
  z.record(z.string().max(255), z.string().max(255)).refine((map) => Object.keys(map).length <= 10, {
    error: 'at most 10 members',
  })

export const jsonObject = () => z.record(z.string(), json)

/** Reads a URL, or `undefined` when the text is none. */
export const readUrl = (value: string): URL | undefined => URL.parse(value) ?? undefined

/** A web URL of another party: `https`, or `http` where the network rules of the deployment allow that. */
export const webUrl = () =>
  z.string().refine(
    (value) => {
      const url = readUrl(value)
      return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    },
    { error: 'a URL that begins with https:// (or http://), without credentials' },
  )

export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)

/** The origin of a page: scheme, host and port, nothing behind. */
export const origin = () =>
  z.string().refine(
    (value) => {
      const url = readUrl(value)
      if (!url || value.includes('*') || url.origin !== value) return false
      return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
    },
    { error: 'an origin such as https://app.example.com, http only on loopback, without path or wildcard' },
  )

interface RedirectRules {
  readonly native: boolean
  readonly dangerouslyAllowHttp: boolean
}

/**
 * What is wrong with a redirect URI, or `undefined`. They are compared exactly (RFC 9700 §2.1), so that a wildcard has no
 * meaning; a private-use scheme is a reversed domain name and thus holds a dot (RFC 8252 §7.1).
 */
export function redirectUriFault(value: string, rules: RedirectRules): string | undefined {
  const url = readUrl(value)
  if (!url) return 'an absolute URI'
  if (value.includes('#')) return 'a URI without a fragment'
  if (value.includes('*')) return 'a URI without a wildcard'
  if (/[\s\\]/.test(value)) return 'a URI without spaces and backslashes'
  if (url.username !== '' || url.password !== '') return 'a URI without credentials'
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:') {
    if (isLoopbackHost(url.hostname) || rules.dangerouslyAllowHttp) return undefined
    return 'https, or http on loopback (dangerously_allow_http_redirects lifts this)'
  }
  if (rules.native && url.protocol.includes('.')) return undefined
  return 'https, http on loopback, or for native apps a private-use scheme such as com.example.app:'
}

/** A redirect target that belongs to no single client. */
export const redirectUri = () =>
  z
    .string()
    .max(2048)
    .superRefine((value, context) => {
      const message = redirectUriFault(value, { native: true, dangerouslyAllowHttp: false })
      if (message) context.addIssue({ code: 'custom', message })
    })

/** A document with the defaults of its schema where it has no word of its own, recursively. */
export function withDefaults(schema: z.ZodObject, document: JsonObject): JsonObject {
  const filled = Object.entries(schema.shape).flatMap(([key, field]) => {
    const value = fill(field, document[key])
    return value === undefined ? [] : [[key, value] as const]
  })
  return { ...document, ...Object.fromEntries(filled) }
}

function fill(field: z.core.$ZodType, value: JsonValue | undefined): JsonValue | undefined {
  const inner = objectIn(field)
  if (inner && (value === undefined || isJsonObject(value))) {
    const filled = withDefaults(inner, value ?? {})
    return value === undefined && Object.keys(filled).length === 0 ? undefined : filled
  }
  return value ?? defaultOf(field)
}

/** The strict object that an optional member holds, if it holds one. */
export function objectIn(field: z.core.$ZodType): z.ZodObject | undefined {
  if (field instanceof z.ZodOptional) return objectIn(field.def.innerType)
  return field instanceof z.ZodObject ? field : undefined
}

/** The default in a member's metadata. */
export function defaultOf(field: z.core.$ZodType): JsonValue | undefined {
  const found = z.globalRegistry.get(field)?.default
  // Written by `member` alone, whose parameter has this type.
  return found as JsonValue | undefined
}

export const descriptionOf = (field: z.core.$ZodType): string => z.globalRegistry.get(field)?.description ?? ''

/** Every member of a schema made nullable, for PATCH bodies, where `null` removes it. */
export function patchOf(shape: z.core.$ZodShape): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, z.nullable(optionalOf(field))])),
  )
}

const optionalOf = (field: z.core.$ZodType): z.core.$ZodType =>
  field instanceof z.ZodOptional ? field : z.optional(field)
