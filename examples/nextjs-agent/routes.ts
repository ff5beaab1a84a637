// The app's handlers, as Next.js would mount them: `proxy.ts` for /auth, a page at /, `app/ask/route.ts` at /ask.
import type { NextRequest } from 'next/server.js'
import { escapeHtml, page } from '../local/page.ts'
import { type Answer, ask } from './agent.ts'
import { auth0 } from './auth0.ts'

export async function route(request: NextRequest): Promise<Response> {
  const { pathname } = request.nextUrl
  if (pathname.startsWith('/auth/')) return auth0.middleware(request)
  if (pathname === '/') return home(request)
  if (pathname === '/ask' && request.method === 'POST') return answer(request)
  return new Response('Not found', { status: 404 })
}

async function home(request: NextRequest): Promise<Response> {
  const session = await auth0.getSession(request)
  if (session === null) return html('welcome', '<h1>An agent</h1><p><a href="/auth/login">Sign in</a></p>')
  return html('agent', form(request.nextUrl.searchParams.get('question') ?? 'What is on tomorrow?'))
}

async function answer(request: NextRequest): Promise<Response> {
  const session = await auth0.getSession(request)
  const refreshToken = session?.tokenSet.refreshToken
  if (refreshToken === undefined) return Response.redirect(new URL('/auth/login', request.url), 303)
  const question = String((await request.formData()).get('question') ?? '')
  return html('agent', `${form(question)}${said(question, await ask(question, refreshToken))}`)
}

function said(question: string, heard: Answer): string {
  if (heard.kind === 'text') return `<p data-answer>${escapeHtml(heard.text)}</p>`
  const query = new URLSearchParams({
    connection: heard.connection,
    returnTo: `/?${new URLSearchParams({ question })}`,
  })
  for (const scope of heard.scopes) query.append('scopes', scope)
  const href = escapeHtml(`/auth/connect?${query}`)
  return `<p data-connect>For that I need your ${heard.connection}. <a href="${href}">Connect it</a></p>`
}

const form = (question: string) =>
  `<h1>An agent</h1><form method="post" action="/ask"><label>Ask <input name="question" value="${escapeHtml(question)}"></label>
<button>Ask</button></form>`

const html = (name: string, content: string) =>
  new Response(page(name, content), { headers: { 'content-type': 'text/html; charset=utf-8' } })
