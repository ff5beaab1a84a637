// `link_with` (T-LINK-06): ID tokens that are wrong although our own key signed them, and keys that are taken for secrets.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { currentUserSignIn, expectStatus, mgmt, userPath } from '../support/actors.ts'
import { request } from '../support/http.ts'
import { bareJwt, macJwt, newKey, signJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { serverSigner } from '../support/signing.ts'
import { changesNothing } from '../support/state.ts'

const server = await startServer()
const sign = await serverSigner(server)
const api = await mgmt(server)

async function newcomer(name: string, connection: 'calendar' | 'code' | 'work') {
  server.person(name, [connection])
  const who = await currentUserSignIn(server, { connection })
  return { ...who, api: await mgmt(server, { token: who.accessToken }) }
}

type Own = Awaited<ReturnType<typeof newcomer>>

const linkWith = (who: Own, token: string) => who.api.post(`${userPath(who.sub)}/identities`, { link_with: token })

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())

/** The same signature in other letters: the last letter holds bits that say nothing. */
function spelledOtherwise(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(token.at(-1) ?? '')
  return token.slice(0, -1) + letters[last ^ 1]
}

test('T-LINK-06 what our own key signed is no proof unless every claim fits', async () => {
  const attacker = await newcomer('attacker', 'calendar')
  const victim = await newcomer('victim', 'code')
  const { claims } = victim
  const now = Math.floor(Date.now() / 1000)
  const { sub: _sub, aud: _aud, iat: _iat, exp: _exp, iss: _iss, ...rest } = claims
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))
  const text = JSON.stringify(claims)
  const wrong: Record<string, string> = {
    'an issuer without its slash': sign({ ...claims, iss: server.url }),
    'an issuer by https': sign({ ...claims, iss: server.issuer.replace('http:', 'https:') }),
    'another issuer': sign({ ...claims, iss: 'https://other.acme.test/' }),
    'a list of issuers': sign({ ...claims, iss: [server.issuer] }),
    'no issuer': sign(without('iss')),
    'another client': sign({ ...claims, aud: 'web' }),
    'a list of this client': sign({ ...claims, aud: ['spa'] }),
    'a list with others': sign({ ...claims, aud: ['spa', 'evil'] }),
    'a number as audience': sign({ ...claims, aud: 7 }),
    'no audience': sign(without('aud')),
    'authorized to another': sign({ ...claims, azp: 'web' }),
    'with a scope, as access tokens have': sign({ ...claims, scope: 'openid' }),
    expired: sign({ ...claims, exp: now - 1 }),
    'without an end': sign(without('exp')),
    'an end in words': sign({ ...claims, exp: 'tomorrow' }),
    'not yet valid': sign({ ...claims, nbf: now + 300 }),
    'made tomorrow': sign({ ...claims, iat: now + 86_400 }),
    'made an hour ago': sign({ ...claims, iat: now - 3600, auth_time: now - 3600 }),
    'without a time': sign(without('iat')),
    'proven an hour ago': sign({ ...claims, auth_time: now - 3600 }),
    'proven at a time in words': sign({ ...claims, auth_time: 'now' }),
    'without a subject': sign(without('sub')),
    'a list of subjects': sign({ ...claims, sub: [victim.sub] }),
    'a number as subject': sign({ ...claims, sub: 7 }),
    'nobody here': sign({ ...claims, sub: 'auth0|nobody' }),
    'the primary itself': sign({ ...claims, sub: attacker.sub }),
    'a client as subject': sign({ ...claims, sub: 'm2m@clients' }),
    'of an access token': sign(claims, { typ: 'at+jwt' }),
    'of a logout token': sign({ ...claims, events: {} }, { typ: 'logout+jwt' }),
    'of a security event': sign(claims, { typ: 'secevent+jwt' }),
    'an answer in a JWT (JARM)': sign({ iss: server.issuer, aud: 'spa', exp: now + 60, code: 'x', state: 'y' }),
    'an assertion of the client': sign({ ...rest, iss: 'spa', sub: 'spa', aud: server.issuer, exp: now + 60 }),
    'two subjects': sign(`${text.slice(0, -1)},"sub":${JSON.stringify(attacker.sub)}}`),
    'two audiences': sign(`${text.slice(0, -1)},"aud":"web"}`),
    'no JSON': sign('sub=victim'),
    'a list': sign(`[${text}]`),
    'two algorithms': sign(
      claims,
      `{"alg":"RS256","typ":"JWT","kid":"${headerOf(victim.idToken).kid}","al\\u0067":"none"}`,
    ),
    'another algorithm by name': sign(claims, { alg: 'RS512' }),
    'an algorithm in small letters': sign(claims, { alg: 'rs256' }),
    'a key beside the key': sign(claims, { jwk: newKey('RS256').publicJwk }),
    'a certificate by URL': sign(claims, { x5u: 'https://evil.test/cert' }),
    'a certificate': sign(claims, { x5c: ['MIIB'] }),
    'packed (zip)': sign(claims, { zip: 'DEF' }),
    'not encoded (b64)': sign(claims, { b64: false, crit: ['b64'] }),
    'spelled otherwise': spelledOtherwise(victim.idToken),
    padded: `${victim.idToken}=`,
    'with a space': ` ${victim.idToken}`,
  }
  await changesNothing(server, async () => {
    for (const [name, token] of Object.entries(wrong)) {
      const { status, text } = await linkWith(attacker, token)
      assert.ok([400, 401, 403, 404].includes(status), `${name}: ${status} ${text}`)
    }
  })
  // None of it spent the proof, and the signer does sign what counts.
  expectStatus(await linkWith(attacker, sign(claims)), 201)
})

test('T-LINK-06 no public text of ours is a secret that signs, and nothing encrypted is read', async () => {
  const attacker = await newcomer('forger', 'calendar')
  const victim = await newcomer('forged', 'code')
  const { claims } = victim
  const header = headerOf(victim.idToken)
  const { keys } = (await request(`${server.url}/.well-known/jwks.json`)).json
  const [jwk] = keys
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const pem = String(key.export({ type: 'spki', format: 'pem' }))
  const secrets: Record<string, string> = {
    PEM: pem,
    'PEM without its last line end': pem.trimEnd(),
    'PEM of PKCS #1': String(key.export({ type: 'pkcs1', format: 'pem' })),
    DER: key.export({ type: 'spki', format: 'der' }).toString('latin1'),
    JWK: JSON.stringify(jwk),
    'the key set': JSON.stringify({ keys }),
    modulus: jwk.n,
    kid: jwk.kid,
    nothing: '',
  }
  const foreign = newKey('RS256')
  const tokens: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(secrets).map(([name, secret]) => [
        `HS256 by ${name}`,
        macJwt(secret, claims, { kid: header.kid }),
      ]),
    ),
    'an unknown kid': signJwt(foreign, claims, { ...header, kid: 'unknown' }),
    'a URL as kid': signJwt(foreign, claims, { ...header, kid: 'https://evil.test/key' }),
    'no kid': signJwt(foreign, claims, { ...header, kid: undefined }),
    'a certificate by URL': signJwt(foreign, claims, { ...header, x5u: 'https://evil.test/cert' }),
    'none in other letters': bareJwt(claims, { ...header, alg: 'none ' }),
    encrypted: [{ alg: 'RSA-OAEP', enc: 'A256GCM', kid: header.kid, zip: 'DEF' }, 'key', 'iv', 'text', 'tag']
      .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
      .join('.'),
    'of more than a token may be': `${'A'.repeat(20_000)}.B.C`,
  }
  await changesNothing(server, async () => {
    for (const [name, token] of Object.entries(tokens)) {
      const { status, text } = await linkWith(attacker, token)
      assert.ok([400, 401].includes(status), `${name}: ${status} ${text}`)
    }
  })
})

test('T-LINK-06 the token of somebody who was linked meanwhile, and a token that linked already, link nobody', async () => {
  const [first, second] = [await newcomer('first', 'calendar'), await newcomer('second', 'calendar')]
  const secondary = await newcomer('wanted', 'code')
  expectStatus(await linkWith(first, secondary.idToken), 201)
  await changesNothing(server, async () => {
    for (const taker of [first, second]) {
      const { status } = await linkWith(taker, secondary.idToken)
      assert.ok([400, 404, 409].includes(status), `${status}`)
    }
  })
  // Undone, the person is back, and what was spent stays spent.
  const { json } = await api.get(`${userPath(first.sub)}/links`)
  expectStatus(await api.post(`/links/${json.links[0].id}/undo`, {}), 200)
  await changesNothing(server, async () => {
    for (const token of [secondary.idToken, spelledOtherwise(secondary.idToken)]) {
      const { status, text } = await linkWith(first, token)
      assert.ok([400, 409].includes(status), `${status} ${text}`)
    }
  })
})
