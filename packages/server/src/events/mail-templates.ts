// From a template and its values to a subject and a text. Plain text only: there is nothing to escape, and what the
// reader sees is what is there. Whatever came from outside becomes one short line first.
import { type EpochSeconds, toIso } from '../lib/time.ts'
import type { AccountChange, CodePurpose, MailContent, MailValues } from './mail.ts'
import { type MailMessageKey, mailMessages } from './mail-messages.ts'

export interface RenderedMail {
  /** The tenant's name, cleaned: it stands beside our own address. */
  readonly tenant: string
  /** Holds no secret: subjects are shown on locked screens. */
  readonly subject: string
  readonly text: string
}

export function renderMail(mail: MailContent): RenderedMail {
  switch (mail.template) {
    case 'verify-code':
      return verifyCode(mail.values)
    case 'reset-link':
      return resetLink(mail.values)
    case 'verify-link':
      return verifyLink(mail.values)
    case 'finish-sign-up':
      return finishSignUp(mail.values)
    case 'account-exists':
      return accountExists(mail.values)
    case 'password-changed':
      return passwordChanged(mail.values)
    case 'approval-asked':
      return approvalAsked(mail.values)
    case 'accounts-joined':
    case 'accounts-parted':
    case 'sign-in-added':
    case 'sign-in-removed':
    case 'address-proven':
    case 'address-changed':
    case 'address-left':
    case 'second-step-added':
    case 'second-step-removed':
    case 'recovery-codes-renewed':
    case 'account-deleted':
      return accountChanged(mail)
  }
}

function verifyCode({ tenant, app, purpose, code, link, minutes }: MailValues['verify-code']): RenderedMail {
  return compose(
    {
      tenant,
      app: nameOfApp(app),
      code: oneLine(code),
      minutes: String(minutes),
      ...(link === undefined ? {} : { link: linkOf(link) }),
    },
    'verify-code.subject',
    [
      forApp(`verify-code.${purpose}`, app),
      'verify-code.code',
      plural('verify-code.use', minutes),
      ...(link === undefined ? [] : (['verify-code.link', 'mail.link'] as const)),
      'verify-code.not-you',
    ],
  )
}

function resetLink({ tenant, link, minutes }: MailValues['reset-link']): RenderedMail {
  return compose({ tenant, link: linkOf(link), minutes: String(minutes) }, 'reset-link.subject', [
    'reset-link.lead',
    'mail.link',
    plural('reset-link.use', minutes),
    'reset-link.not-you',
  ])
}

function verifyLink({ tenant, app, link, days }: MailValues['verify-link']): RenderedMail {
  return compose({ tenant, app: nameOfApp(app), link: linkOf(link), days: String(days) }, 'verify-link.subject', [
    forApp('verify-link.lead', app),
    'mail.link',
    'verify-link.use',
    'verify-link.not-you',
  ])
}

function finishSignUp({ tenant, link, hours }: MailValues['finish-sign-up']): RenderedMail {
  return compose({ tenant, link: linkOf(link), hours: String(hours) }, 'finish-sign-up.subject', [
    'finish-sign-up.lead',
    'mail.link',
    'finish-sign-up.use',
    'finish-sign-up.not-you',
  ])
}

function accountExists({ tenant, app, link }: MailValues['account-exists']): RenderedMail {
  return compose({ tenant, app: nameOfApp(app), link: linkOf(link) }, 'account-exists.subject', [
    forApp('account-exists.lead', app),
    'account-exists.do',
    'mail.link',
    'account-exists.not-you',
  ])
}

function passwordChanged({ tenant, at, link }: MailValues['password-changed']): RenderedMail {
  return compose({ tenant, time: timeOf(at), link: linkOf(link) }, 'password-changed.subject', [
    'password-changed.lead',
    'password-changed.was-you',
    'password-changed.not-you',
    'mail.link',
  ])
}

function approvalAsked({ tenant, app, link, until }: MailValues['approval-asked']): RenderedMail {
  return compose(
    { tenant, app: nameOfApp(app), link: linkOf(link), time: timeOf(until) },
    forApp('approval-asked.subject', app),
    [forApp('approval-asked.lead', app), 'mail.link', 'approval-asked.until', 'approval-asked.not-you'],
  )
}

type AccountChangeMail = Exclude<Extract<MailContent, { values: AccountChange }>, { template: 'password-changed' }>

function accountChanged({ template, values: { tenant, at, link, connection } }: AccountChangeMail): RenderedMail {
  const values = { tenant, time: timeOf(at), link: linkOf(link), connection: oneLine(connection ?? '') || '…' }
  return compose(values, `${template}.subject`, [
    `${template}.lead`,
    `${template}.was-you`,
    `${template}.not-you`,
    'mail.link',
  ])
}

const timeOf = (at: EpochSeconds): string => `${toIso(at).slice(0, 16).replace('T', ', ')} UTC`

type Values = Readonly<Record<string, string>> & { readonly tenant: string }

function compose(values: Values, subject: MailMessageKey, paragraphs: readonly MailMessageKey[]): RenderedMail {
  const given = { ...values, tenant: oneLine(values.tenant) || 'Tenon' }
  const text = paragraphs.map((key) => fill(mailMessages[key], given)).join('\n\n')
  return { tenant: given.tenant, subject: fill(mailMessages[subject], given), text: `${text}\n` }
}

const fill = (sentence: string, values: Values): string =>
  sentence.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')

const forApp = <
  Key extends
    | 'account-exists.lead'
    | 'verify-link.lead'
    | `approval-asked.${'subject' | 'lead'}`
    | `verify-code.${CodePurpose}`,
>(
  key: Key,
  app: string | undefined,
): Key | `${Key}-for` => (nameOfApp(app) === '' ? key : `${key}-for`)

const plural = <Key extends 'verify-code.use' | 'reset-link.use'>(key: Key, count: number) =>
  count === 1 ? (`${key}.one` as const) : (`${key}.other` as const)

/**
 * Anybody may register an app under any name. Mail programs make links of what looks like one, and a link in a mail of
 * ours would borrow our good name: such an app goes unnamed.
 */
function nameOfApp(name = ''): string {
  const clean = oneLine(name)
  return /[\p{L}\p{N}][.\u3002][\p{L}\p{N}]|[@:/\\]/u.test(clean.normalize('NFKC')) ? '' : clean
}

/** @throws {TypeError} not an address that a browser opens; links are made by us, so this is a bug. */
function linkOf(text: string): string {
  const { protocol, href } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('a link in a mail is http or https')
  return href
}

const LONGEST_NAME = 80
/** Controls, bidi overrides, zero-width characters, surrogates: what is not seen, or moves what is seen. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu

function oneLine(text: string): string {
  const start = text.slice(0, LONGEST_NAME * 16).replace(/[\s\p{Z}]+/gu, ' ')
  const visible = Array.from(start.replace(INVISIBLE, '').trim())
  return visible.length <= LONGEST_NAME ? visible.join('') : `${visible.slice(0, LONGEST_NAME - 1).join('')}…`
}
