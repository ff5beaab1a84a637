// Reads the whole configuration, checks it, and freezes it.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError, type ConfigProblem } from '../protocol/config-error.ts'
import { isExampleKey } from '../protocol/example-secrets.ts'
import { isLoopbackHost } from '../protocol/fields.ts'
import type { CommandLine, Environment, Said } from './command-line.ts'
import { urlOf } from './listening-url.ts'
import type { OptionName } from './options.ts'
import type { ServerConfig, TenantSource, TlsConfig } from './server-config.ts'
import { readTenantSource } from './tenant-source.ts'
import {
  readDatabase,
  readHost,
  readIssuer,
  readMail,
  readNetworks,
  readVaultKey,
  readWholeNumber,
  refuse,
} from './values.ts'

interface Input {
  readonly commandLine: CommandLine
  readonly environment: Environment
  readonly folder: string
  /** False: the command has no use for the tenant file, and a fault in it shall not stop it. */
  readonly readTenant: boolean
}

const HIGHEST_PORT = 65_535
const MOST_WORKERS = 256

/** @throws {ConfigError} with all that is wrong. */
export function readConfig(input: Input): ServerConfig {
  const { commandLine, environment, folder } = input
  const problems: ConfigProblem[] = []
  const last = (name: OptionName) => commandLine.said(name).at(-1)
  const saidOr = (name: OptionName, fallback: string): Said => last(name) ?? { value: fallback, where: `--${name}` }
  const attempt = <T>(read: () => T, fallback: T): T => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
      return fallback
    }
  }
  const optional = <T>(name: OptionName, read: (said: Said) => T): T | undefined => {
    const said = last(name)
    return said && attempt(() => read(said), undefined)
  }

  const dataDir = resolve(folder, saidOr('data-dir', 'data').value)
  const host = attempt(() => readHost(saidOr('host', '127.0.0.1')), '127.0.0.1')
  const port = attempt(() => readWholeNumber(saidOr('port', '4000'), 0, HIGHEST_PORT), 0)
  const tls = attempt(() => readTls(commandLine, folder, dataDir), { kind: 'none' as const })
  const issuer = optional('issuer', readIssuer)
  const metricsPort = optional('metrics-port', (said) => readMetricsPort(said, port))
  const config: ServerConfig = {
    port,
    host,
    issuer,
    dataDir,
    database: attempt(() => readDatabase(saidOr('database-url', `sqlite:${join(dataDir, 'tenon.db')}`), folder), {
      kind: 'sqlite',
      path: '',
      url: '',
    }),
    tenant: input.readTenant
      ? optional('tenant', ({ value, where }): TenantSource => {
          const path = resolve(folder, value)
          return readTenantSource({ path, where, environment, issuer: issuer ?? urlOf({ host, port, tls }) })
        })
      : undefined,
    tls,
    vaultKey: attempt(
      () => readVaultKey(saidOr('vault-key', `file:${join(dataDir, 'vault.key')}`), folder, environment),
      '',
    ),
    trustProxy: attempt(() => readNetworks(commandLine.said('trust-proxy')), []),
    dangerouslyAllowUpstreamNetwork: attempt(
      () => readNetworks(commandLine.said('dangerously-allow-upstream-network')),
      [],
    ),
    workers: attempt(() => readWholeNumber(saidOr('workers', '1'), 1, MOST_WORKERS), 1),
    mail: attempt(() => readMail(saidOr('mail', `file:${join(dataDir, 'outbox')}`), folder), {
      kind: 'folder',
      path: '',
    }),
    metricsPort,
  }
  attempt(() => checkVaultKey(config, saidOr('vault-key', '').where, environment), undefined)
  if (last('issuer') === undefined) attempt(() => checkListeningIssuer(config), undefined)
  const [first, ...others] = problems
  if (first) throw new ConfigError(first, ...others)
  return freeze(config)
}

/** A key of the documentation opens every vault that was closed with it: fine for a trial on one's own machine. */
function checkVaultKey(config: ServerConfig, where: string, environment: Environment): void {
  const [, name] = /^env:(.+)$/.exec(config.vaultKey) ?? []
  if (name === undefined || isLoopbackHost(new URL(config.issuer ?? urlOf(config)).hostname)) return
  const keys = (environment[name] ?? '').split(',').map((part) => Buffer.from(part.trim(), 'base64'))
  if (keys.some(isExampleKey))
    refuse(where, `env:${name}, which holds a key that stands in examples`, '32 random bytes', 'example_secret')
}

/** Without `--issuer` the listening URL is public, and has to be fit for that. */
function checkListeningIssuer({ host, port, tls }: ServerConfig): void {
  const { protocol, hostname } = new URL(urlOf({ host, port, tls }))
  if (protocol === 'https:' || isLoopbackHost(hostname)) return
  refuse('--issuer', 'nothing', `the public https URL, for --host ${host} is no loopback address`, 'missing_value')
}

function readMetricsPort(said: Said, port: number): number {
  const metricsPort = readWholeNumber(said, 1, HIGHEST_PORT)
  if (metricsPort === port) return refuse(said.where, `${metricsPort}, the port of the server`, 'a port of its own')
  return metricsPort
}

function readTls(commandLine: CommandLine, folder: string, dataDir: string): TlsConfig {
  const certificate = commandLine.said('tls-cert').at(-1)
  const key = commandLine.said('tls-key').at(-1)
  if (commandLine.isOn('tls-self-signed')) {
    const other = certificate ?? key
    if (other) return refuse(other.where, 'it beside --tls-self-signed', 'one of the two ways to serve https')
    return { kind: 'self-signed', folder: join(dataDir, 'tls') }
  }
  if (certificate && key) return readTlsPair(certificate, key, folder)
  if (certificate) return refuse('--tls-key', 'nothing', 'the private key of --tls-cert', 'missing_value')
  if (key) return refuse('--tls-cert', 'nothing', 'the certificate of --tls-key', 'missing_value')
  return { kind: 'none' }
}

function readTlsPair(certificate: Said, key: Said, folder: string): TlsConfig {
  const cert = readPem(certificate, folder, 'a certificate in PEM', (pem) => new X509Certificate(pem))
  const secret = readPem(key, folder, 'an unencrypted private key in PEM', (pem) => createPrivateKey(pem))
  if (!cert.parsed.checkPrivateKey(secret.parsed)) {
    return refuse(key.where, 'the key of another certificate', `the key of ${certificate.value}`)
  }
  return { kind: 'files', cert: cert.pem, key: secret.pem }
}

function readPem<T>({ value, where }: Said, folder: string, expected: string, parse: (pem: string) => T) {
  const read = <R>(step: () => R, found: string): R => {
    try {
      return step()
    } catch {
      return refuse(where, found, expected)
    }
  }
  const pem = read(() => readFileSync(resolve(folder, value), 'utf8'), `${JSON.stringify(value)}, which cannot be read`)
  return { pem, parsed: read(() => parse(pem), 'a file that holds something else') }
}

/** Freezes plain objects and arrays all the way down; keys and the like are left as they are. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && !Array.isArray(value)) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
