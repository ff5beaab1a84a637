// The pages at the console's door: the one that a printed link opens, and the one for whoever may not come in.
import { button, buttonLink, heading, softLine } from './components.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

/** Looking at a link uses nothing up; pressing the button does. */
export function renderConsoleEnter({ frame, form: target }: { frame: PageFrame; form: FormTarget }): Html {
  const title = say(frame, 'console.enter.title', { tenant: frame.tenantName })
  const content = html`${heading(title, say(frame, 'console.enter.lead'))}
${form(target, { name: 'console-enter' }, button('continue', say(frame, 'console.enter.do'), { tone: 'go', full: true }))}
${softLine(say(frame, 'console.enter.if-not'))}`
  const plain = sayPlain(frame, 'console.enter.title', { tenant: frame.tenantName })
  return renderLetter(frame, { page: 'console-enter', title: plain, content })
}

/** @param reason `stale`: an operator, who entered by a link too long ago for a change. */
export function renderConsoleClosed(frame: PageFrame, reason: 'not-operator' | 'stale'): Html {
  const key = reason === 'stale' ? 'console.closed.stale' : 'console.closed'
  const lead =
    reason === 'stale'
      ? say(frame, 'console.closed.stale.lead')
      : say(frame, 'console.closed.lead', { tenant: frame.tenantName })
  const next =
    reason === 'stale'
      ? buttonLink('/console', say(frame, 'console.closed.home'))
      : buttonLink('/account', say(frame, 'console.closed.account'))
  const content = html`${heading(say(frame, `${key}.title`), lead)}
<div>${next}</div>`
  return renderLetter(frame, { page: 'console-closed', title: sayPlain(frame, `${key}.title`), content })
}
