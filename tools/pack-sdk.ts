// Makes the SDK as it is published: JavaScript and types, without the sources.
//
// npm run pack:sdk     writes packages/sdk/build, which `npm publish packages/sdk/build` publishes
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './lib/files.ts'

const sdk = join(projectRoot, 'packages/sdk')
const built = join(sdk, 'build')

rmSync(built, { recursive: true, force: true })
execFileSync(join(projectRoot, 'node_modules/.bin/tsc'), ['-p', join(sdk, 'tsconfig.json')], { stdio: 'inherit' })
const { exports: entries, ...manifest } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string>>
}
const published = Object.fromEntries(
  Object.entries(entries).map(([name, source]) => {
    const file = source.replace('./src/', './').replace(/\.ts$/, '')
    return [name, { types: `${file}.d.ts`, default: `${file}.js` }]
  }),
)
writeFileSync(join(built, 'package.json'), `${JSON.stringify({ ...manifest, exports: published }, undefined, 2)}\n`)
copyFileSync(join(sdk, 'README.md'), join(built, 'README.md'))
copyFileSync(join(projectRoot, 'LICENSE'), join(built, 'LICENSE'))
console.log('packages/sdk/build')
