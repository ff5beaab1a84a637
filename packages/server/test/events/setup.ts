// A mailer over a database of its own, with a clock that the test moves.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import type { Mail } from '../../src/events/mail.ts'
import { queueMail } from '../../src/events/mail-queue.ts'
import { transportFromUrl } from '../../src/events/mail-transport.ts'
import { createMailer } from '../../src/events/mailer.ts'
import { createLog } from '../../src/lib/log.ts'
import { openStorage } from '../../src/storage/open.ts'

export const START = 1_800_000_000

/** @param url a mail URL; default: a folder of its own. */
export async function mailerFor(t: TestContext, url?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-mail-'))
  const outbox = join(folder, 'outbox')
  const storage = await openStorage({ url: 'sqlite::memory:' })
  const keyring = openKeyring({ source: `file:${join(folder, 'vault.key')}`, create: true, pollMs: 0 })
  const lines: string[] = []
  const log = createLog({ stream: { write: (line) => void lines.push(line) } })
  let now = START
  const mailer = createMailer({
    storage,
    keyring,
    transport: transportFromUrl(url ?? `file:${outbox}`),
    clock: () => now,
    leaseClock: () => now,
    log,
    from: 'no-reply@tenon.test',
    pollMs: 20,
  })
  t.after(async () => {
    await mailer.stop()
    await storage.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    mailer,
    storage,
    keyring,
    outbox,
    logs: () => lines.join(''),
    queue: (mail: Mail) => storage.transaction((tx) => queueMail(tx, keyring, mail)),
    passSeconds: (seconds: number) => {
      now += seconds
    },
    abandoned: () => storage.events.list({ types: ['mail.abandoned'], limit: 10 }),
  }
}

export const codeMail = (to = 'ada@example.test'): Mail => ({
  to,
  template: 'verify-code',
  values: { tenant: 'Acme', app: 'Agent app', purpose: 'address', code: '049213', minutes: 10 },
})
