// What the server is made of, from the lock file alone: a bill of materials in CycloneDX 1.6, printed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './lib/files.ts'

export interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly link?: boolean
  readonly resolved?: string
}
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** Packages that a server runs with, on any platform; the tools that build and test it are left out. */
export function billOfMaterials({ packages }: LockFile) {
  const components = Object.entries(packages)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.dev && !entry.link)
    .map(([path, entry]) => componentOf(nameIn(path), entry))
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: 'tenon' } },
    components,
  }
}

export const nameIn = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

function componentOf(name: string, { version = '', integrity, license }: LockedPackage) {
  // https://github.com/package-url/purl-spec: the scope is a namespace, percent-encoded.
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(integrity !== undefined && { hashes: [hashOf(integrity)] }),
    ...(license !== undefined && {
      licenses: [/ (?:OR|AND) /.test(license) ? { expression: license } : { license: { id: license } }],
    }),
  }
}

/** Subresource integrity, as npm writes it. */
function hashOf(integrity: string) {
  const [algorithm = '', digest = ''] = integrity.split('-')
  return { alg: algorithm.toUpperCase().replace('SHA', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }
}

if (import.meta.main) {
  // The cast holds for a file that npm itself writes and reads.
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as LockFile
  process.stdout.write(`${JSON.stringify(billOfMaterials(lock), null, 2)}\n`)
}
