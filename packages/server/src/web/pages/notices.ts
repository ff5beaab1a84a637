// What happened just before a page: said on it, first, once.
import { notice } from './components.ts'
import type { Html } from './html.ts'
import { pluralKey, type Speaker, say } from './locale.ts'

export type Notice =
  | { readonly code: 'upstream-denied' | 'upstream-failed'; readonly connection: string }
  | { readonly code: 'session-ended' | 'password-changed' | 'code-sent' | 'link-expired' | 'passkey-refused' }
  | { readonly code: 'too-many'; readonly retryAfterSeconds: number }

export function renderNotice(speaker: Speaker, what: Notice): Html {
  return notice(words(speaker, what), { tone: TONES[what.code], announce: true })
}

const TONES = {
  'upstream-denied': 'warn',
  'upstream-failed': 'warn',
  'session-ended': 'plain',
  'password-changed': 'ok',
  'code-sent': 'ok',
  'link-expired': 'warn',
  'passkey-refused': 'warn',
  'too-many': 'warn',
} as const satisfies Record<Notice['code'], string>

function words(speaker: Speaker, what: Notice): Html {
  switch (what.code) {
    case 'upstream-denied':
    case 'upstream-failed':
      return say(speaker, `notice.${what.code}`, { connection: what.connection })
    case 'too-many': {
      const count = Math.max(1, Math.ceil(what.retryAfterSeconds / 60))
      return say(speaker, pluralKey(speaker, 'notice.too-many', count), { count })
    }
    default:
      return say(speaker, `notice.${what.code}`)
  }
}
