// The questions that a person is asked when an account arrives: suggest, choose, conflict, merge, a client's wish to link,
// and the proof that some of them want.
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { choosePage, submitChoose } from '../flows/choose.ts'
import { clientLinkPage, submitClientLink } from '../flows/client-link.ts'
import { conflictPage, submitConflict } from '../flows/conflict.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { FlowError } from '../flows/flow-error.ts'
import { type OpenInteraction, openInteraction } from '../flows/login.ts'
import { mailCodePage, submitMailCode } from '../flows/mail-sign-in.ts'
import { mergePage, submitMerge } from '../flows/merge.ts'
import type { Outcome } from '../flows/outcome.ts'
import { finishProof, provePage, submitProof } from '../flows/prove.ts'
import { signIn } from '../flows/sign-in.ts'
import { submitSuggest, suggestPage } from '../flows/suggest.ts'

type Env = { Bindings: HttpBindings }
type Form = Readonly<Record<string, string | undefined>>
type Show = (step: (request: BrowserRequest, query: Form) => Promise<Outcome>) => (c: Context<Env>) => Promise<Response>
type Take = (step: (request: BrowserRequest, form: Form) => Promise<Outcome>) => (c: Context<Env>) => Promise<Response>

/** How the other routes of a browser answer with a step; `take` has checked that the form is ours. */
export interface Answering {
  readonly show: Show
  readonly take: Take
}

export function linkRoutes(app: Hono<Env>, deps: FlowDeps, { show, take }: Answering): void {
  const open = (request: BrowserRequest, { state }: Form): Promise<OpenInteraction> =>
    openInteraction(deps, request, state)

  app.get(
    '/u/suggest',
    show(async (request, query) => suggestPage(deps, await open(request, query))),
  )
  app.post(
    '/u/suggest',
    take(async (request, form) => submitSuggest(deps, request, await open(request, form), suggested(form))),
  )
  app.get(
    '/u/choose',
    show(async (request, query) => choosePage(deps, request, await open(request, query))),
  )
  app.post(
    '/u/choose',
    take(async (request, form) => submitChoose(deps, request, await open(request, form), chosen(form))),
  )
  app.get(
    '/u/conflict',
    show(async (request, query) => conflictPage(deps, request, await open(request, query))),
  )
  app.post(
    '/u/conflict',
    take(async (request, form) => answerConflict(deps, request, await open(request, form), form)),
  )
  app.get(
    '/u/merge',
    show(async (request, query) =>
      mergePage(deps, request, await open(request, query), {
        remains: sideNamed(query),
        stale: query.stale !== undefined,
      }),
    ),
  )
  app.post(
    '/u/merge',
    take(async (request, form) => submitMerge(deps, request, await open(request, form), merged(form))),
  )
  app.get(
    '/u/link',
    show(async (request, query) => clientLinkPage(deps, request, await open(request, query))),
  )
  app.post(
    '/u/link',
    take(async (request, form) => submitClientLink(deps, request, await open(request, form), confirmed(form))),
  )
  app.get(
    '/u/mail-code',
    show(async (request, query) => mailCodePage(await open(request, query), { code: query.code })),
  )
  app.post(
    '/u/mail-code',
    take(async (request, form) => takeMailCode(deps, request, await open(request, form), form)),
  )
  app.get(
    '/u/prove',
    show(async (request, query) => provePage(deps, request, await open(request, query), query.proof)),
  )
  app.post(
    '/u/prove',
    take(async (request, form) => submitProof(deps, request, await open(request, form), proofForm(form))),
  )
}

/** The right code signs in, or proves what was asked. */
async function takeMailCode(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { code, action, resend }: Form,
): Promise<Outcome> {
  const answer = resend !== undefined ? 'resend' : action === 'cancel' ? 'cancel' : 'code'
  const result = await submitMailCode(deps, request, open, { code, answer })
  if (result.kind === 'outcome') return result.outcome
  const { interaction, arrival, proves } = result
  return proves === undefined
    ? signIn(deps, request, interaction, arrival)
    : finishProof(deps, request, interaction, { arrival, proves })
}

/** "Use another account" leads to the provider again, which only a client's wish has. */
const answerConflict = (
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  form: Form,
): Promise<Outcome> =>
  form.prompt === undefined
    ? submitConflict(deps, request, open, chosen(form))
    : submitClientLink(deps, request, open, 'another')

/** @throws {FlowError} `invalid_request`: a form without a button of ours. */
function suggested({ action, method }: Form): Parameters<typeof submitSuggest>[3] {
  if (action === 'link') return { action, method }
  if (action === 'keep_separate' || action === 'not_me') return { action }
  throw new FlowError('invalid_request')
}

function chosen({ action }: Form): 'link' | 'continue' | 'cancel' {
  if (action === 'link' || action === 'continue' || action === 'cancel') return action
  throw new FlowError('invalid_request')
}

function confirmed({ action, prompt }: Form): 'confirm' | 'cancel' | 'another' {
  if (prompt !== undefined) return 'another'
  return action === 'confirm' ? 'confirm' : 'cancel'
}

function merged({ action, primary, plan_hash: planHash }: Form): Parameters<typeof submitMerge>[3] {
  if (action === 'cancel') return { action }
  if (action === 'continue') return { action, remains: sideNamed({ primary }) }
  if (action === 'confirm') return { action, remains: sideNamed({ primary }), planHash }
  throw new FlowError('invalid_request')
}

const sideNamed = ({ primary }: Form): 'own' | 'other' | undefined =>
  primary === 'own' || primary === 'other' ? primary : undefined

const proofForm = ({
  proof,
  connection,
  username,
  password,
  email,
  passkey,
}: Form): Parameters<typeof submitProof>[3] => ({
  proof,
  connection,
  username,
  password,
  email,
  passkey,
})
