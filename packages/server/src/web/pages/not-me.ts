// The page behind "this was not me": what happened, what we would do about it, and afterwards that it is done.
import type { Denied } from '../../flows/not-me.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { button, buttonLink, dots, heading, maskedAddress, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, say, sayPlain } from './locale.ts'

export interface NotMeView {
  readonly frame: PageFrame
  readonly form: FormTarget
  readonly denied: Denied
  readonly at: EpochSeconds
}

export function renderNotMe({ frame, form: target, denied, at }: NotMeView): Html {
  const { lead, effect } = wordsOf(frame, denied, day(frame, at))
  const effects = [effect, say(frame, 'not-me.effect.sessions'), say(frame, 'not-me.effect.keep')]
  const submit = button('not_me', say(frame, 'not-me.submit'), { tone: 'end', full: true })
  const content = html`${heading(say(frame, 'not-me.title'), lead)}
<h2>${say(frame, 'not-me.effect.title')}</h2>
${dots(effects)}
${form(target, {}, submit)}
${softLine(say(frame, 'not-me.was-me'))}`
  return renderLetter(frame, { page: 'not-me', title: sayPlain(frame, 'not-me.title'), content })
}

function wordsOf(frame: PageFrame, denied: Denied, when: Html): { readonly lead: Html; readonly effect: Html } {
  switch (denied.kind) {
    case 'joined':
      return { lead: say(frame, 'not-me.lead.joined', { day: when }), effect: say(frame, 'not-me.effect.part') }
    case 'added': {
      const { connection } = denied
      const lead = say(frame, 'not-me.lead', { connection, day: when })
      return { lead, effect: say(frame, 'not-me.effect.remove', { connection }) }
    }
    case 'second-factor': {
      const lead = say(frame, 'not-me.lead.second-factor', { day: when })
      return { lead, effect: say(frame, 'not-me.effect.second-factor') }
    }
    case 'address': {
      const address = maskedAddress(denied.former)
      const lead = say(frame, 'not-me.lead.address', { address, day: when })
      return { lead, effect: say(frame, 'not-me.effect.restore', { address }) }
    }
  }
}

export function renderNotMeDone(frame: PageFrame): Html {
  const content = html`${heading(say(frame, 'not-me.done.title'), say(frame, 'not-me.done.lead'))}
<div>${buttonLink('/account/activity', say(frame, 'not-me.done.next'), { tone: 'go' })}</div>`
  return renderLetter(frame, { page: 'not-me', title: sayPlain(frame, 'not-me.done.title'), content })
}
