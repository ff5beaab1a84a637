// The agent's two pages and its errors. They work without scripts and wear Tenon's stylesheet.
import { Html, html } from './html.ts'

export const QUESTION = 'What is on tomorrow, and which pull requests wait for me?'

export interface Frame {
  readonly issuer: string
  /** The person, when signed in. */
  readonly name?: string | undefined
}

export function welcomePage(frame: Frame): string {
  return page(frame, {
    title: 'An agent that asks first',
    name: 'demo-welcome',
    width: 'letter',
    main: html`<div class="sheet stack">
<h1>An agent that asks first</h1>
<p>Sign in with your calendar, then ask it: <q>${QUESTION}</q></p>
<p>It knows your calendar from signing in. For the pull requests it will ask you to connect another account. It never sees a
password, and it keeps no key to your accounts: those lie with Tenon.</p>
<p><a class="btn go full" href="/login">Sign in</a></p>
<p class="small soft">Everything here runs on this machine: the agent, Tenon, and the two providers.</p>
</div>`,
  })
}

export function chatPage(frame: Frame, turns: Html): string {
  return page(frame, {
    title: 'Talk with the demo agent',
    name: 'demo-agent',
    width: 'letter two stack',
    main: html`<h1 class="sr">Talk with the demo agent</h1>
${turns}
<form class="inline" method="post" action="/say" data-form="say">
<div class="field"><label for="say">Ask something</label><input id="say" name="say" autocomplete="off" maxlength="256" required></div>
<button class="btn go">Send</button>
</form>`,
  })
}

export function problemPage(frame: Frame, title: string, text: string): string {
  return page(frame, {
    title,
    name: 'demo-error',
    width: 'letter',
    main: html`<div class="sheet stack"><h1>${title}</h1><p>${text}</p><p><a class="btn" href="/">Back to the agent</a></p></div>`,
  })
}

interface Page {
  readonly title: string
  readonly name: string
  readonly width: string
  readonly main: Html
}

const MARK = new Html(
  '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path class="tongue" d="M2 4h8v5h6.5v6H10v5H2z"/><path d="M12 4h10v16H12v-3.5h6.5v-9H12z"/></svg>',
)

function page({ issuer, name }: Frame, { title, name: pageName, width, main }: Page): string {
  const nav = html`<nav aria-label="Demo"><a href="/" aria-current="page">Talk</a><a href="${issuer}account">Your account at Tenon</a></nav>`
  const footer = html`<div class="wrap"><footer class="foot"><span>Signed in as <bdi>${name}</bdi></span>
<form method="post" action="/sign-out" data-form="sign-out"><button class="btn s">Sign out</button></form></footer></div>`
  return html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Tenon demo</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/tenon.css">
</head>
<body data-page="${pageName}">
<a class="skip" href="#main">Skip to the content</a>
<header class="bar"><div class="wrap">
<a class="head" href="/">${MARK}<span>Demo agent</span></a>
${name === undefined ? undefined : nav}
</div></header>
<main id="main" class="${width}">
${main}
</main>
${name === undefined ? undefined : footer}
</body>
</html>
`.text
}
