// A file imports from its own folder and from the floors below it; the two packages do not know each other.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { listFiles, projectRoot, reportProblems } from './lib/files.ts'
import { importsOf } from './lib/imports.ts'

const SERVER = 'packages/server/src/'
const SDK = 'packages/sdk/'

/** Lowest first. Folders on one floor are neighbours and do not know each other. */
const FLOORS = [
  ['lib'],
  ['domain', 'protocol'],
  ['storage', 'crypto', 'upstream'],
  ['vault', 'events'],
  ['accounts', 'sessions'],
  ['oauth'],
  ['flows', 'api'],
  ['web'],
]

/** They wire everything, and nobody below imports them. */
const WIRING = ['app.ts', 'config', 'cli']

const PURE = ['domain', 'protocol']
/** Modules of Node that compute and do nothing else. */
const PURE_MODULES = ['node:url']
const IMPURE = /\b(?:Date\.now|Math\.random|performance\.now|new Date\(\)|setTimeout|setInterval|fetch)\b\(?/

export type SourceFile = { readonly path: string; readonly text: string }

/** Returns one line for each import that climbs, and for each clock, dice or I/O in a pure folder. */
export function findFloorProblems(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map((file) => file.path))
  return files.flatMap((file) => {
    const imports = importsOf(file.text).map((specifier) => problemOfImport(file.path, specifier, paths))
    return [...imports, ...problemsOfPurity(file)]
      .filter((problem) => problem !== undefined)
      .map((problem) => `${file.path}: ${problem}`)
  })
}

function problemOfImport(path: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  const target = specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : undefined
  // Tests run one package against the other, and use the tools.
  if (isTest(path)) return undefined
  if (target !== undefined && /\.[cm]?ts$/.test(target) && !paths.has(target)) return `${specifier} does not exist`
  if (path.startsWith(SDK)) return problemOfSdk(specifier, target)
  if (path.startsWith(SERVER)) return problemOfServer(path, specifier, target)
  return undefined
}

function isTest(path: string): boolean {
  return /^packages\/[^/]+\/(?:test|bench)\//.test(path)
}

function problemOfSdk(specifier: string, target: string | undefined): string | undefined {
  if (specifier.startsWith('@tenon/server')) return 'the SDK imports nothing of the server'
  return target !== undefined && !target.startsWith(SDK) ? `${specifier} leaves the package` : undefined
}

function problemOfServer(path: string, specifier: string, target: string | undefined): string | undefined {
  if (specifier.startsWith('@tenon/')) return `${specifier} is another package, or this one by its own name`
  const room = roomOf(path)
  if (!WIRING.includes(room) && floorOf(room) === -1) return `${room} is on no floor`
  if (target === undefined || target === 'packages/server/package.json') return problemOfPureImport(room, specifier)
  if (!target.startsWith(SERVER)) return `${specifier} leaves the package's sources`
  return problemOfClimb(room, roomOf(target), specifier)
}

function problemOfPureImport(room: string, specifier: string): string | undefined {
  const isImpure = specifier.startsWith('node:') && !PURE_MODULES.includes(specifier)
  return PURE.includes(room) && isImpure ? `${room} is pure and imports ${specifier}` : undefined
}

function problemOfClimb(from: string, to: string, specifier: string): string | undefined {
  if (from === to || WIRING.includes(from)) return undefined
  if (WIRING.includes(to)) return `${specifier}: nobody imports ${to}`
  if (floorOf(to) < floorOf(from)) return undefined
  return floorOf(to) === floorOf(from)
    ? `${specifier}: ${from} and ${to} are neighbours`
    : `${specifier}: ${from} is below ${to}`
}

function problemsOfPurity({ path, text }: SourceFile): string[] {
  if (!path.startsWith(SERVER) || !PURE.includes(roomOf(path))) return []
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .flatMap((line) => line.match(IMPURE)?.[0] ?? [])
    .map((word) => `${roomOf(path)} is pure and says ${word}`)
}

function roomOf(path: string): string {
  return path.slice(SERVER.length).split('/')[0] ?? ''
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room))
}

if (import.meta.main) {
  const files = listFiles()
    .filter((path) => /^packages\/.*\.tsx?$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }))
  reportProblems('imports go down, never up or sideways', findFloorProblems(files))
}
