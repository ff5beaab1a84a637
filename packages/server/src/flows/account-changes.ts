// Carries out what a person wants of their account, once it is certain that it is they who want it.
import { startAddressChange } from './account-address.ts'
import { resumeAgent } from './account-agents.ts'
import { deleteAccount } from './account-delete.ts'
import { downloadProven } from './account-download.ts'
import { startAccountLink } from './account-link.ts'
import { changeSecondFactor } from './account-second-factor.ts'
import { undoFromAccount } from './account-undo.ts'
import { unlinkFromAccount } from './account-unlink.ts'
import type { AccountWish } from './account-wish.ts'
import { allowProven } from './approve.ts'
import type { BrowserRequest } from './browser-request.ts'
import { continueLeg } from './connect.ts'
import { carryOutConsole } from './console-changes.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

export function carryOut(deps: FlowDeps, request: BrowserRequest, wish: AccountWish): Promise<Outcome> {
  switch (wish.kind) {
    case 'link':
      return startAccountLink(deps, request, wish)
    case 'unlink':
      return unlinkFromAccount(deps, request, wish.identity)
    case 'resume-agent':
      return resumeAgent(deps, request, wish.client)
    case 'console':
      return carryOutConsole(deps, request, wish.change)
    case 'undo-link':
      return undoFromAccount(deps, request, wish)
    case 'change-address':
      return startAddressChange(deps, request, wish.address)
    case 'second-factor':
      return changeSecondFactor(deps, request, wish)
    case 'download':
      return downloadProven(deps, request)
    case 'delete-account':
      return deleteAccount(deps, request)
    case 'connect':
      return continueLeg(deps, request, wish)
    case 'approve':
      return allowProven(deps, request, wish)
  }
}
