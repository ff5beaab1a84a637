// One move as it happens: a step of the server is taken in a browser, and whoever took it holds what came of it.
import { sha256Hex } from '../../src/crypto/hashing.ts'
import type { BrowserRequest } from '../../src/flows/browser-request.ts'
import { FlowError } from '../../src/flows/flow-error.ts'
import { startLocal } from '../../src/flows/interactions.ts'
import { type OpenInteraction, openInteraction } from '../../src/flows/login.ts'
import type { Outcome } from '../../src/flows/outcome.ts'
import { takeCallback } from '../../src/flows/upstream-callback.ts'
import { ISSUER } from './app.ts'
import type { Engine } from './engine.ts'
import { type Facts, factsOf, signedIn } from './facts.ts'
import {
  ACCOUNTS,
  type AccountName,
  ADDRESSES,
  type Journey,
  type People,
  type Place,
  QUESTIONS,
  type Who,
} from './people.ts'

export interface Move {
  readonly name: string
  readonly run: (stage: Stage) => Promise<unknown>
}

/** Where a step is taken, and whether whoever takes it saw, when they began, that they were signed in as themselves. */
export interface Standing {
  readonly who: Who
  readonly place: Place
  readonly own: boolean
}

export class Stage {
  readonly engine: Engine
  readonly before: Facts
  people: People
  /** What the server answered, for who reads the trace. */
  answer = ''
  #resetLink: { readonly reader: Who; readonly ticket: string } | undefined

  constructor(engine: Engine, before: Facts) {
    this.engine = engine
    this.before = before
    this.people = before.people
  }

  /** Takes one step. A refusal is the server's good right: whoever was refused gives up what they were about. */
  async step(standing: Standing, take: (request: BrowserRequest) => Promise<Outcome>): Promise<Outcome | undefined> {
    const { who, place } = standing
    try {
      const outcome = await take(await this.engine.request(place, this.people))
      await this.#keepSession(standing, outcome)
      this.#follow(standing, outcome)
      return outcome
    } catch (error) {
      if (!(error instanceof FlowError)) throw error
      this.answer = `refused: ${error.code}`
      this.journey(who, undefined)
      return undefined
    } finally {
      this.readMails(who)
    }
  }

  /** Opens a sign-in page, as whoever is signed in. */
  async openSignIn(request: BrowserRequest): Promise<OpenInteraction> {
    const { deps, storage } = this.engine
    const { userId } = request.session ?? {}
    const began = userId === undefined ? {} : { userId }
    const given = { request, purpose: 'sign-in', returnTo: `${ISSUER}account`, ...began } as const
    return this.open(request, await storage.transaction((tx) => startLocal(tx, deps, given)))
  }

  open(request: BrowserRequest, uid: string): Promise<OpenInteraction> {
    return openInteraction(this.engine.deps, request, uid)
  }

  /** The provider knows who is there, and sends the browser back. */
  async comeBack(request: BrowserRequest, sentTo: Outcome, account: AccountName): Promise<Outcome> {
    const { path, state } = answerOf(sentTo, account)
    return this.callback(request, { path, state, account })
  }

  callback(
    request: BrowserRequest,
    { path, state, account }: { path: string; state: string; account: AccountName },
  ): Promise<Outcome> {
    return takeCallback(this.engine.deps, request, { path, answer: new URLSearchParams({ state, code: account }) })
  }

  journey(who: Who, journey: Journey | undefined): void {
    const { [who]: _, ...others } = this.people.journeys
    this.people = { ...this.people, journeys: journey === undefined ? others : { ...others, [who]: journey } }
  }

  session(place: Place, session: { cookie: string; by: Who } | undefined): void {
    const { [place]: _, ...others } = this.people.sessions
    this.people = { ...this.people, sessions: session === undefined ? others : { ...others, [place]: session } }
  }

  /** How things stand when the move is over. */
  end(): Facts {
    const { engine, people } = this
    const after = factsOf(engine, engine.storage.look(), people)
    const own = people.sessions.victim?.by === 'victim' ? signedIn(after, 'victim') : undefined
    if (own === undefined || people.entered.includes(own)) return after
    this.people = { ...people, entered: [...people.entered, own].sort() }
    return { ...after, people: this.people }
  }

  async #keepSession({ who, place }: Standing, { cookies = [] }: Outcome): Promise<void> {
    for (const line of cookies) {
      const cookie = /^__Host-tenon_session=([^;]*)/.exec(line)?.[1]
      if (cookie === '') this.session(place, undefined)
      else if (cookie !== undefined) this.session(place, { cookie, by: (await this.#goesOn(place, cookie)) ?? who })
    }
  }

  /** Another id for the session that stood is no other sign-in. */
  async #goesOn(place: Place, cookie: string): Promise<Who | undefined> {
    const session = await this.engine.storage.artifacts.find('Session', sha256Hex(cookie))
    return session?.userId === signedIn(this.before, place) ? this.people.sessions[place]?.by : undefined
  }

  /** A page that asks is kept open; every other end is the end. */
  #follow({ who, place, own }: Standing, outcome: Outcome): void {
    if (outcome.kind === 'page') {
      this.answer = outcome.page.name
      if (outcome.page.name !== 'verify-email') this.journey(who, undefined)
      return
    }
    const url = new URL(outcome.url, ISSUER)
    const uid = url.searchParams.get('state') ?? ''
    if (url.pathname === '/u/address') {
      this.answer = url.pathname
      this.journey(who, { kind: 'address', own, place, uid, code: undefined })
      return
    }
    if (url.pathname === '/u/mail-code') {
      this.answer = url.pathname
      this.journey(who, { kind: 'mail-code', own, place, uid, code: undefined })
      return
    }
    const question = QUESTIONS.find((one) => url.pathname === `/u/${one}`)
    this.answer = url.host === new URL(ISSUER).host ? url.pathname : `to ${url.host}`
    const proof = url.searchParams.get('proof') ?? undefined
    this.journey(who, question && { kind: 'question', own, place, question, uid, proof })
  }

  readMails(who: Who): void {
    for (const mail of this.engine.takeMails()) {
      const reader = (['victim', 'attacker'] as const).find((one) => ADDRESSES[one] === mail.to)
      if (reader === undefined) continue
      const journey = this.people.journeys[reader]
      const awaited = journey?.kind === 'code' || journey?.kind === 'address' || journey?.kind === 'mail-code'
      if (mail.template === 'verify-code' && reader === who && awaited)
        this.journey(reader, { ...journey, code: mail.values.code })
      const ticket = 'link' in mail.values ? new URL(mail.values.link).searchParams.get('ticket') : null
      if (ticket !== null && mail.template !== 'reset-link') this.#keepTicket(reader, ticket)
      if (ticket !== null && mail.template === 'reset-link') this.#resetLink = { reader, ticket }
    }
  }

  /** The link for a new password that came in this move. */
  takeResetLink(who: Who): string | undefined {
    return this.#resetLink?.reader === who ? this.#resetLink.ticket : undefined
  }

  #keepTicket(reader: Who, ticket: string): void {
    const { tickets } = this.people
    this.people = { ...this.people, tickets: { ...tickets, [reader]: [...tickets[reader], ticket] } }
  }
}

/** What a provider's answer to a redirect is. */
export function answerOf(sentTo: Outcome, account: AccountName): { path: string; state: string; account: AccountName } {
  if (sentTo.kind !== 'redirect') throw new Error('the server did not send the browser to a provider')
  const state = new URL(sentTo.url).searchParams.get('state') ?? ''
  return { path: `/login/callback/${ACCOUNTS[account].provider}`, state, account }
}
