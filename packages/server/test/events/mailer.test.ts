import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { queueMail } from '../../src/events/mail-queue.ts'
import { senderOf, transportFromUrl } from '../../src/events/mail-transport.ts'
import { eventually } from '../support/http.ts'
import { codeMail, mailerFor } from './setup.ts'
import { startSmtpServer } from './smtp-server.ts'

test('outbox: a mail becomes one private .eml file that mail programs read', async (t) => {
  const { mailer, queue, outbox } = await mailerFor(t)
  await queue(codeMail())
  assert.equal(await mailer.deliverNow(), 1)
  const files = readdirSync(outbox)
  assert.equal(files.length, 1)
  const file = join(outbox, files[0] ?? '')
  assert.match(file, /\.eml$/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(outbox).mode & 0o777, 0o700)
  const text = readFileSync(file, 'latin1')
  assert.match(text, /^From: Acme <no-reply@tenon\.test>\r$/m)
  assert.match(text, /^To: ada@example\.test\r$/m)
  assert.match(text, /^Subject: Your code for Acme\r$/m)
  assert.match(text, /^Auto-Submitted: auto-generated\r$/m)
  assert.match(text, /^Date: Fri, 15 Jan 2027 08:00:00 \+0000\r$/m)
  assert.match(text, /049213/)
})

test('outbox: a second try of one mail replaces the first', async (t) => {
  const { outbox } = await mailerFor(t)
  const transport = transportFromUrl(`file:${outbox}`)
  const from = { name: 'Acme', address: 'no-reply@tenon.test' }
  const mail = { id: 'mail_1', from, to: 'ada@example.test', subject: 'x', text: 'one', at: 0 }
  await transport.send(mail)
  await transport.send({ ...mail, text: 'two' })
  assert.deepEqual(readdirSync(outbox), ['mail_1.eml'])
})

test('a mail of a transaction that fails is never sent', async (t) => {
  const { mailer, storage, keyring } = await mailerFor(t)
  await assert.rejects(
    storage.transaction(async (tx) => {
      await queueMail(tx, keyring, codeMail())
      throw new Error('changed my mind')
    }),
  )
  assert.equal(await mailer.deliverNow(), 0)
})

test('the queue holds neither address nor code in clear', async (t) => {
  const { queue, storage } = await mailerFor(t)
  await queue(codeMail())
  const [job] = await storage.transaction((tx) => tx.mails.claim({ now: 1, leaseSeconds: 1, limit: 5 }))
  assert.ok(job)
  assert.doesNotMatch(Buffer.from(job.envelope).toString('latin1'), /ada@|049213|verify/)
})

test('a started mailer sends what is queued later, and nothing after it was stopped', async (t) => {
  const { mailer, queue, outbox } = await mailerFor(t)
  mailer.start()
  await queue(codeMail())
  await eventually('the mail', () => count(outbox) === 1)
  await mailer.stop()
  await queue(codeMail())
  await sleep(80)
  assert.equal(count(outbox), 1)
})

test('deliverNow sends all that is due, more than one batch too', async (t) => {
  const { mailer, queue, outbox } = await mailerFor(t)
  for (let turn = 0; turn < 23; turn++) await queue(codeMail(`p${turn}@example.test`))
  assert.equal(await mailer.deliverNow(), 23)
  assert.equal(count(outbox), 23)
})

test('several mailers share a queue and send each mail once', async (t) => {
  const { mailer, queue, outbox } = await mailerFor(t)
  for (let turn = 0; turn < 15; turn++) await queue(codeMail(`p${turn}@example.test`))
  const counts = await Promise.all([mailer.deliverNow(), mailer.deliverNow(), mailer.deliverNow()])
  assert.equal(counts[0] + counts[1] + counts[2], 15)
  assert.equal(count(outbox), 15)
})

test('SMTP: the mail arrives with sender, recipient and text, and the password goes to the server alone', async (t) => {
  const smtp = await startSmtpServer()
  t.after(() => smtp.stop())
  const { mailer, queue, logs } = await mailerFor(t, `smtp://tenon:p%40ss@127.0.0.1:${smtp.port}`)
  await queue(codeMail())
  assert.equal(await mailer.deliverNow(), 1)
  assert.deepEqual(smtp.logins, ['tenon:p@ss'])
  assert.equal(smtp.mails[0]?.sender, 'no-reply@tenon.test')
  assert.deepEqual(smtp.mails[0]?.recipients, ['ada@example.test'])
  assert.match(smtp.mails[0]?.raw ?? '', /049213/)
  assert.equal(logs(), '')
})

test('SMTP: what the server cannot take now is tried again, later each time, under one Message-ID', async (t) => {
  const smtp = await startSmtpServer()
  t.after(() => smtp.stop())
  const { mailer, queue, passSeconds, logs } = await mailerFor(t, `smtp://127.0.0.1:${smtp.port}`)
  smtp.refuseNext('451 4.3.0 busy', '451 4.3.0 busy')
  await queue(codeMail())
  assert.equal(await mailer.deliverNow(), 0)
  assert.equal(await mailer.deliverNow(), 0, 'not due yet')
  passSeconds(5)
  assert.equal(await mailer.deliverNow(), 0)
  passSeconds(5)
  assert.equal(await mailer.deliverNow(), 0, 'waits ten seconds now')
  passSeconds(5)
  assert.equal(await mailer.deliverNow(), 1)
  assert.match(smtp.mails[0]?.raw ?? '', /^Message-ID: <mail_\w{24}@tenon\.test>/m)
  assert.match(logs(), /"reason":"EENVELOPE 451"/)
  assert.doesNotMatch(logs(), /ada|049213/)
})

test('SMTP: a recipient that the server will never take is given up, with an event that does not name it', async (t) => {
  const smtp = await startSmtpServer()
  t.after(() => smtp.stop())
  const { mailer, queue, passSeconds, abandoned, logs } = await mailerFor(t, `smtp://127.0.0.1:${smtp.port}`)
  smtp.refuseNext('550 5.1.1 <ada@example.test>: no such user')
  await queue(codeMail())
  assert.equal(await mailer.deliverNow(), 0)
  passSeconds(3600)
  assert.equal(await mailer.deliverNow(), 0)
  assert.equal(smtp.mails.length, 0)
  const events = await abandoned()
  assert.equal(events.length, 1)
  assert.equal(events[0]?.data?.reason, 'EENVELOPE 550')
  assert.doesNotMatch(JSON.stringify(events) + logs(), /ada|049213/)
})

test('SMTP: a server that is away costs a retry, not the mail', async (t) => {
  const gone = await startSmtpServer()
  await gone.stop()
  const { mailer, queue, logs } = await mailerFor(t, `smtp://127.0.0.1:${gone.port}`)
  await queue(codeMail())
  assert.equal(await mailer.deliverNow(), 0)
  assert.match(logs(), /ECONNECTION|ESOCKET|ECONNREFUSED/)
})

test('a mail whose code has expired is not sent any more', async (t) => {
  const { mailer, queue, passSeconds, abandoned, outbox } = await mailerFor(t)
  await queue({ ...codeMail(), notAfter: 1_800_000_600 })
  passSeconds(600)
  assert.equal(await mailer.deliverNow(), 0)
  assert.equal(count(outbox), 0)
  assert.equal((await abandoned())[0]?.data?.reason, 'expired')
})

test('a mail that nobody can open is taken out of the queue', async (t) => {
  const { mailer, storage, abandoned } = await mailerFor(t)
  await storage.transaction((tx) => tx.mails.add({ id: 'mail_x', envelope: new Uint8Array(60), attempts: 0, dueAt: 0 }))
  assert.equal(await mailer.deliverNow(), 0)
  assert.equal((await abandoned())[0]?.data?.reason, 'unreadable')
})

test('a mail URL of another kind is refused without repeating it', () => {
  for (const url of ['http://user:s3cret@mail.test', 'file:', 'smtp', 'smtp://']) {
    assert.throws(
      () => transportFromUrl(url),
      (error: Error) => error instanceof TypeError && !/s3cret/.test(error.message),
    )
  }
})

test('mail comes from the host of the issuer', () => {
  assert.equal(senderOf('https://id.acme.test/'), 'no-reply@id.acme.test')
  assert.equal(senderOf('http://127.0.0.1:4000/'), 'no-reply@localhost')
  assert.equal(senderOf('http://[::1]:4000/'), 'no-reply@localhost')
})

function count(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.eml')).length
  } catch {
    return 0
  }
}
