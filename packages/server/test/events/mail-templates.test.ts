import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailContent } from '../../src/events/mail.ts'
import { mailMessages } from '../../src/events/mail-messages.ts'
import { renderMail } from '../../src/events/mail-templates.ts'

const LINK = 'https://id.acme.test/reset?token=s3cret-s3cret'
const SAMPLES: readonly MailContent[] = [
  {
    template: 'verify-code',
    values: { tenant: 'Acme', app: 'Board', purpose: 'sign-up', code: '049213', minutes: 10 },
  },
  { template: 'verify-code', values: { tenant: 'Acme', purpose: 'connect', code: '049213', minutes: 1 } },
  { template: 'reset-link', values: { tenant: 'Acme', link: LINK, minutes: 30 } },
  { template: 'verify-link', values: { tenant: 'Acme', app: 'Board', link: LINK, days: 5 } },
  { template: 'finish-sign-up', values: { tenant: 'Acme', link: LINK, hours: 24 } },
  { template: 'account-exists', values: { tenant: 'Acme', app: 'Board', link: LINK } },
  { template: 'password-changed', values: { tenant: 'Acme', at: 1_800_000_000, link: LINK } },
  { template: 'accounts-joined', values: { tenant: 'Acme', at: 1_800_000_000, link: LINK } },
  { template: 'accounts-parted', values: { tenant: 'Acme', at: 1_800_000_000, link: LINK } },
  { template: 'sign-in-added', values: { tenant: 'Acme', at: 1_800_000_000, link: LINK, connection: 'Board' } },
  { template: 'sign-in-removed', values: { tenant: 'Acme', at: 1_800_000_000, link: LINK } },
  { template: 'approval-asked', values: { tenant: 'Acme', app: 'Board', until: 1_800_000_000, link: LINK } },
  { template: 'approval-asked', values: { tenant: 'Acme', app: 'evil.test/now', until: 1_800_000_000, link: LINK } },
]

test('a subject names the tenant and never a secret', () => {
  for (const sample of SAMPLES) {
    const { subject } = renderMail(sample)
    assert.match(subject, /Acme/)
    assert.doesNotMatch(subject, /049213|s3cret/)
  }
})

test('every mail says what to do when it was somebody else, and leaves no name unfilled', () => {
  for (const sample of SAMPLES) {
    const { text } = renderMail(sample)
    assert.match(text, /If (this|it) was not|If you did not expect this/)
    assert.doesNotMatch(text, /[{}]|undefined/)
  }
})

test('a verification mail says what its code is for, how long it lives and which app waits', () => {
  const { text } = renderMail(SAMPLES[0] as MailContent)
  assert.match(text, /finish creating your account at Acme, to go on to Board/)
  assert.match(text, /^ {4}049213$/m)
  assert.match(text, /for 10 minutes/)
  assert.match(renderMail(SAMPLES[1] as MailContent).text, /for 1 minute\./)
})

test('a link stands alone on its line, whole', () => {
  assert.match(renderMail(SAMPLES[2] as MailContent).text, new RegExp(`\n\n${LINK.replace('?', '\\?')}\n\n`))
})

test('only http and https links are mailed', () => {
  const values = { tenant: 'Acme', link: 'javascript:alert(1)', minutes: 30 }
  assert.throws(() => renderMail({ template: 'reset-link', values }), TypeError)
})

test('names from outside stay on one line and show nothing that is not there', () => {
  const tenant = 'Acme\r\nBcc: eve@evil.test\u202e\u200b'
  const { subject, tenant: name } = renderMail({ template: 'reset-link', values: { tenant, link: LINK, minutes: 30 } })
  assert.equal(name, 'Acme Bcc: eve@evil.test')
  assert.doesNotMatch(subject, /[\r\n\u202e\u200b]/)
})

test('a name may hold what looks like a placeholder', () => {
  const values = { tenant: 'Acme {code}', purpose: 'address', code: '049213', minutes: 10 } as const
  const { subject } = renderMail({ template: 'verify-code', values })
  assert.equal(subject, 'Your code for Acme {code}')
})

for (const app of ['evil.test', 'see https://evil', 'help@evil', 'evil\u200b.test', 'evil。test', 'ｅｖｉｌ．test']) {
  test(`an app that calls itself ${JSON.stringify(app)} is not named, for mail programs would make a link of it`, () => {
    const { text } = renderMail({ template: 'account-exists', values: { tenant: 'Acme', app, link: LINK } })
    assert.doesNotMatch(text.replace(LINK, ''), /evil/)
    assert.match(text, /wanted to create an account at Acme/)
  })
}

test('long names are cut', () => {
  const { text } = renderMail({
    template: 'account-exists',
    values: { tenant: 'Acme', app: 'x'.repeat(5000), link: LINK },
  })
  assert.ok(text.length < 800)
})

test('no message holds a name that nothing fills', () => {
  const known = ['tenant', 'app', 'code', 'minutes', 'hours', 'days', 'link', 'time', 'connection']
  for (const message of Object.values(mailMessages)) {
    for (const [, name = ''] of message.matchAll(/\{(\w+)\}/g)) assert.ok(known.includes(name), name)
  }
})
