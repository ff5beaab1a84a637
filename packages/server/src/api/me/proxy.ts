// A provider's API through us (vault.md §5): the caller shows a token of ours, we add the provider's, and hand its answer on
// as it comes. On plain `node:http`, so that a body is never held whole.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Dispatcher } from 'undici'
import type { ApprovalRule } from '../../domain/agent-policy.ts'
import type { AskedUse } from '../../domain/asked-use.ts'
import type { Settings } from '../../domain/settings.ts'
import type { AccessTokens } from '../../oauth/access-tokens.ts'
import { isRepeatedFlood, STALE_AFTER_MS, useOf } from '../../oauth/account-use.ts'
import { createExchangeJournal, type ExchangeJournal } from '../../oauth/exchange-journal.ts'
import { ExchangeRefusal } from '../../oauth/exchange-refusal.ts'
import { approvalUsed, type UsePolicy } from '../../oauth/use-policy.ts'
import { PROXY_METHODS } from '../../protocol/agent-policy-document.ts'
import { EXPOSED_HEADERS } from '../../protocol/exposed-headers.ts'
import type { Connectors } from '../../upstream/connectors.ts'
import type { SafeStream, StreamAnswer } from '../../upstream/safe-stream.ts'
import type { ConnectionReader } from '../../vault/connections.ts'
import type { Vault } from '../../vault/vault.ts'
import { ApiRefusal, insufficientScope, tooManyRequests } from '../refusal.ts'
import { authenticate, type Interface, refuse } from '../serve.ts'
import type { MeDeps } from './deps.ts'
import { meFace } from './face.ts'
import { type MeCaller, userOf } from './me-caller.ts'
import { askedBody, bodyOf, type ProxyBody } from './proxy-body.ts'
import { type Caller, createCaller } from './proxy-call.ts'
import { PROXY_SCOPE } from './proxy-document.ts'
import { passedHeaders } from './proxy-headers.ts'
import { begunCall, type CallResult, type CallTrail, callEvent } from './proxy-record.ts'
import { proxyRefusal } from './proxy-refusal.ts'
import { originOf, PROXY_PREFIX, type ProxyAddress, parseAddress, targetOf } from './proxy-target.ts'
import { createUseFinder, type ProxyUse, type UseFinder } from './proxy-use.ts'

export interface ProxyDeps extends Omit<MeDeps, 'vault'> {
  readonly vault: MeDeps['vault'] & Pick<Vault, 'freshToken'>
  readonly accessTokens: Pick<AccessTokens, 'verify' | 'open'>
  readonly connections: Pick<ConnectionReader, 'open'>
  readonly connectors: Connectors
  readonly policies: UsePolicy
  readonly stream: SafeStream
  readonly allowedPrivateNetworks: readonly string[]
  readonly settings: () => Pick<Settings, 'rateLimitsEnabled' | 'vault'>
}

export interface ApiProxy {
  /** True for a request that this answers. */
  serves(path: string, method: string | undefined): boolean
  /** Answers it, to the last byte. @throws a bug. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

interface Parts extends ProxyDeps {
  readonly face: Omit<Interface, 'operations'>
  readonly uses: UseFinder
  readonly caller: Caller
  readonly journal: ExchangeJournal
  readonly busy: Busy
}

export function createProxy(deps: ProxyDeps): ApiProxy {
  const parts: Parts = {
    ...deps,
    // What a token hangs on is read with everything else that decides.
    face: { ...meFace(deps), accessTokens: { verify: deps.accessTokens.open } },
    uses: createUseFinder(deps),
    caller: createCaller(deps),
    journal: createExchangeJournal(deps.storage),
    busy: new Busy(),
  }
  return {
    serves: (path, method) => path.startsWith(PROXY_PREFIX) && method !== 'OPTIONS',
    async handle(request, response) {
      try {
        await serve(parts, request, response)
      } catch (error) {
        const refusal = proxyRefusal(error) ?? bug(parts, request, error)
        if (response.headersSent) response.destroy()
        else await answerRefusal(parts, response, refusal)
      }
    },
  }
}

function bug({ log }: Parts, { method }: IncomingMessage, error: unknown): ApiRefusal {
  log.error({ err: error, method, path: PROXY_PREFIX }, 'a request failed')
  return new ApiRefusal(500, 'server_error', 'Internal Server Error')
}

async function answerRefusal({ face }: Parts, response: ServerResponse, refusal: ApiRefusal): Promise<void> {
  const answer = refuse(face, refusal)
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
}

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url: target = '', headers } = request
  const method = PROXY_METHODS.find((one) => one === request.method)
  if (method === undefined)
    throw new ApiRefusal(405, 'method_not_allowed', 'Method Not Allowed', {
      headers: { allow: PROXY_METHODS.join(', ') },
    })
  const [path = '', query = ''] = target.split('?', 2)
  const shown = { method, path, authorization: headers.authorization, dpop: proofOf(headers.dpop) }
  const inQuery = new URLSearchParams(query).has('access_token')
  const access = await authenticate(parts.face, { ...shown, inQuery })
  const caller = userOf({ ...access, scopes: access.scopes })
  await nameCaller(parts, response, caller, headers.origin)
  if (!caller.scopes.has(PROXY_SCOPE)) throw insufficientScope([PROXY_SCOPE])
  const address = parseAddress(target)
  const purpose = purposeOf(headers['tenon-purpose'])
  const trail: CallTrail = {
    requestId: String(response.getHeader('x-request-id')),
    clientId: caller.clientId,
    userId: caller.userId,
    accountId: address.accountId,
    method,
    path: address.path,
    ...(purpose === undefined ? {} : { purpose }),
    ...(caller.grantedTo === undefined ? {} : { actor: caller.clientId }),
  }
  const leave = parts.busy.enter(`${caller.clientId} ${caller.userId}`)
  try {
    await hand(parts, { request, response, caller, address, trail, method })
  } finally {
    leave()
  }
}

const proofOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header

/** What the answer says whatever comes of the call. */
async function nameCaller(
  { possession, origins }: Parts,
  response: ServerResponse,
  { jkt, clientId }: MeCaller,
  origin: string | undefined,
): Promise<void> {
  response.setHeader('vary', 'Origin')
  if (jkt !== undefined) response.setHeader('dpop-nonce', possession.nextNonce())
  if (origin === undefined || !(await origins.isOf(origin, clientId))) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', EXPOSED_HEADERS)
}

const MAX_PURPOSE = 256

/** The client's own words, in UTF-8; node reads headers as Latin-1. */
function purposeOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const purpose = Buffer.from(String(header), 'latin1').toString('utf8')
  if (purpose.length > MAX_PURPOSE || /\p{Cc}|\p{Cs}/u.test(purpose))
    throw new ApiRefusal(400, 'invalid_request', `tenon-purpose is a text of at most ${MAX_PURPOSE} characters.`)
  return purpose === '' ? undefined : purpose
}

interface Run {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: MeCaller
  readonly address: ProxyAddress
  readonly trail: CallTrail
  readonly method: Dispatcher.HttpMethod
}

/** Every call leaves its event, whatever comes of it, and none is answered before that is on the disk. */
async function hand(parts: Parts, run: Run): Promise<void> {
  const { response, trail } = run
  const { signal, done } = limitOf(response)
  try {
    const { use, origin, url, answer } = await call(parts, run, signal)
    try {
      const now = parts.clock()
      const event = callEvent(trail, now, { status: answer.status })
      await parts.journal.record({ event, use: useOf(use.account, now), ends: trail.begun })
    } catch (error) {
      answer.discard()
      throw error
    }
    const base = `${PROXY_PREFIX}${run.address.accountId}`
    response.writeHead(answer.status, passedHeaders(answer.headers, { origin, url, base }))
    await pass(answer, response)
  } catch (error) {
    await recordRefusal(parts, run, error)
    throw error
  } finally {
    done()
  }
}

async function recordRefusal({ journal, clock }: Parts, { response, trail }: Run, error: unknown): Promise<void> {
  if (response.headersSent || (error instanceof ExchangeRefusal && isRepeatedFlood(error))) return
  const refusal = proxyRefusal(error)
  // Nobody whom an event could name; unless the call went out, and ended in the middle.
  if (refusal === undefined || (refusal.status === 401 && trail.begun === undefined)) return
  const details = error instanceof ExchangeRefusal ? error.details : {}
  const gone = response.destroyed ? { reason: 'client_gone' } : {}
  const result: CallResult = { code: refusal.code, details: { ...details, ...gone } }
  await journal.record({ event: callEvent(trail, clock(), result), ends: trail.begun })
}

const TOTAL_MS = 300_000

/** Ends a call that takes too long, or whose caller is gone. */
function limitOf(response: ServerResponse): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, TOTAL_MS)
  response.once('close', abort)
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer)
      response.removeListener('close', abort)
    },
  }
}

interface Called {
  readonly use: ProxyUse
  readonly origin: string
  readonly url: URL
  readonly answer: StreamAnswer
}

async function call(parts: Parts, run: Run, signal: AbortSignal): Promise<Called> {
  const { request, caller, address, trail, method } = run
  const readAtMs = performance.now()
  const use = await parts.uses.find(caller, trail, true)
  const wanted = request.headers['tenon-host']
  const host = wanted === undefined ? undefined : String(wanted)
  const origin = originOf(use.connector.traits.apiHosts, host, parts.allowedPrivateNetworks)
  const url = targetOf(origin, address)
  trail.host = url.host
  const body = await bodyOf(request, { whole: (use.client.policy?.approvals.length ?? 0) > 0 })
  const asking: Asking = { run, use, origin, body }
  const once = await admit(parts, asking, true)
  const stillMay = async () => {
    if (performance.now() - readAtMs <= STALE_AFTER_MS) return
    const now = await parts.uses.find(caller, trail, false)
    // A yes that serves once has been spent on this call.
    if (!once) await admit(parts, { ...asking, use: now }, false)
  }
  // A provider may have done what it was told when we are not there any more to record it.
  const begins = async () => {
    await parts.journal.record({ begins: begunCall(trail, parts.clock()) })
  }
  const outgoing = { method, url, headers: request.headers, body, signal, stillMay, begins }
  const answer = await parts.caller.call(use, outgoing)
  return { use, origin, url, answer }
}

interface Asking {
  readonly run: Run
  readonly use: ProxyUse
  readonly origin: string
  readonly body: ProxyBody
}

/** @returns true when a yes that serves once was spent: of two calls at one moment one has it. */
async function admit(parts: Parts, asking: Asking, isNew: boolean): Promise<boolean> {
  const { client, connection, connector, account } = asking.use
  const { caller, trail, method, address } = asking.run
  const { name } = connection
  const { mark, observed } = await parts.policies.admit({
    act: { kind: 'call', connection: name, granted: account.scopesGranted, method, path: address.path },
    ...{ client, userId: caller.userId, rules: connector.scopes, at: parts.clock(), isNew, purpose: trail.purpose },
    question: (rule) => questionOf(asking, rule),
  })
  if (observed !== undefined) trail.observed = observed
  if (mark === undefined) return false
  if ((await parts.journal.record({ marks: [mark] })) !== undefined) throw approvalUsed(name)
  return true
}

/** The longest that a person is shown. */
const MAX_SHOWN = 1500

function questionOf({ run, use, origin, body }: Asking, rule: ApprovalRule): AskedUse {
  const { path, query } = run.address
  const { id: accountId, label } = use.account
  const { validSeconds, methods, paths } = rule
  const common = { connection: use.connection.name, accountId, label, validSeconds }
  if (validSeconds > 0) return { ...common, kind: 'calls', origin, methods, paths }
  if (path.length + query.length > MAX_SHOWN)
    throw new ExchangeRefusal('policy_denied', { connection: use.connection.name, reason: 'not_showable', rule: 'P8' })
  const sent = askedBody(body, run.request.headers['content-type'])
  return { ...common, kind: 'call', method: run.method, origin, path, query, body: sent }
}

const MAX_ANSWER_BYTES = 256 * 1024 * 1024

/** As fast as the caller reads. An answer that breaks off, or grows too large, ends with its connection. */
async function pass({ body }: StreamAnswer, response: ServerResponse): Promise<void> {
  let bytes = 0
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) body.destroy(new Error('the answer is too large'))
  })
  try {
    await pipeline(body, response)
  } catch {
    response.destroy()
  }
}

const AT_ONCE = 32

/** A client's calls for one user that are under way: a slow API must not be held open without end. */
class Busy {
  readonly #counts = new Map<string, number>()

  /** @throws {ApiRefusal} 429. */
  enter(key: string): () => void {
    const count = this.#counts.get(key) ?? 0
    if (count >= AT_ONCE) throw tooManyRequests(1)
    this.#counts.set(key, count + 1)
    return () => {
      const left = (this.#counts.get(key) ?? 1) - 1
      if (left === 0) this.#counts.delete(key)
      else this.#counts.set(key, left)
    }
  }
}
