// Stylesheet, pictures and the one script, read once at start and served under names that change with their content.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>
  readonly contentType: string
  /** Quoted, as in the `ETag` header. */
  readonly etag: string
}

export interface Assets {
  /** By path, without the query: `/assets/tenon.css`. Whoever asks with the present `?v=` may keep it for good. */
  readonly files: ReadonlyMap<string, Asset>
  /** What pages link to. */
  readonly hrefs: { readonly stylesheet: string; readonly icon: string; readonly passkeys: string }
}

const TYPES = {
  'tenon.css': 'text/css; charset=utf-8',
  'favicon.svg': 'image/svg+xml',
  'mark.svg': 'image/svg+xml',
  'passkeys.js': 'text/javascript; charset=utf-8',
} as const

/** Reads every asset beside this file. */
export function loadAssets(): Assets {
  const files = new Map(
    Object.entries(TYPES).map(([name, contentType]) => [`/assets/${name}`, load(name, contentType)]),
  )
  const hrefs = {
    stylesheet: href(files, '/assets/tenon.css'),
    icon: href(files, '/assets/favicon.svg'),
    passkeys: href(files, '/assets/passkeys.js'),
  }
  return { files, hrefs }
}

function load(name: string, contentType: string): Asset {
  const body = new Uint8Array(readFileSync(new URL(`./assets/${name}`, import.meta.url)))
  return { body, contentType, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"` }
}

const href = (files: ReadonlyMap<string, Asset>, path: string): string =>
  `${path}?v=${files.get(path)?.etag.replaceAll('"', '') ?? ''}`
