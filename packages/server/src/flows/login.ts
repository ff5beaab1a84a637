// Signing in: which ways there are, and each of them.
import { tryPassword } from '../accounts/password-check.ts'
import { parseClient } from '../domain/client.ts'
import { type Connection, keepsSignInTokens } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Arrival } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import {
  isMailConnection,
  isPasswordConnection,
  isUpstream,
  shownConnection,
  signInConnections,
} from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction } from './interactions.ts'
import { startMailSignIn } from './mail-sign-in.ts'
import { nextStep, type Step } from './next-step.ts'
import type { LoginPage, Outcome } from './outcome.ts'
import { checkPasskeySignIn, signInPasskey } from './passkey-sign-in.ts'
import { signIn } from './sign-in.ts'
import { startUpstream } from './upstream-start.ts'

/** An interaction with what every page of it shows. */
export interface OpenInteraction {
  readonly interaction: Interaction
  readonly clientId: string | undefined
  readonly appName: string | undefined
  readonly connections: readonly Connection[]
  readonly passwordConnection: Connection | undefined
  readonly step: Step
}

/** @throws {FlowError} `interaction_expired`, `wrong_browser`. */
export async function openInteraction(
  deps: FlowDeps,
  request: BrowserRequest,
  uid: string | undefined,
): Promise<OpenInteraction> {
  const { storage } = deps
  const interaction = await getInteraction(deps, request, uid)
  const { params } = interaction
  const clientId = isString(params.client_id) ? params.client_id : undefined
  const record = clientId === undefined ? undefined : await storage.clients.find(clientId)
  const connections = await signInConnections(storage, deps.connections, clientId)
  const passwordConnection = connections.find(isPasswordConnection)
  const step = nextStep({
    local: interaction.local,
    promptName: interaction.prompt.name,
    params,
    awaitsCode: isJsonObject(interaction.artifact.payload.signup),
    passwordConnection: passwordConnection?.name,
    own: connections.filter((one) => !isUpstream(one)).map(({ name }) => name),
  })
  return { interaction, clientId, appName: record && parseClient(record).name, connections, passwordConnection, step }
}

/** What was just tried on the sign-in page, and did not do. */
export interface LoginTried {
  readonly password?: { readonly username: string | undefined }
  readonly email?: { readonly typed: string }
  readonly passkey?: true
}

/** The sign-in page of an interaction. */
export async function loginPage(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  tried: LoginTried = {},
): Promise<Outcome> {
  const { interaction, appName, connections, passwordConnection } = open
  const hint = isString(interaction.params.login_hint) ? interaction.params.login_hint : undefined
  const page: LoginPage = {
    name: 'login',
    state: interaction.uid,
    appName,
    connections: connections.filter(isUpstream).map(shownConnection),
    password: passwordConnection && {
      username: tried.password === undefined ? hint : tried.password.username,
      wrong: tried.password !== undefined,
    },
    email: connections.some(isMailConnection)
      ? { typed: tried.email === undefined ? hint : tried.email.typed, wrong: tried.email !== undefined }
      : undefined,
    passkey: await signInPasskey(deps, request, open),
    passkeyRefused: tried.passkey ?? false,
  }
  return { kind: 'page', page, status: loginStatus(tried) }
}

export const loginStatus = ({ password, email, passkey }: LoginTried): number =>
  password !== undefined || passkey ? 403 : email === undefined ? 200 : 400

/** Sends the browser to a connection's provider. @throws {FlowError} `connection_unavailable` and what starting throws. */
export async function goUpstream(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  name: string | undefined,
): Promise<Outcome> {
  const connection = open.connections.find((one) => one.name === name && isUpstream(one))
  if (connection === undefined) throw new FlowError('connection_unavailable')
  const { params } = open.interaction
  return startUpstream(deps, request, {
    kind: 'login',
    connection,
    continueWith: open.interaction.uid,
    clientId: open.clientId,
    scopes: splitScopes(params.connection_scope),
    wantsRefreshToken: keepsSignInTokens(connection),
    extra: asksAnew(open.interaction) ? { prompt: 'login' } : {},
    clientRequest: textMembers(params),
  })
}

/** The client wants to see the person sign in now: a provider's own session will not do. */
const asksAnew = ({ prompt }: Interaction): boolean =>
  prompt.reasons.includes('login_prompt') || prompt.reasons.includes('max_age')

/** Signs in by address and password; a wrong pair shows the page again and says nothing of which was wrong. */
export async function submitPassword(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  typed: TypedPassword,
): Promise<Outcome> {
  const arrival = await checkPassword(deps, request, open, typed)
  if (arrival !== undefined) return signIn(deps, request, open.interaction, arrival)
  return loginPage(deps, request, open, { password: { username: typed.username } })
}

/** Signs in by a passkey of the device in front of the person. */
export async function submitPasskey(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: string,
): Promise<Outcome> {
  const arrival = await checkPasskeySignIn(deps, request, open, { answer })
  if (arrival !== undefined) return signIn(deps, request, open.interaction, arrival)
  return loginPage(deps, request, open, { passkey: true })
}

/** Mails a code to sign in by. */
export async function submitEmail(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  email: string,
): Promise<Outcome> {
  const started = await startMailSignIn(deps, request, open, { email })
  return started ?? loginPage(deps, request, open, { email: { typed: email } })
}

export interface TypedPassword {
  readonly username: string | undefined
  readonly password: string | undefined
}

/**
 * Who signs in by this pair; undefined when there is nobody.
 *
 * @throws {FlowError} `connection_unavailable`, `rate_limited`.
 */
export async function checkPassword(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { username, password }: TypedPassword,
): Promise<Arrival | undefined> {
  const connection = open.passwordConnection
  if (connection === undefined) throw new FlowError('connection_unavailable')
  const verdict = await tryPassword(deps, {
    connectionId: connection.id,
    username,
    password,
    by: request.browser.hash,
    ip: request.ip,
    clientId: open.clientId,
  })
  if (verdict.kind === 'limited') throw new FlowError('rate_limited', verdict)
  if (verdict.kind === 'wrong') return undefined
  const { subject } = verdict
  return {
    connection,
    subject,
    profileData: await profileOf(deps, connection.id, subject),
    email: undefined,
    grade: 0,
    amr: ['pwd'],
    account: undefined,
    scopesAsked: [],
  }
}

/** A password says nothing new about a person. */
async function profileOf({ storage }: FlowDeps, connectionId: string, subject: string): Promise<JsonObject> {
  return (await storage.identities.find(connectionId, subject))?.profileData ?? {}
}

/** Auth0's samples join scopes by commas, others by spaces. */
const splitScopes = (scopes: unknown): readonly string[] =>
  isString(scopes) ? scopes.split(/[\s,]+/).filter(Boolean) : []

const textMembers = (params: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(params).filter((entry): entry is [string, string] => isString(entry[1])))
