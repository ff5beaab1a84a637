// A whole server in this process, on a free port: SQLite in a folder of its own, mail as files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createApp, prepareDeployment } from '../../../src/app.ts'
import { certificateOf } from '../../../src/cli/process/certificate.ts'
import { listen } from '../../../src/cli/process/listener.ts'
import { urlOf } from '../../../src/config/listening-url.ts'
import { ensureSelfSigned } from '../../../src/config/self-signed.ts'
import type { ServerConfig } from '../../../src/config/server-config.ts'
import type { JsonObject } from '../../../src/lib/json.ts'
import { createLog } from '../../../src/lib/log.ts'

export interface Deployment {
  /** Ends in `/`. */
  readonly issuer: string
  /** The newest mail to an address, waited for; `after` are those that were there before. */
  mailTo(address: string, after?: number): Promise<string>
  mailCount(): Promise<number>
  /** What the server logged as an error. */
  readonly errors: readonly string[]
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const MAIL_WAIT_MS = 10_000
const STOP_LIMIT_MS = 2_000
const ERROR_LEVEL = /"level":"(?:error|fatal)"/

/** @param https serve by the certificate of `--tls-self-signed`, and make this process trust it. */
export async function startDeployment(tenant: object, { https = false } = {}): Promise<Deployment> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tenon-browser-'))
  const tls = https ? ({ kind: 'self-signed', folder: join(dataDir, 'tls') } as const) : ({ kind: 'none' } as const)
  if (tls.kind === 'self-signed') {
    await ensureSelfSigned({ folder: tls.folder, hosts: [HOST] })
    const authority = readFileSync(join(tls.folder, 'ca.pem'), 'utf8')
    setDefaultCACertificates([...getCACertificates('default'), authority])
  }
  const config = configFor(dataDir, tls, tenant)
  const errors: string[] = []
  const log = createLog({ stream: { write: (line) => void (ERROR_LEVEL.test(line) && errors.push(line)) } })
  const listener = await listen({ host: HOST, port: 0, certificate: certificateOf(tls) })
  const issuer = urlOf({ host: HOST, port: listener.port, tls })
  await prepareDeployment({ config, issuer, log })
  const app = await createApp({ config, issuer, log })
  listener.use(app.handler)
  const outbox = join(dataDir, 'outbox')
  return {
    issuer,
    errors,
    mailTo: (address, after = 0) => mailTo(outbox, address, after),
    mailCount: async () => (await mailNames(outbox)).length,
    async stop() {
      await listener.stop(STOP_LIMIT_MS)
      await app.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

const configFor = (dataDir: string, tls: ServerConfig['tls'], tenant: object): ServerConfig => {
  const path = join(dataDir, 'tenon.db')
  return {
    port: 0,
    host: HOST,
    issuer: undefined,
    dataDir,
    database: { kind: 'sqlite', path, url: `sqlite:${path}` },
    // Written by the tests as JSON would be read; it is checked when it is applied.
    tenant: { path: 'tenant.json', document: JSON.parse(JSON.stringify(tenant)) as JsonObject },
    tls,
    vaultKey: `file:${join(dataDir, 'vault.key')}`,
    trustProxy: [],
    dangerouslyAllowUpstreamNetwork: ['127.0.0.0/8'],
    workers: 1,
    mail: { kind: 'folder', path: join(dataDir, 'outbox') },
    metricsPort: undefined,
  }
}

async function mailTo(outbox: string, address: string, after: number): Promise<string> {
  const deadline = Date.now() + MAIL_WAIT_MS
  while (Date.now() < deadline) {
    const names = (await mailNames(outbox)).slice(after)
    const mails = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
    const mail = mails.findLast((text) => text.includes(`To: ${address}`))
    if (mail !== undefined) return plain(mail)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no mail came within ${MAIL_WAIT_MS} ms`)
}

async function mailNames(outbox: string): Promise<readonly string[]> {
  const names = await readdir(outbox).catch(() => [])
  return names.filter((name) => name.endsWith('.eml')).sort()
}

/** Takes the quoted-printable encoding away, where there is one. */
const plain = (mail: string): string =>
  /quoted-printable/i.test(mail)
    ? mail.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    : mail
