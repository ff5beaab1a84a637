// The keys that sign our tokens, in the database: next, current, previous. Private parts are sealed by the keyring.

import { certifyKey, type KeyCertificate } from '../crypto/key-certificate.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { generateSigningKey } from '../crypto/signing-keys.ts'
import { parseClient } from '../domain/client.ts'
import { Invalid, NotFound } from '../domain/errors.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { SigningKeyRecord } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'

export interface SigningKeysDeps {
  readonly storage: Storage
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly clock: Clock
}

export interface SigningKeySet {
  /** Changes when any key or state does. */
  readonly version: string
  /** The one that signs, first; then those that only verify; then the same for PS256. Private JWKs. */
  readonly privateJwks: readonly JsonObject[]
  readonly publicKeys: readonly { readonly kid: string; readonly publicJwk: JsonObject }[]
  readonly records: readonly SigningKeyRecord[]
}

/** By `kid`: the members of a published key that hold its certificate (RFC 7517 §4.7, §4.8). */
export type KeyCertificates = ReadonlyMap<string, { readonly x5c: readonly string[]; readonly x5t: string }>

const ORDER: Readonly<Record<SigningKeyRecord['state'], number>> = { current: 0, next: 1, previous: 2, revoked: 3 }
const contextOf = (kid: string) => `signing-key:${kid}`

/** Makes the first current and next key; many processes may start at once, and one pair stays. */
export async function ensureSigningKeys(deps: SigningKeysDeps): Promise<void> {
  if ((await deps.storage.signingKeys.list()).some((key) => key.state === 'current')) return
  const [current, next] = [await newKey(deps, 'current'), await newKey(deps, 'next')]
  await deps.storage.transaction(async (tx) => {
    // The row is the lock: who writes it first brings the keys.
    if ((await tx.meta.putIfAbsent('signing_keys.made_by', current.kid)) !== current.kid) return
    await tx.signingKeys.insert(current)
    await tx.signingKeys.insert(next)
  })
}

/** Reads the keys that count now. */
export async function readSigningKeys({ storage, keyring }: SigningKeysDeps): Promise<SigningKeySet> {
  const rows = [...(await storage.signingKeys.list())]
    .filter((row) => row.state !== 'revoked')
    .sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.changedAt - a.changedAt)
  return {
    version: rows.map((row) => `${row.kid}:${row.state}`).join(','),
    privateJwks: inBothPaddings(rows.map((row) => openKey(keyring, row))),
    publicKeys: inBothPaddings(rows.map(({ publicJwk }) => publicJwk)).map((publicJwk) => ({
      kid: String(publicJwk.kid),
      publicJwk,
    })),
    records: rows,
  }
}

/** Certificates of these keys, for those who know keys by certificates. */
export async function certifyKeys(
  { keyring, issuer }: Pick<SigningKeysDeps, 'keyring'> & { readonly issuer: string },
  { records }: SigningKeySet,
): Promise<KeyCertificates> {
  const certified = await Promise.all(
    records.map(async (row) => {
      const { der, thumbprint } = await certifySigningKey({ keyring, issuer }, row)
      const members = { x5c: [der], x5t: Buffer.from(thumbprint, 'hex').toString('base64url') }
      return [
        [row.kid, members],
        [inOtherPadding(row.kid), members],
      ] as const
    }),
  )
  return new Map(certified.flat())
}

/** The certificate of a key; the same whenever it is made. */
export const certifySigningKey = (
  { keyring, issuer }: Pick<SigningKeysDeps, 'keyring'> & { readonly issuer: string },
  row: SigningKeyRecord,
): Promise<KeyCertificate> =>
  certifyKey(openKey(keyring, row), { kid: row.kid, name: new URL(issuer).hostname, since: row.createdAt })

/**
 * A key for PS256 beside each for RS256, under a name of its own: whoever verifies takes the algorithm from the key and
 * never from the token (RFC 8725 §3.1). They come last, for the first of the set is the one that signs.
 */
const inBothPaddings = (jwks: readonly JsonObject[]): readonly JsonObject[] => [
  ...jwks,
  ...jwks.map((jwk) => ({ ...jwk, kid: inOtherPadding(String(jwk.kid)), alg: 'PS256' })),
]

const inOtherPadding = (kid: string): string => `${kid}-ps256`

/**
 * The next key signs from now on; the one before verifies until its tokens have ended (T-VAULT-06).
 *
 * @param by the client that asked; undefined for a command.
 * @returns the id of the key that signs now.
 */
export async function rotateSigningKeys(deps: SigningKeysDeps, by?: string): Promise<string> {
  await ensureSigningKeys(deps)
  const fresh = await newKey(deps, 'next')
  return deps.storage.transaction(async (tx) => {
    const rows = await tx.signingKeys.list()
    const at = deps.clock()
    const next = rows.find((row) => row.state === 'next') ?? fresh
    for (const row of rows) if (row.state === 'current') await tx.signingKeys.setState(row.kid, 'previous', at)
    if (next === fresh) await tx.signingKeys.insert({ ...fresh, state: 'current' })
    else await tx.signingKeys.setState(next.kid, 'current', at)
    if (next !== fresh) await tx.signingKeys.insert(fresh)
    await tx.events.append({
      type: 'keys.signing_rotated',
      at,
      outcome: 'ok',
      data: { kid: next.kid, ...(by === undefined ? {} : { by }) },
    })
    return next.kid
  })
}

/**
 * A key that signed before verifies no more: its tokens end, wherever the keys are read anew. Rotate first, to revoke the
 * one that signs.
 *
 * @throws {NotFound} `inexistent_key`. @throws {Invalid} `operation_not_supported`: it signs now, or is the next to.
 */
export async function revokeSigningKey({ storage, clock }: SigningKeysDeps, kid: string, by: string): Promise<void> {
  await storage.transaction(async (tx) => {
    const row = (await tx.signingKeys.list()).find((one) => one.kid === kid)
    if (row === undefined) throw new NotFound('inexistent_key', 'The key does not exist.')
    if (row.state === 'revoked') return
    if (row.state !== 'previous')
      throw new Invalid('operation_not_supported', 'Only a previous key can be revoked: rotate the keys first.')
    const at = clock()
    await tx.signingKeys.setState(kid, 'revoked', at)
    await tx.events.append({ type: 'keys.signing_revoked', at, outcome: 'ok', data: { kid, by } })
  })
}

/**
 * Forgets keys whose last token has ended (T-VAULT-06): an API or a client may have tokens that live longer than others'.
 *
 * @param accessTokenSeconds how long tokens live where nothing says otherwise.
 */
export async function dropOldSigningKeys(
  { storage, clock }: SigningKeysDeps,
  accessTokenSeconds: EpochSeconds,
): Promise<void> {
  const previous = (await storage.signingKeys.list()).filter(
    (row) => row.state === 'previous' && row.changedAt + accessTokenSeconds < clock(),
  )
  if (previous.length === 0) return
  const longest = await longestTokenSeconds(storage, accessTokenSeconds)
  const ended = previous.filter((row) => row.changedAt + longest < clock())
  await storage.transaction(async (tx) => {
    for (const row of ended) await tx.signingKeys.delete(row.kid)
  })
}

const PAGE = 500

async function longestTokenSeconds(storage: Repositories, usual: EpochSeconds): Promise<EpochSeconds> {
  let longest = usual
  for (let offset = 0, total = 1; offset < total; offset += PAGE) {
    const page = await storage.resourceServers.list({ offset, limit: PAGE })
    total = page.total
    const lives = page.items.flatMap(({ document }) => [document.token_lifetime, document.token_lifetime_for_web])
    longest = Math.max(longest, ...lives.filter((one) => typeof one === 'number'))
  }
  for (let offset = 0, total = 1; offset < total; offset += PAGE) {
    const page = await storage.clients.list({ offset, limit: PAGE })
    total = page.total
    longest = Math.max(longest, ...page.items.map((record) => parseClient(record).idTokenLifetimeSeconds))
  }
  return longest
}

async function newKey(
  { keyring, clock }: SigningKeysDeps,
  state: SigningKeyRecord['state'],
): Promise<SigningKeyRecord> {
  const { kid, publicJwk, privateJwk } = await generateSigningKey()
  const envelope = keyring.seal(contextOf(kid), Buffer.from(JSON.stringify(privateJwk)))
  return { kid, state, publicJwk, envelope, createdAt: clock(), changedAt: clock() }
}

function openKey(keyring: Pick<Keyring, 'open'>, row: SigningKeyRecord): JsonObject {
  const jwk: unknown = JSON.parse(keyring.open(contextOf(row.kid), row.envelope).toString('utf8'))
  if (!isJsonObject(jwk)) throw new Error(`signing key ${row.kid} is damaged`)
  return jwk
}
