// What the samples of the console's pages share.
import type { ConsoleFrame } from '../../src/web/pages/console-frame.ts'
import type { LinkView } from '../../src/web/pages/console-links.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import type { SampleWords } from './page-samples.ts'

export const AT = 1_763_800_000
export const DAY = 86_400
export const csrf = 'csrf-of-this-browser'

export const byUser = (frame: PageFrame, words: SampleWords): ConsoleFrame => ({
  frame,
  operator: { kind: 'user', name: words.publisher },
  leave: { action: '/console/leave', csrf },
})

export const byLink = (frame: PageFrame): ConsoleFrame => ({
  frame,
  operator: { kind: 'link' },
  leave: { action: '/console/leave', csrf },
})

export function linkSample(words: SampleWords): LinkView {
  return {
    id: 'lnk_000000000000000000000000',
    kind: { kind: 'joined', user: words.userId },
    rule: 'S2',
    by: { kind: 'id', id: words.userId },
    proof: { by: 'session', amr: ['pwd'], scope: words.scope },
    grades: { primary: 3, secondary: 2 },
    moved: { identities: 1, accounts: 2 },
    createdAt: AT,
    undoUntil: AT + 30 * DAY,
    canUndo: true,
    undone: undefined,
  }
}
