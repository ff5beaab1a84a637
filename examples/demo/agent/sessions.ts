// Who talks with the agent in which browser. In memory: the demo forgets everything when it stops.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Part, Question } from './answer.ts'
import type { ConnectHint, Departure, PendingConnect, SignedIn } from './tenon.ts'

export interface Session {
  readonly id: string
  /** While the person signs in at Tenon. */
  departure?: Departure | undefined
  /** Who signed in, and Tenon's refresh token. */
  signedIn?: SignedIn | undefined
  /** While the person connects an account at Tenon. */
  connecting?: PendingConnect | undefined
  /** What the agent asked to have connected, and for which question; until the person has decided. */
  open?: { readonly connect: ConnectHint; readonly question: Question } | undefined
  readonly turns: Turn[]
}

export interface Turn {
  /** Undefined where the agent goes on by itself. */
  readonly question: Question | undefined
  readonly parts: readonly Part[]
}

const COOKIE = 'demo_agent'
const MOST_SESSIONS = 1000

export class Sessions {
  readonly #sessions = new Map<string, Session>()

  find(request: IncomingMessage): Session | undefined {
    const cookies = (request.headers.cookie ?? '').split(/;\s*/)
    const value = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
    return value === undefined ? undefined : this.#sessions.get(value)
  }

  /** Always under a new id: nobody can have planted it. */
  start(signedIn?: SignedIn): Session {
    const session: Session = { id: randomBytes(24).toString('base64url'), signedIn, turns: [] }
    const [oldest] = this.#sessions.keys()
    if (oldest !== undefined && this.#sessions.size >= MOST_SESSIONS) this.#sessions.delete(oldest)
    this.#sessions.set(session.id, session)
    return session
  }

  end({ id }: Session): void {
    this.#sessions.delete(id)
  }
}

/** `Lax`: the browser sends it when Tenon leads back to us, and with nothing that another site posts. */
export const sessionCookie = ({ id }: Session): string => `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax`

export const noCookie = `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`
