// The pages of our own on the way to a connected account: which one, and a credential that is typed.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import type { BrowserRequest } from '../flows/browser-request.ts'
import { type CredentialAnswer, credentialPage, submitCredential } from '../flows/credential.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { FlowError } from '../flows/flow-error.ts'
import { getInteraction, type Interaction, type LocalPurpose } from '../flows/interactions.ts'
import { submitWhich, type WhichAnswer, whichAccountPage } from '../flows/which-account.ts'
import type { Answering } from './link-routes.ts'

type Form = Readonly<Record<string, string | undefined>>

export function connectRoutes(app: Hono<{ Bindings: HttpBindings }>, deps: FlowDeps, { show, take }: Answering): void {
  /** A form of one page does not answer another (T-LINK-05). */
  const open = async (request: BrowserRequest, { state }: Form, purpose: LocalPurpose): Promise<Interaction> => {
    const interaction = await getInteraction(deps, request, state)
    if (interaction.local !== purpose) throw new FlowError('interaction_expired')
    return interaction
  }
  app.get(
    '/u/credential',
    show(async (request, query) => credentialPage(deps, request, await open(request, query, 'credential'))),
  )
  app.post(
    '/u/credential',
    take(async (request, form) =>
      submitCredential(deps, request, await open(request, form, 'credential'), credentialAnswer(form)),
    ),
  )
  app.get(
    '/u/which-account',
    show(async (request, query) => whichAccountPage(deps, request, await open(request, query, 'which-account'))),
  )
  app.post(
    '/u/which-account',
    take(async (request, form) =>
      submitWhich(deps, request, await open(request, form, 'which-account'), whichAnswer(form)),
    ),
  )
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
