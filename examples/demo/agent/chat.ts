// The conversation, as markup.
import type { Part, Topic } from './answer.ts'
import type { Meeting, PullRequest } from './apis.ts'
import { type Html, html } from './html.ts'
import { QUESTION } from './pages.ts'
import type { Session, Turn } from './sessions.ts'

const TITLES: Readonly<Record<Topic, string>> = { calendar: 'Calendar', code: 'Code' }

export function renderChat({ turns, open }: Pick<Session, 'turns' | 'open'>, issuer: string): Html {
  if (turns.length === 0) return opening()
  const last = turns.length - 1
  const items = turns.flatMap((turn, index) =>
    renderTurn(turn, { number: index + 1, isLast: index === last, isOpen: index === last && open !== undefined }),
  )
  const knowsAll = turns[last]?.parts.some((part) => part.kind === 'pulls')
  return html`<ol class="chat">
${items}
${knowsAll ? afterwards(issuer) : undefined}
</ol>`
}

function opening(): Html {
  return html`<ol class="chat"><li class="stack"><p><span class="sr">Agent: </span>Good day. You could ask me:</p>
<form method="post" action="/say" data-form="suggestion"><button class="btn" name="say" value="${QUESTION}">${QUESTION}</button></form></li></ol>`
}

interface Place {
  readonly number: number
  readonly isLast: boolean
  /** What it asks for is not decided yet. */
  readonly isOpen: boolean
}

/** Where the browser is led after each question. */
export const LATEST = 'latest'

function renderTurn({ question, parts }: Turn, { number, isLast, isOpen }: Place): readonly Html[] {
  const contents = [
    ...(question ? [html`<div class="me"><span class="sr">You: </span>${question.text}</div>`] : []),
    ...parts.map((part) => renderPart(part, isOpen)),
  ]
  return contents.map((content, index) => {
    const anchor = isLast && index === 0 ? html` id="${LATEST}" tabindex="-1"` : undefined
    return html`<li class="stack" data-turn="${number}"${anchor}>${content}</li>`
  })
}

function renderPart(part: Part, isOpen: boolean): Html {
  switch (part.kind) {
    case 'say':
      return agentSays(part.text)
    case 'meetings':
      return html`${meetings(part)}${source('calendar', part.readAt, part.person)}`
    case 'pulls':
      return html`${pulls(part.pulls, part.readAt)}${source('code', part.readAt)}`
    case 'need':
      return need(part, isOpen)
    case 'trouble':
      return agentSays(`${TITLES[part.topic]} ${part.text}`)
  }
}

const agentSays = (text: string): Html => html`<p><span class="sr">Agent: </span>${text}</p>`

function meetings({ day, date, meetings: list }: Extract<Part, { kind: 'meetings' }>): Html {
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' }).format(date)
  const when = `${day === 'today' ? 'Today' : 'Tomorrow'}, ${weekday},`
  if (list.length === 0) return agentSays(`${when} nothing is in your calendar.`)
  return html`${agentSays(`${when} you have ${counted(list.length, 'meeting')}:`)}
<ol class="time">
${list.map(meeting)}
</ol>`
}

function meeting({ time, title, with: people }: Meeting): Html {
  const others = people.length === 0 ? '' : `, with ${new Intl.ListFormat('en-GB').format(people)}`
  return html`<li><time datetime="${time}">${time}</time><div><bdi>${title}</bdi>${others}</div></li>`
}

function pulls(list: readonly PullRequest[], now: Date): Html {
  if (list.length === 0) return agentSays('No pull request waits for you.')
  const verb = list.length === 1 ? 'waits' : 'wait'
  return html`${agentSays(`${capital(counted(list.length, 'pull request'))} ${verb} for you:`)}
<ol class="time">
${list.map((pull) => onePull(pull, now))}
</ol>`
}

function onePull({ title, repository, number, author, openedAt }: PullRequest, now: Date): Html {
  return html`<li><time datetime="${openedAt.toISOString()}">${age(openedAt, now)}</time><div><bdi>${title}</bdi><br>
<span class="small soft"><bdi>${repository}</bdi> #${number}, by <bdi>${author}</bdi></span></div></li>`
}

function source(topic: Topic, readAt: Date, person?: string): Html {
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }).format(readAt)
  const whose = person === undefined ? undefined : html`, <bdi>${person}</bdi>`
  return html`<div class="chip small soft">${monogram(topic, 's')}<span>Read from ${TITLES[topic]}${whose}, at ${time}</span></div>`
}

function need({ topic, reason }: Extract<Part, { kind: 'need' }>, isOpen: boolean): Html {
  const title = TITLES[topic]
  const form = html`<form class="choice" method="post" action="/connect" data-form="connect">
<button class="btn" name="action" value="cancel">Go on without</button>
<button class="btn" name="action" value="continue">Connect ${title}</button>
</form>`
  const why = reason === 'not_connected' ? 'It is not connected yet.' : 'It has to be connected again.'
  return html`<section class="sheet stack" aria-labelledby="need"><div class="chip">${monogram(topic)}<div><h2 id="need">${WANTS[topic]}</h2><p class="small soft">${why}</p></div></div>
<p>${WOULD[topic]} You are asked at Tenon, where you can say no; I never see your password.</p>
${isOpen ? form : undefined}</section>`
}

const WANTS: Readonly<Record<Topic, string>> = {
  calendar: 'For your meetings I need Calendar',
  code: 'For the pull requests I need Code',
}

const WOULD: Readonly<Record<Topic, string>> = {
  calendar: 'I would read your events.',
  code: 'I would only read which pull requests wait for you. Code has no permission as small as that: its page will speak of changing them, too.',
}

function afterwards(issuer: string): Html {
  return html`<li class="stack"><p><span class="sr">Agent: </span>I keep no key to these accounts. They lie with Tenon, and so does your account:</p>
<p><a class="btn" href="${issuer}account">Your account at Tenon</a></p></li>`
}

function monogram(topic: Topic, size = ''): Html {
  const [hue, letters] = topic === 'calendar' ? ['t4', 'Ca'] : ['t5', 'Co']
  return html`<span class="${`mono ${hue} ${size}`.trimEnd()}" aria-hidden="true">${letters}</span>`
}

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

const counted = (count: number, noun: string): string => `${NUMBERS[count] ?? count} ${noun}${count === 1 ? '' : 's'}`

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function age(since: Date, now: Date): string {
  const hours = Math.round((now.getTime() - since.getTime()) / 3_600_000)
  return hours < 24 ? `${hours} h` : `${Math.round(hours / 24)} d`
}
