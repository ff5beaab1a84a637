// A certificate authority for development: it signs for names of this machine, and only who trusts ca.pem believes it.
import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

interface Options {
  /** Gets `ca.pem`, `ca.key`, `server.pem` and `server.key`; the keys with mode 0600. */
  readonly folder: string
  /** Host names and addresses besides those of loopback. */
  readonly hosts: readonly string[]
  readonly now?: Date
}

const DAY_MS = 86_400_000
const CA_DAYS = 3650
/** Browsers refuse longer ones (CA/Browser Forum Baseline Requirements §6.3.2). */
const SERVER_DAYS = 397
const RENEW_DAYS = 30
const LOOPBACK = ['localhost', '127.0.0.1', '::1']
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * Makes what is missing or does not fit any more. The CA stays as long as it lives, so that clients that trust it keep
 * doing so; the server's certificate is made again when a name is missing or its end is near.
 */
export async function ensureSelfSigned({ folder, hosts, now = new Date() }: Options): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const names = [...new Set([...LOOPBACK, ...hosts.map(nameOf).filter((host) => !ANY.includes(host))])]
  const kept = await readAuthority(folder, now)
  const authority = kept ?? (await makeAuthority(folder, now))
  if (kept && (await serverFits({ folder, names, now, authority }))) return
  await makeServer({ folder, names, now, authority })
}

/** Bound to, but no name of anything. */
const ANY = ['0.0.0.0', '::']

const nameOf = (host: string) => host.replace(/^\[(.*)\]$/, '$1').toLowerCase()

interface Authority {
  readonly certificate: X509Certificate
  readonly key: CryptoKey
}

async function readAuthority(folder: string, now: Date): Promise<Authority | undefined> {
  const certificate = readCertificate(join(folder, 'ca.pem'))
  const keyPath = join(folder, 'ca.key')
  if (!certificate || !existsSync(keyPath) || endsSoon(certificate, now)) return undefined
  return { certificate, key: await importKey(readFileSync(keyPath, 'utf8')) }
}

async function makeAuthority(folder: string, now: Date): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(now, CA_DAYS),
    serialNumber: serialNumber(),
    name: `CN=Tenon development CA ${randomBytes(3).toString('hex')}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  // The key first: a certificate without its key could never be completed.
  write(join(folder, 'ca.key'), await exportKey(keys.privateKey), 0o600)
  write(join(folder, 'ca.pem'), certificate.toString('pem'), 0o644)
  return { certificate, key: keys.privateKey }
}

interface Server {
  readonly folder: string
  readonly names: readonly string[]
  readonly now: Date
  readonly authority: Authority
}

async function serverFits({ folder, names, now, authority }: Server): Promise<boolean> {
  const certificate = readCertificate(join(folder, 'server.pem'))
  if (!certificate || !existsSync(join(folder, 'server.key')) || endsSoon(certificate, now)) return false
  const held = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items.map(({ value }) => value) ?? []
  if (!names.every((name) => held.includes(name))) return false
  return certificate.verify({ publicKey: authority.certificate, signatureOnly: true })
}

async function makeServer({ folder, names, now, authority }: Server): Promise<void> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
  ]
  const certificate = await X509CertificateGenerator.create({
    ...validity(now, SERVER_DAYS),
    serialNumber: serialNumber(),
    subject: 'CN=Tenon development server',
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: ALGORITHM,
    extensions,
  })
  write(join(folder, 'server.key'), await exportKey(keys.privateKey), 0o600)
  write(join(folder, 'server.pem'), certificate.toString('pem'), 0o644)
}

/** A day of room for clocks that lag. */
const validity = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - DAY_MS),
  notAfter: new Date(now.getTime() + (days - 1) * DAY_MS),
})

const endsSoon = ({ notAfter }: X509Certificate, now: Date) => notAfter.getTime() - now.getTime() < RENEW_DAYS * DAY_MS

/** Positive, as RFC 5280 §4.1.2.2 asks. */
const serialNumber = () => `4${randomBytes(16).toString('hex').slice(1)}`

function readCertificate(path: string): X509Certificate | undefined {
  try {
    return new X509Certificate(readFileSync(path, 'utf8'))
  } catch {
    // Absent, or of no use: it is made again.
    return undefined
  }
}

const exportKey = async (key: CryptoKey) =>
  PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)

const importKey = (pem: string) =>
  crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign'])

/** Nobody reads half a file. */
function write(path: string, text: string, mode: number): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  writeFileSync(temporary, `${text.trimEnd()}\n`, { mode, flag: 'wx' })
  renameSync(temporary, path)
}
