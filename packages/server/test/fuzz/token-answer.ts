// Answers of token endpoints, as providers' worst days make them, read under every provider's profile (threats T-NET-02).
import assert from 'node:assert/strict'
import type { TokenSet } from '../../src/domain/tokenset.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { CATALOGUE } from '../../src/upstream/registry.ts'
import type { SafeAnswer, SafeFetch } from '../../src/upstream/safe-fetch.ts'
import { mutated, randomFrom } from './mutate.ts'
import type { Target } from './target.ts'

const HONEST = [
  '{"access_token":"at-1","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-2","scope":"read write"}',
  '{"ok":true,"authed_user":{"id":"U1","access_token":"xoxp-1","token_type":"user","expires_in":43200,"scope":"a,b"}}',
  '{"access_token":"at-1","scope":["a","b"],"expires_in":"3600","refresh_expires_in":0,"id_token":null}',
  '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}',
  '{"ok":false,"error":"invalid_refresh_token"}',
  'access_token=at-1&expires_in=28800&refresh_token=rt-2&scope=repo%2Cuser&token_type=bearer',
  'error=bad_refresh_token&error_description=gone',
]
const PIECES = [
  '"access_token":',
  '"expires_in":1e999',
  '-1',
  '9'.repeat(400),
  '[['.repeat(500),
  '{"a":'.repeat(500),
  '"__proto__":{"access_token":"x"}',
  '\\u0000',
  '\\ud800',
  '\u2028',
  '%00',
  '%ZZ',
  '&access_token=other',
  'null',
  '<html>',
  '\ufeff',
]
const TYPES = ['application/json', 'application/x-www-form-urlencoded', 'text/html', 'application/json; charset=x', '']
const HOST = 'https://up.example.test'
const PLACES = {
  issuer: HOST,
  authorization: `${HOST}/authorize`,
  token: `${HOST}/token`,
  userinfo: `${HOST}/me`,
  jwks: `${HOST}/jwks`,
}
const STATUSES = [200, 200, 200, 201, 400, 401, 403, 429, 500]

/** What is read is a token that can be sent, with an end that is a time; everything else is a refusal of ours. */
export async function tokenAnswerTarget(): Promise<Target> {
  let answer: SafeAnswer = { status: 200, headers: new Headers(), text: '' }
  // The network's part: what a provider may put into an answer is what is made up here.
  const fetch: SafeFetch = Object.assign(async () => answer, { close: async () => {} })
  const connectors = createConnectors({ fetch, clock: () => 1_700_000_000 })
  const all = CATALOGUE.flatMap(({ strategy }) => {
    const options: JsonObject = {
      client_id: 'id',
      client_secret: 'secret',
      domain: 'acme.example.test',
      tenant_domain: 'acme',
      endpoints: PLACES,
    }
    const connection = {
      id: `con_${strategy}`,
      name: strategy,
      strategy,
      displayName: undefined,
      options,
      authenticationActive: true,
      connectedAccountsActive: true,
    }
    try {
      return [connectors.for(connection)]
    } catch {
      // Its clients prove themselves in a way of its own.
      return []
    }
  })
  assert.ok(all.length > 40, `${all.length} connectors`)
  const stock = { samples: HONEST, pieces: PIECES, parts: /"[^"]*"|[\w.-]+/g, wholeAt: valueAt }
  return {
    async run(number) {
      const random = randomFrom(number)
      const text = mutated(stock, random)
      const type = TYPES[random(8)] ?? (text.includes('{') ? 'application/json' : 'application/x-www-form-urlencoded')
      answer = {
        status: STATUSES[random(STATUSES.length)] ?? 200,
        headers: new Headers({ 'content-type': type }),
        text,
      }
      try {
        const result = await all[random(all.length)]?.refresh({ refreshToken: 'rt-1', subject: 'u1' })
        if (result?.kind !== 'refreshed') return 'refused'
        requireUsable(result.tokenset)
        return 'read'
      } catch (error) {
        // What cannot be read says nothing of the account, which stays as it is.
        const told = error instanceof UpstreamUnavailable ? (error.cause ?? error) : error
        if (told instanceof UpstreamRefused) return told.code
        if (told instanceof UpstreamUnavailable) return 'unavailable'
        throw new Error(`number ${number}: ${JSON.stringify({ ...answer, type })}`, { cause: error })
      }
    },
  }
}

function requireUsable({ accessToken, refreshToken, tokenType, accessExpiresAt, refreshExpiresAt, scopes }: TokenSet) {
  for (const token of [accessToken, refreshToken])
    if (token !== undefined) assert.match(token, /^[\x21-\x7e]{1,32768}$/)
  assert.equal(tokenType, 'Bearer')
  for (const end of [accessExpiresAt, refreshExpiresAt]) assert.ok(end === undefined || Number.isSafeInteger(end))
  for (const scope of scopes ?? []) assert.match(scope, /^[\x21-\x7e]+$/)
}

/** The member or value that begins here. */
function valueAt(text: string, index: number): string | undefined {
  const found = /"[^"]*"(?::(?:"[^"]*"|[\w.-]+|\[[^\]]*\]|\{[^}]*\}))?,?|[\w.%-]+=?[\w.%-]*&?/y
  found.lastIndex = index
  return found.exec(text)?.[0]
}
