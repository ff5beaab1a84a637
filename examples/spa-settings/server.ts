// Serves the page, its script and the SDK's own file. Everything else happens in the browser.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { AUTH0_DOMAIN = '', PORT = '0' } = process.env
const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')

const FILES: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ['/', { type: 'text/html; charset=utf-8', text: read('settings.html') }],
  ['/settings.js', { type: 'text/javascript', text: read('settings.js') }],
  ['/config.json', { type: 'application/json', text: JSON.stringify({ domain: AUTH0_DOMAIN, clientId: 'example' }) }],
  [
    '/auth0-spa-js.js',
    { type: 'text/javascript', text: read('node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js') },
  ],
])

createServer(({ url = '/' }, response) => {
  const file = FILES.get(url.replace(/\?.*$/, ''))
  if (file === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': file.type }).end(file.text)
}).listen(Number(PORT), 'localhost', () => console.log('listening'))
