// The way through the demo, step by step, as a person would go it.
import { randomInt } from 'node:crypto'
import { QUESTION } from '../agent/pages.ts'
import type { World } from '../world.ts'
import { Browser } from './browser.ts'
import { linesOf } from './markup.ts'
import type { Report } from './report.ts'
import { failureOf } from './trace.ts'

/** When the Code provider is ended, to see the walk fail. */
export type StopCode = 'never' | 'before consent' | 'after connecting'

interface Walk {
  readonly world: World
  readonly browser: Browser
  readonly stopCode: StopCode
  readonly report: Report
  /** In the person's calendar and among her pull requests, in this run alone: nobody can have made the answers up. */
  readonly proof: string
}

interface Step {
  readonly title: string
  readonly run: (walk: Walk) => Promise<void>
}

const PERSON = 'ada'

const STEPS: readonly Step[] = [
  { title: 'Open the agent', run: openAgent },
  { title: 'Sign in: Tenon asks how', run: signIn },
  { title: 'Choose Calendar, and get its consent page', run: chooseCalendar },
  { title: 'Allow it at Calendar, and come back signed in', run: allowCalendar },
  { title: 'Ask the agent; it answers from Calendar and asks to connect Code', run: ask },
  { title: 'Connect Code: over Tenon to its consent page', run: connect },
  { title: 'Allow it at Code; Tenon asks whether to connect the account', run: allowCode },
  { title: 'Confirm; the agent answers from both', run: confirm },
  { title: 'Compare the answers with what both providers hold', run: compare },
]

const LIMIT_MS = 110_000

/** @returns true when every step passed; the report names the one that did not. */
export async function walk(world: World, report: Report, stopCode: StopCode): Promise<boolean> {
  const proof = String(randomInt(1000, 10_000))
  leaveProof(world, proof)
  report.nameOrigin(world.agentUrl, 'agent')
  report.nameOrigin(world.tenon.issuer, 'tenon')
  report.nameOrigin(world.calendar.url, 'calendar')
  report.nameOrigin(world.code.url, 'code')
  const all: Walk = { world, report, browser: new Browser(report), stopCode, proof }
  const end = Date.now() + LIMIT_MS
  for (const [index, { title, run }] of STEPS.entries()) {
    report.step(index + 1, title)
    try {
      await within(end - Date.now(), run(all))
    } catch (error) {
      const reason = error instanceof Error && error.cause === undefined ? error.message : failureOf(error)
      report.verdict(`Failed at step ${index + 1}, "${title}": ${reason}`)
      return false
    }
  }
  report.verdict('The agent got real data from both.')
  return true
}

function leaveProof({ calendar, code }: World, proof: string): void {
  calendar.events
    .get(PERSON)
    ?.push({ inDays: 1, at: '17:00', minutes: 15, summary: `Look at note ${proof}`, attendees: ['mary'] })
  code.pullRequests.push({
    repository: 'analytical/notes',
    number: 7,
    title: `Correct note ${proof}`,
    state: 'open',
    author: 'mary',
    reviewers: [PERSON],
    openedHoursAgo: 2,
  })
}

async function openAgent({ browser, world }: Walk): Promise<void> {
  await browser.open(`${world.agentUrl}/`)
  expectPage(browser, 'demo-welcome')
}

async function signIn({ browser }: Walk): Promise<void> {
  await browser.follow('Sign in')
  expectPage(browser, 'login')
}

async function chooseCalendar({ browser }: Walk): Promise<void> {
  await browser.submit('connection', { connection: 'calendar' })
  expectPage(browser, 'provider-consent')
}

async function allowCalendar({ browser }: Walk): Promise<void> {
  await browser.submit('provider-consent', { change: { user: PERSON }, button: yes('allow') })
  expectPage(browser, 'demo-agent')
}

async function ask({ browser, world, report, proof }: Walk): Promise<void> {
  await browser.submit('say', { change: { say: QUESTION } })
  expectPage(browser, 'demo-agent')
  quoteChat(browser, report)
  expectText(browser, `Look at note ${proof}`)
  expectText(browser, 'For the pull requests I need Code')
  if (world.code.calls('api').length > 0) throw new Error('Code was read before it was connected')
}

async function connect({ browser, world, report, stopCode }: Walk): Promise<void> {
  if (stopCode === 'before consent') await endCode(world, report)
  await browser.submit('connect', { button: yes('continue') })
  expectPage(browser, 'provider-consent')
}

async function allowCode({ browser }: Walk): Promise<void> {
  await browser.submit('provider-consent', { change: { user: PERSON }, button: yes('allow') })
  expectPage(browser, 'link-confirm')
}

async function confirm({ browser, world, report, stopCode, proof }: Walk): Promise<void> {
  if (stopCode === 'after connecting') await endCode(world, report)
  await browser.submit('link-confirm', { button: yes('confirm') })
  expectPage(browser, 'demo-agent')
  quoteChat(browser, report)
  expectText(browser, `Correct note ${proof}`)
}

async function compare({ browser, world, report }: Walk): Promise<void> {
  const { calendar, code } = world
  const meetings = (calendar.events.get(PERSON) ?? []).filter(({ inDays }) => inDays === 1)
  for (const { summary, at } of meetings) expectText(browser, `${at} ${summary}`)
  const waiting = code.pullRequests.filter(({ state, reviewers }) => state === 'open' && reviewers.includes(PERSON))
  for (const { title } of waiting) expectText(browser, title)
  for (const provider of [calendar, code]) {
    const calls = provider.calls('api')
    const answered = calls.filter(({ status, user }) => status === 200 && user === PERSON)
    if (answered.length === 0) throw new Error(`${provider.title} answered no call of ${PERSON}'s agent`)
    report.note(`${provider.title}: ${answered.length} of ${calls.length} calls answered with a token of ${PERSON}'s`)
  }
  report.note(`${meetings.length} meetings and ${waiting.length} pull requests, each one on the agent's page`)
}

async function endCode({ code }: World, report: Report): Promise<void> {
  await code.stop()
  report.note('(the Code provider was ended)')
}

/** Shows the last turn of the conversation as it stands on the page. */
function quoteChat({ page: { markup } }: Browser, report: Report): void {
  const turns = [...markup.matchAll(/<li\b[^>]*data-turn="(\d+)"/g)]
  const start = turns.find(([, turn]) => turn === turns.at(-1)?.[1])?.index
  const lines = linesOf(markup.slice(start, markup.indexOf('<form class="inline"')))
  for (const line of lines) report.note(`| ${line}`)
}

const yes = (value: string) => ({ name: 'action', value })

function expectPage(browser: Browser, name: string): void {
  if (browser.name !== name)
    throw new Error(`expected page "${name}", found "${browser.name}" with status ${browser.page.status}`)
}

function expectText(browser: Browser, text: string): void {
  if (!browser.text.includes(text)) throw new Error(`page "${browser.name}" does not say "${text}"`)
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), Math.max(0, ms))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
