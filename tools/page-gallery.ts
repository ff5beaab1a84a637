// Writes every page with sample words into a folder, to be looked at: node tools/page-gallery.ts FOLDER
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { html } from '../packages/server/src/web/pages/html.ts'
import { english } from '../packages/server/src/web/pages/messages/en.ts'
import { samplePages } from '../packages/server/test/web/page-samples.ts'

const folder = process.argv[2]
if (folder === undefined) {
  process.stderr.write('usage: node tools/page-gallery.ts FOLDER\n')
  process.exit(2)
}

const pages = samplePages({
  locale: english,
  tenantName: 'Acme',
  host: 'id.acme.example',
  assets: { stylesheet: '/assets/tenon.css', icon: '/assets/favicon.svg' },
})
mkdirSync(join(folder, 'assets'), { recursive: true })
for (const name of ['tenon.css', 'favicon.svg', 'mark.svg']) {
  copyFileSync(new URL(`../packages/server/src/web/assets/${name}`, import.meta.url), join(folder, 'assets', name))
}
// Links are relative here, so that the folder can be opened without a server.
for (const page of pages)
  writeFileSync(join(folder, `${page.name}.html`), page.html.replaceAll('="/assets/', '="assets/'))
const list = pages.map(({ name }) => html`<li><a href="${name}.html">${name}</a></li>`)
writeFileSync(
  join(folder, 'index.html'),
  String(
    html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Tenon pages</title><link rel="stylesheet" href="assets/tenon.css"><main class="wrap stack"><h1>Pages</h1><ul class="dots">${list}</ul></main></html>`,
  ),
)
process.stdout.write(`${pages.length} pages in ${folder}\n`)
