// The pages of our own on the way to a connected account: which one, and a credential that is typed.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { type CredentialAnswer, credentialPage, submitCredential } from '../flows/credential.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { FlowError } from '../flows/flow-error.ts'
import { getInteraction, type LocalPurpose } from '../flows/interactions.ts'
import { submitWhich, type WhichAnswer, whichAccountPage } from '../flows/which-account.ts'
import { type Answering, servePlace } from './place.ts'

type Form = Readonly<Record<string, string | undefined>>

export function connectRoutes(app: Hono<{ Bindings: HttpBindings }>, deps: FlowDeps, answering: Answering): void {
  /** A form of one page does not answer another (T-LINK-05). */
  const openAs =
    (purpose: LocalPurpose) =>
    async (request: BrowserRequest, { state }: Form) => {
      const interaction = await getInteraction(deps, request, state)
      if (interaction.local !== purpose) throw new FlowError('interaction_expired')
      return interaction
    }
  servePlace(app, answering, '/u/credential', {
    open: openAs('credential'),
    look: (request, about) => credentialPage(deps, request, about),
    answer: (request, about, form) => submitCredential(deps, request, about, credentialAnswer(form)),
  })
  servePlace(app, answering, '/u/which-account', {
    open: openAs('which-account'),
    look: (request, about) => whichAccountPage(deps, request, about),
    answer: (request, about, form) => submitWhich(deps, request, about, whichAnswer(form)),
  })
}

function credentialAnswer({ action, username, secret, label }: Form): CredentialAnswer {
  if (action === 'cancel') return { kind: 'cancel' }
  return { kind: 'typed', typed: { username, secret, label } }
}

function whichAnswer({ action, account }: Form): WhichAnswer {
  if (action === 'cancel' || action === 'another') return { kind: action }
  if (account === undefined) throw new FlowError('invalid_request')
  return { kind: 'account', id: account }
}
