// A test of one call of one SDK, which becomes a row of docs/reference/auth0-compatibility.md.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { RESULTS_OF_RUNS, readRows, type SdkCall } from '../../../tools/generate-compatibility-table.ts'
import { projectRoot } from '../../../tools/lib/files.ts'
import { NOT_YET } from './not-yet.ts'

export type Run = (t: TestContext) => Promise<void> | void

const manifest = JSON.parse(readFileSync(join(projectRoot, 'sdks/package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

/** The calls of one file of tests. Once its tests are through, what they found is compared with what the table says. */
export class Calls {
  readonly #file: string
  readonly #sdk: string
  readonly #version: string
  readonly #found: SdkCall[] = []
  #tests = 0

  /** @param dependency as `sdks/package.json` names it */
  constructor(testFile: string, dependency: string) {
    this.#file = relative(projectRoot, testFile)
    const [, name = dependency, version = ''] =
      /^(?:npm:(.+)@)?([^@]+)$/.exec(manifest.dependencies[dependency] ?? '') ?? []
    this.#sdk = name
    this.#version = version
    after(() => this.#compare())
  }

  /** The call does what its documentation promises. */
  works(call: string, rule: string, run: Run): void {
    this.#test(call, rule, { result: 'works' }, run)
  }

  /** The call is refused, in a way that the SDK tells its caller: `run` asserts how. The day it works this fails. */
  notYet(call: string, rule: string, missing: keyof typeof NOT_YET, run: Run): void {
    this.#test(call, rule, { result: 'not yet', reason: NOT_YET[missing] }, run)
  }

  #test(call: string, rule: string, outcome: Pick<SdkCall, 'result' | 'reason'>, run: Run): void {
    this.#tests += 1
    const row = { sdk: this.#sdk, version: this.#version, call, rule, ...outcome, file: this.#file }
    test(`${this.#sdk} ${this.#version}, ${call}: ${rule}`, async (t) => {
      await run(t)
      this.#found.push(row)
      this.#keep()
    })
  }

  /** After each test, so that what one file's SDKs found stands there whichever of them is compared first. */
  #keep(): void {
    const folder = join(projectRoot, RESULTS_OF_RUNS)
    mkdirSync(folder, { recursive: true })
    const name = `${basename(this.#file, '.test.ts')}-${this.#sdk.replace(/\W+/g, '-')}-${this.#version}.json`
    writeFileSync(join(folder, name), `${JSON.stringify(this.#found, undefined, 2)}\n`)
  }

  #compare(): void {
    // A failure says enough by itself, and a part of the tests nothing of the others.
    if (this.#found.length < this.#tests) return
    const told = readRows().filter(
      ({ file, sdk, version }) => file === this.#file && sdk === this.#sdk && version === this.#version,
    )
    const [found, listed] = [new Set(this.#found.map(inWords)), new Set(told.map(inWords))]
    const differing = [...found.symmetricDifference(listed)].join('\n')
    assert.equal(differing, '', 'run: node tools/run.mjs tools/generate-compatibility-table.ts')
  }
}

const inWords = ({ call, rule, result, reason }: SdkCall) => `${call}: ${rule}: ${result} ${reason ?? ''}`
