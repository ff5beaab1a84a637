// A use of a connected account that a client's policy wants the person's yes for: what they are shown, and what a yes is for.
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/json.ts'

interface AskedOf {
  /** Name of the connection. */
  readonly connection: string
  readonly accountId: string
  /** What the person calls the account. */
  readonly label: string
  /** How long a yes serves; 0: once. */
  readonly validSeconds: number
}

/** `token`: a token that reaches `scopes` is given out. */
export interface AskedToken extends AskedOf {
  readonly kind: 'token'
  readonly scopes: readonly string[]
}

/** `call`: this one request, to the byte. */
export interface AskedCall extends AskedOf {
  readonly kind: 'call'
  readonly method: string
  /** `https://api.github.com` */
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly body: AskedBody | undefined
}

/** `calls`: every request that the rule means, for as long as a yes serves. Undefined: any. */
export interface AskedCalls extends AskedOf {
  readonly kind: 'calls'
  readonly origin: string
  readonly methods: readonly string[] | undefined
  readonly paths: readonly string[] | undefined
}

export interface AskedBody {
  readonly bytes: number
  readonly type: string
  /** SHA-256. */
  readonly hash: string
  /** Its beginning, when it is text. */
  readonly text: string | undefined
}

export type AskedUse = AskedToken | AskedCall | AskedCalls

/** The time in which the person may answer, and a yes that serves once be used. */
export const USE_QUESTION_SECONDS = 900

/** What a yes is for, as one text to be hashed: another byte makes it another question. */
export const useAsText = (
  { userId, clientId }: { readonly userId: string; readonly clientId: string },
  use: AskedUse,
): string => canonicalJson({ userId, clientId, use: useAsJson(use) })

export const useAsJson = (use: AskedUse): JsonObject => {
  const { connection, accountId, label, validSeconds } = use
  const common = { kind: use.kind, connection, accountId, label, validSeconds }
  switch (use.kind) {
    case 'token':
      return { ...common, scopes: use.scopes.toSorted() }
    case 'call': {
      const { method, origin, path, query, body } = use
      return { ...common, method, origin, path, query, ...(body && { body: bodyAsJson(body) }) }
    }
    case 'calls':
      return { ...common, origin: use.origin, ...listed('methods', use.methods), ...listed('paths', use.paths) }
  }
}

const bodyAsJson = ({ bytes, type, hash, text }: AskedBody): JsonObject => ({
  bytes,
  type,
  hash,
  ...(text === undefined ? {} : { text }),
})

const listed = (name: string, list: readonly string[] | undefined): JsonObject =>
  list === undefined ? {} : { [name]: [...list] }
