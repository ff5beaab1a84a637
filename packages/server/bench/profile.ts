// Where the time of an exchange goes: a processor profile of the server, summed up by the part of the code at work.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, deploy } from './deployment.ts'
import type { Load } from './processes.ts'
import { CONNECTIONS, SCENARIOS } from './scenarios.ts'

export interface Share {
  readonly part: string
  /** Of the time in which the process was not idle. */
  readonly share: number
}

const WARM_SECONDS = 4
const SECONDS = 3

export async function profile(database: Database, load: Load): Promise<readonly Share[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-profile-'))
  const environment = { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=500 --cpu-prof-dir=${folder}` }
  const deployment = await deploy({ database, environment })
  try {
    const { bodies } = await SCENARIOS.secret.prepare(deployment)
    const round = {
      url: deployment.server.url,
      path: '/oauth/token',
      bodies: bodies(0),
      connections: CONNECTIONS,
    }
    await load.run({ ...round, seconds: WARM_SECONDS + SECONDS })
  } finally {
    await deployment.close()
  }
  const shares = sharesOf(readProfile(folder))
  rmSync(folder, { recursive: true })
  return shares
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: readonly number[]
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

function readProfile(folder: string): CpuProfile {
  const profiles = readdirSync(folder).map((file): CpuProfile => JSON.parse(readFileSync(join(folder, file), 'utf8')))
  const [longest] = profiles.sort((a, b) => b.samples.length - a.samples.length)
  if (longest === undefined) throw new Error('the server left no profile')
  return longest
}

/** Names for the parts, by the file at work or, for Node's own, by the file that called it. The first that fits counts. */
const PARTS: readonly (readonly [part: string, file: RegExp])[] = [
  ['commit and its wait for the disk', /storage\/(group-commit|postgres|postgres-transaction)\.ts/],
  ['record of the exchange', /storage\/sql\/events\.ts|exchange-(journal|record)\.ts/],
  ['the one read', /storage\/(sql\/(exchanges|together)|remembered-[a-z-]+)\.ts/],
  ['database otherwise', /\/storage\/|\/pg(-[a-z]+)?\//],
  ['vault', /\/vault\/|crypto\/envelope\.ts/],
  ['client and subject', /oauth\/(client-auth|client-assertion|subject-token|access-tokens)\.ts|crypto\/jwt\.ts/],
  ['request, policy and answer', /oauth\/exchange[a-z-]*\.ts|\/upstream\/|\/domain\//],
  ['our HTTP entrance', /\/web\/|\/cli\//],
]

function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): readonly Share[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)))
  const pathOf = (id: number): readonly ProfileNode[] => {
    const node = byId.get(id)
    const parent = parents.get(id)
    return node === undefined ? [] : [node, ...(parent === undefined ? [] : pathOf(parent))]
  }
  const partById = new Map(nodes.map(({ id }) => [id, partOf(pathOf(id))]))
  const parts = samples.map((id) => partById.get(id) ?? 'other')
  const first = parts.indexOf('the one read')
  const last = parts.lastIndexOf('the one read')
  // What comes before is start and warming up.
  const warm = last - Math.floor(((last - first) * SECONDS) / (WARM_SECONDS + SECONDS))
  const sums = new Map<string, number>()
  for (let at = warm; at <= last; at++) {
    const part = parts[at] ?? 'other'
    if (part !== 'idle') sums.set(part, (sums.get(part) ?? 0) + (timeDeltas[at] ?? 0))
  }
  const total = [...sums.values()].reduce((sum, one) => sum + one, 0)
  return [...sums].map(([part, sum]) => ({ part, share: sum / total })).sort((a, b) => b.share - a.share)
}

function partOf(path: readonly ProfileNode[]): string {
  const [own] = path
  if (own?.callFrame.functionName === '(idle)') return 'idle'
  if (own?.callFrame.functionName === '(garbage collector)') return 'garbage collection'
  // The connection runs whatever a repository asks of it: who asked is what counts.
  for (const [part, file] of PARTS) {
    const nearest = path.find(({ callFrame }) => PARTS.some(([, any]) => any.test(callFrame.url)))
    const asked = path.some(({ callFrame }) => file.test(callFrame.url))
    const isDatabase = nearest !== undefined && /\/storage\//.test(nearest.callFrame.url)
    if (isDatabase ? asked : nearest !== undefined && file.test(nearest.callFrame.url)) return part
  }
  return "Node's HTTP and event loop"
}
