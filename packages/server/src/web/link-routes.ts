// The questions that a person is asked when an account arrives: suggest, choose, conflict, merge, a client's wish to link,
// and the proof that some of them want.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { choosePage, submitChoose } from '../flows/choose.ts'
import { clientLinkPage, submitClientLink } from '../flows/client-link.ts'
import { conflictPage, submitConflict } from '../flows/conflict.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { FlowError } from '../flows/flow-error.ts'
import { type OpenInteraction, openInteraction } from '../flows/login.ts'
import { type MailCodeForm, mailCodePage } from '../flows/mail-sign-in.ts'
import { mergePage, submitMerge } from '../flows/merge.ts'
import type { Outcome } from '../flows/outcome.ts'
import { provePage, submitProof } from '../flows/prove.ts'
import { submitSuggest, suggestPage } from '../flows/suggest.ts'
import { takeMailCode } from '../flows/take-mail-code.ts'
import { type Answering, type Place, servePlace } from './place.ts'

type Env = { Bindings: HttpBindings }
type Form = Readonly<Record<string, string | undefined>>
export function linkRoutes(app: Hono<Env>, deps: FlowDeps, answering: Answering): void {
  const open = (request: BrowserRequest, { state }: Form) => openInteraction(deps, request, state)
  const serve = (path: string, place: Omit<Place<OpenInteraction>, 'open'>) =>
    servePlace(app, answering, path, { open, ...place })

  serve('/u/suggest', {
    look: (_request, about) => suggestPage(deps, about),
    answer: (request, about, form) => submitSuggest(deps, request, about, suggested(form)),
  })
  serve('/u/choose', {
    look: (request, about) => choosePage(deps, request, about),
    answer: (request, about, form) => submitChoose(deps, request, about, chosen(form)),
  })
  serve('/u/conflict', {
    look: (request, about) => conflictPage(deps, request, about),
    answer: (request, about, form) => answerConflict(deps, request, about, form),
  })
  serve('/u/merge', {
    look: (request, about, query) =>
      mergePage(deps, request, about, { remains: sideNamed(query), stale: query.stale !== undefined }),
    answer: (request, about, form) => submitMerge(deps, request, about, merged(form)),
  })
  serve('/u/link', {
    look: (request, about) => clientLinkPage(deps, request, about),
    answer: (request, about, form) => submitClientLink(deps, request, about, confirmed(form)),
  })
  serve('/u/mail-code', {
    look: (_request, about, { code }) => mailCodePage(about, { code }),
    answer: (request, about, form) => takeMailCode(deps, request, about, mailCodeForm(form)),
  })
  serve('/u/prove', {
    look: (request, about, { proof }) => provePage(deps, request, about, proof),
    answer: (request, about, form) => submitProof(deps, request, about, proofForm(form)),
  })
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

const mailCodeForm = ({ code, action, resend }: Form): MailCodeForm => ({
  code,
  answer: resend !== undefined ? 'resend' : action === 'cancel' ? 'cancel' : 'code',
})

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
