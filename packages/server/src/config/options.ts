// The one table of options: flags, environment variables, `--help` and the configuration reference come from it.

export interface Option {
  /** `data-dir`: the flag `--data-dir` and the variable `TENON_DATA_DIR`. */
  readonly name: string
  /** What stands behind the flag; absent for a switch. */
  readonly value?: string
  /** May be given more than once; several values may also stand in one, separated by commas or spaces. */
  readonly many?: true
  /** Has no environment variable: it tells what one call shall do. */
  readonly flagOnly?: true
  readonly default: string
  readonly description: string
}

export const OPTIONS = [
  { name: 'port', value: 'NUMBER', default: '4000', description: 'Port of the server; 0 picks a free one.' },
  { name: 'host', value: 'ADDRESS', default: '127.0.0.1', description: 'Address to bind.' },
  {
    name: 'issuer',
    value: 'URL',
    default: 'the listening URL with a trailing slash',
    description: 'Public URL. Ends in /; https unless the host is loopback.',
  },
  {
    name: 'data-dir',
    value: 'FOLDER',
    default: './data',
    description: 'SQLite file, key files, development certificates. Created with mode 0700.',
  },
  {
    name: 'database-url',
    value: 'URL',
    default: 'sqlite:<data-dir>/tenon.db',
    description: 'sqlite:PATH, or postgres://…',
  },
  {
    name: 'tenant',
    value: 'FILE',
    default: 'none',
    description: `Tenant file, applied at start. \${NAME} in it takes an environment variable.`,
  },
  { name: 'tls-cert', value: 'FILE', default: 'none', description: 'Certificate chain (PEM): serve https.' },
  { name: 'tls-key', value: 'FILE', default: 'none', description: 'Private key (PEM) of that certificate.' },
  {
    name: 'tls-self-signed',
    default: 'off',
    description:
      "Serve https with a certificate of a development CA under <data-dir>/tls/, for localhost, 127.0.0.1, ::1 and the issuer's host. ca.pem there is what a client trusts.",
  },
  {
    name: 'vault-key',
    value: 'SOURCE',
    default: 'file:<data-dir>/vault.key',
    description:
      'Key-encryption key of the vault: file:PATH (made on first start with mode 0600), or env:NAME (32 bytes in base64).',
  },
  {
    name: 'trust-proxy',
    value: 'CIDRS',
    many: true,
    default: 'none',
    description: 'Addresses of proxies whose X-Forwarded-* headers are believed.',
  },
  {
    name: 'dangerously-allow-upstream-network',
    value: 'CIDRS',
    many: true,
    default: 'none',
    description: 'Private networks that calls to providers may reach, by plain http too. For tests: 127.0.0.0/8.',
  },
  { name: 'workers', value: 'NUMBER', default: '1', description: 'Processes that share the port.' },
  {
    name: 'mail',
    value: 'TARGET',
    default: 'file:<data-dir>/outbox',
    description:
      'Where mail goes: smtp://…, smtps://…, or a folder that gets one .eml file each: file:FOLDER, or a path.',
  },
  {
    name: 'metrics-port',
    value: 'NUMBER',
    default: 'none',
    description: 'Serve /metrics (Prometheus) on this port of the bind address.',
  },
] as const satisfies readonly Option[]

export type OptionName = (typeof OPTIONS)[number]['name']

export const environmentName = (option: string): string => `TENON_${option.toUpperCase().replaceAll('-', '_')}`
