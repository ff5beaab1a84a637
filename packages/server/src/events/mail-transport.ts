// Where mail goes: an SMTP server, or a folder of `.eml` files for development.
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import type { EpochSeconds } from '../lib/time.ts'

export interface OutgoingMail {
  /** Stable over tries: it becomes the Message-ID, by which mail programs know a mail that came twice. */
  readonly id: string
  readonly from: { readonly name: string; readonly address: string }
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly at: EpochSeconds
}

export interface MailTransport {
  /**
   * Resolves once the mail is handed over: taken by the SMTP server, or durably in the folder.
   *
   * @throws {MailNotSent}
   */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** Says why in codes alone: what a mail server answers often holds the address. */
export class MailNotSent extends Error {
  readonly code: string
  /** The server will never take this mail for this recipient. */
  readonly permanent: boolean

  constructor(code: string, permanent: boolean) {
    super(`the mail was not sent: ${code}`)
    this.name = 'MailNotSent'
    this.code = code
    this.permanent = permanent
  }
}

/** Together far below the lease of a job: another node must not send while this one still tries. */
const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 10_000

/**
 * @param url `smtp://[USER:PASSWORD@]HOST[:PORT]` (STARTTLS where it is offered; required once there is a password to
 *   lose), `smtps://…` (TLS from the start), or `file:FOLDER`.
 * @throws {TypeError} another kind of URL. Does not say what was found: it may hold a password.
 */
export function transportFromUrl(url: string): MailTransport {
  if (url.startsWith('file:') && url.length > 'file:'.length) {
    return folderTransport(resolve(url.slice('file:'.length)))
  }
  if (!/^smtps?:\/\/[^/?#]/.test(url) || !URL.canParse(url)) throw new TypeError('mail goes to smtp:, smtps: or file:')
  return smtpTransport(new URL(url))
}

/** `no-reply@` the issuer's host; an IP address is no mail domain. */
export function senderOf(issuer: string): string {
  const { hostname } = new URL(issuer)
  return `no-reply@${isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : 'localhost'}`
}

function smtpTransport(url: URL): MailTransport {
  const secure = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const user = decodeURIComponent(url.username)
  const server = createTransport({
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    // Who strips STARTTLS on the way would read the password.
    requireTLS: !secure && user !== '' && !isLoopback(host),
    ...(user !== '' && { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
  })
  return {
    async send(mail) {
      try {
        await server.sendMail(messageOf(mail))
      } catch (cause) {
        throw notSent(cause)
      }
    },
    close: () => server.close(),
  }
}

function folderTransport(folder: string): MailTransport {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  return {
    async send(mail) {
      try {
        const { message } = await composer.sendMail(messageOf(mail))
        // `buffer: true` says so.
        await writeDurably(folder, `${mail.id}.eml`, message as Buffer)
      } catch (cause) {
        throw notSent(cause)
      }
    },
    close: () => composer.close(),
  }
}

function messageOf({ id, from, to, subject, text, at }: OutgoingMail): SendMailOptions {
  return {
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    date: new Date(at * 1000),
    from,
    // As an object: nothing in an address is taken for a list or a name.
    to: { name: '', address: to },
    subject,
    text,
    textEncoding: 'quoted-printable',
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** A reader sees the whole file or none; a second try replaces the first one's. */
async function writeDurably(folder: string, name: string, content: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.${name}.${randomBytes(4).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(folder, name))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function notSent(error: unknown): MailNotSent {
  const { code, responseCode } = Object(error)
  const status = typeof responseCode === 'number' ? responseCode : undefined
  const name = typeof code === 'string' ? code : 'EUNKNOWN'
  // Only a refused recipient is final: what is wrong with the server or our password, an operator can mend.
  const permanent = name === 'EENVELOPE' && status !== undefined && status >= 500
  return new MailNotSent(status === undefined ? name : `${name} ${status}`, permanent)
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host)
