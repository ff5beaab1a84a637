// The programs of the guides that need an SDK, as files that find it.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needsSdks } from '../../../tools/check-docs.ts'
import { projectRoot } from '../../../tools/lib/files.ts'
import { blocksOf } from '../../../tools/lib/markdown.ts'

/** Git does not look there, and packages are found from there. */
const FOLDER = join(projectRoot, 'sdks/build')

export function blocksWithSdks(): readonly { readonly guide: string; readonly code: string }[] {
  return globSync('docs/guide/*.md', { cwd: projectRoot }).flatMap((guide) =>
    blocksOf(readFileSync(join(projectRoot, guide), 'utf8'))
      .filter(({ language, code }) => language === 'ts' && needsSdks(code))
      .map(({ code }) => ({ guide, code })),
  )
}

/** Writes every block into a folder; returns its path. */
export function writeBlocks(name: string, change = (code: string) => code): string {
  const folder = join(FOLDER, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [index, { guide, code }] of blocksWithSdks().entries())
    writeFileSync(join(folder, `${guide.replace(/\W/g, '_')}_${index}.ts`), change(code))
  return folder
}

/** The exports of all blocks together, loaded as a bundler would: these ES modules name files without their endings. */
export async function loadBlocks<Programs>(name: string): Promise<Programs> {
  const folder = writeBlocks(name, (code) => {
    const required = code.replaceAll(/^import \{(.*)\} from ('@auth0\/ai[\w/-]*')$/gm, 'const {$1} = require($2)')
    const require = 'const require = createRequire(import.meta.url)'
    return `import { createRequire } from 'node:module'\n${require}\n${required}`
  })
  const modules = globSync(join(folder, '*.ts')).map((file) => import(file) as Promise<object>)
  return Object.assign({}, ...(await Promise.all(modules))) as Programs
}
