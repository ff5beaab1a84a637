// The page behind "this was not me": what happened, what we would do about it, and afterwards that it is done.
import type { EpochSeconds } from '../../lib/time.ts'
import { button, buttonLink, dots, heading, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'

export interface NotMeView {
  readonly frame: PageFrame
  readonly form: FormTarget
  /** Undefined when two accounts became one. */
  readonly connection: string | undefined
  readonly at: EpochSeconds
}

export function renderNotMe({ frame, form: target, connection, at }: NotMeView): Html {
  const when = { day: day(frame, at) }
  const lead =
    connection === undefined
      ? say(frame, 'not-me.lead.joined', when)
      : say(frame, 'not-me.lead', { connection, ...when })
  const effects = [
    connection === undefined ? say(frame, 'not-me.effect.part') : say(frame, 'not-me.effect.remove', { connection }),
    say(frame, 'not-me.effect.sessions'),
    say(frame, 'not-me.effect.keep'),
  ]
  const submit = button('not_me', say(frame, 'not-me.submit'), { tone: 'end', full: true })
  const content = html`${heading(say(frame, 'not-me.title'), lead)}
<h2>${say(frame, 'not-me.effect.title')}</h2>
${dots(effects)}
${form(target, {}, submit)}
${softLine(say(frame, 'not-me.was-me'))}`
  return renderLetter(frame, { page: 'not-me', title: sayPlain(frame, 'not-me.title'), content })
}

export function renderNotMeDone(frame: PageFrame): Html {
  const content = html`${heading(say(frame, 'not-me.done.title'), say(frame, 'not-me.done.lead'))}
<div>${buttonLink('/account/activity', say(frame, 'not-me.done.next'), { tone: 'go' })}</div>`
  return renderLetter(frame, { page: 'not-me', title: sayPlain(frame, 'not-me.done.title'), content })
}
