// From text to values, one reader per kind of option. Each refuses by saying where, what was found and what is expected.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { parseKey } from '../crypto/key-file.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { isLoopbackHost, readUrl } from '../protocol/fields.ts'
import type { Environment, Said } from './command-line.ts'
import type { DatabaseConfig, MailConfig } from './server-config.ts'

export function refuse(where: string, found: string, expected: string, code = 'invalid_value'): never {
  throw new ConfigError({ code, pointer: where, found, expected })
}

export function readWholeNumber({ value, where }: Said, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  return refuse(where, shown(value), `a whole number from ${min} to ${max}`)
}

export function readHost({ value, where }: Said): string {
  const host = value.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0) return host
  if (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host) && URL.canParse(`http://${host}/`)) return host
  return refuse(where, shown(value), 'an IP address or a host name')
}

/** Tokens carry the issuer byte for byte, so that only its one canonical spelling is taken. */
export function readIssuer({ value, where }: Said): string {
  const expected = 'an https URL that ends in /, such as https://auth.example.com/'
  const url = readUrl(value)
  if (!url || !/^https?:$/.test(url.protocol)) return refuse(where, shown(value), expected)
  if (url.username !== '' || url.password !== '') return refuse(where, 'a URL with credentials', expected)
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    return refuse(where, shown(value), `${expected}; http is for loopback only`)
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refuse(where, shown(value), `${expected}, with nothing behind the host`)
  }
  if (!value.endsWith('/') || value !== url.href) return refuse(where, shown(value), url.href)
  return url.href
}

export function readDatabase({ value, where }: Said, folder: string): DatabaseConfig {
  const expected = 'sqlite:PATH or postgres://…'
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/i.exec(value) ?? []
  if (scheme === 'sqlite') {
    const path = rest.replace(/^\/\/(?=\/|$)/, '')
    if (path === '' || path === ':memory:') return refuse(where, shown(value), 'sqlite: with the path of a file')
    const file = resolve(folder, path)
    return { kind: 'sqlite', path: file, url: `sqlite:${file}` }
  }
  if (scheme !== 'postgres' && scheme !== 'postgresql') {
    // Whatever follows the scheme may hold a password.
    return refuse(where, scheme === '' ? 'no URL' : `a URL that begins with ${scheme}:`, expected)
  }
  if (!readUrl(value)) return refuse(where, 'a URL that cannot be read', 'postgres://USER:PASSWORD@HOST/DATABASE')
  return { kind: 'postgres', url: value }
}

export function readNetworks(said: readonly Said[]): readonly string[] {
  return said.flatMap(({ value, where }) =>
    value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((network) => readNetwork(network, where)),
  )
}

function readNetwork(network: string, where: string): string {
  const cidr = network.includes('/') ? network : `${network}/${isIP(network) === 6 ? 128 : 32}`
  const [address = ''] = cidr.split('/')
  // ipaddr.js also reads short forms such as `127.1`, which other tools read otherwise.
  if (isIP(address) === 0 || !ipaddr.isValidCIDR(cidr)) {
    return refuse(where, shown(network), 'networks such as 10.0.0.0/8 or fd00::/8')
  }
  return cidr
}

/** @returns the source with an absolute path; a variable's keys are tried here, so that a start fails early. */
export function readVaultKey({ value, where }: Said, folder: string, environment: Environment): string {
  const [, scheme = '', rest = ''] = /^([a-z-]+):(.+)$/.exec(value) ?? []
  if (scheme === 'file') return `file:${resolve(folder, rest)}`
  if (scheme === 'env') return checkedVariable(rest, where, environment)
  return refuse(where, scheme === '' ? 'no source' : `a source of kind ${scheme}:`, 'file:PATH or env:NAME')
}

function checkedVariable(name: string, where: string, environment: Environment): string {
  const expected = '32 bytes in base64 there'
  const text = environment[name]
  if (text === undefined || text === '') {
    return refuse(where, `env:${name}, but no environment variable ${name} is set`, expected, 'environment_missing')
  }
  try {
    for (const part of text.split(',')) parseKey(part.trim(), name)
  } catch {
    return refuse(where, `env:${name}, which holds something else`, expected)
  }
  return `env:${name}`
}

export function readMail({ value, where }: Said, folder: string): MailConfig {
  if (value.startsWith('file:') && value.length > 'file:'.length) {
    return { kind: 'folder', path: resolve(folder, value.slice('file:'.length)) }
  }
  // A folder may also be named as folders are.
  if (/^\.{0,2}\//.test(value)) return { kind: 'folder', path: resolve(folder, value) }
  const url = readUrl(value)
  if (url && /^smtps?:$/.test(url.protocol) && url.hostname !== '') return { kind: 'smtp', url: value }
  return refuse(where, 'something else', 'smtp://HOST, smtps://HOST, file:FOLDER or a path')
}

const shown = (value: string) => {
  // What stands before an @ may be a password.
  if (value.includes('@')) return 'another text'
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
}
