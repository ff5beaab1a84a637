/** The look of a provider's own pages: plain on purpose, so that nobody takes them for pages of the server under test. */
import { type Answer, textAnswer } from './http.ts'

export const STYLESHEET_PATH = '/consent.css'

export function stylesheet(): Answer {
  return textAnswer(200, CSS, { 'content-type': 'text/css; charset=utf-8' })
}

const CSS = `
:root { color-scheme: light dark; --page: #eef1f6; --card: #fff; --ink: #1b2333; --soft: #55607a; --line: #7a859e; --focus: #1f4fb8; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161f; --card: #1b2130; --ink: #e8ecf5; --soft: #a9b4cc; --line: #75819c; --focus: #9dbcff; }
}
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 28rem; margin: 0 auto; padding: 2rem 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.5rem; }
.brand { margin: 0 0 1rem; font-weight: 700; }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.3; }
h2, legend { margin: 0; padding: 0; font-size: 1rem; font-weight: 700; }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; min-width: 0; }
label { display: flex; gap: .75rem; align-items: start; padding: .375rem 0; }
label small { display: block; }
small, .soft, code { color: var(--soft); font-size: .875rem; }
ul { margin: .25rem 0 1.25rem; padding-inline-start: 1.25rem; }
input { accent-color: var(--focus); width: 1.125rem; height: 1.125rem; flex: none; margin: .1875rem 0 0; }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
button { flex: 1 1 8rem; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--card); color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button:hover { border-color: var(--ink); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
`
