// The moves of a code that is mailed: to sign in, to prove an account, to add the mailbox as a way in.
import { startMailSignIn } from '../../src/flows/mail-sign-in.ts'
import { submitWish } from '../../src/flows/step-up.ts'
import { takeMailCode } from '../../src/flows/take-mail-code.ts'
import { MAILBOXES } from './people.ts'
import type { Move, Stage, Standing } from './stage.ts'

/** The code goes to whoever reads that address. */
export const signInByMail = (standing: Standing, email: string): Move => ({
  name: `sign in by a code mailed to ${email}`,
  run: (stage) =>
    stage.step(standing, async (request) => {
      const sent = await startMailSignIn(stage.engine.deps, request, await stage.openSignIn(request), { email })
      if (sent === undefined) throw new Error(`${email} is no address`)
      return sent
    }),
})

/** @param code undefined: whoever did not get it guesses. */
export const typeMailCode = (standing: Standing, uid: string, code: string | undefined): Move => ({
  name: code === undefined ? 'guess the mailed code' : 'type the mailed code',
  run: (stage) =>
    stage.step(standing, async (request) =>
      takeMailCode(stage.engine.deps, request, await stage.open(request, uid), {
        code: code ?? 'a guess',
        answer: 'code',
      }),
    ),
})

export const startMailLink = (standing: Standing): Move => ({
  name: 'start to link the mailbox',
  run: (stage) =>
    stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'link', connection: MAILBOXES, account: undefined }),
    ),
})

/** The code came by mail, and is typed at once. */
export async function typeWhatCame(stage: Stage, standing: Standing): Promise<void> {
  const journey = stage.people.journeys[standing.who]
  if (journey?.kind === 'mail-code') await typeMailCode(standing, journey.uid, journey.code).run(stage)
}
