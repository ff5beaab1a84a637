// The certificate that a process serves https with.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsConfig } from '../../config/server-config.ts'
import type { Certificate } from './listener.ts'

/** Files of the self-signed kind are made by the first process, before it asks for them here. */
export function certificateOf(tls: TlsConfig): Certificate | undefined {
  switch (tls.kind) {
    case 'none':
      return undefined
    case 'files':
      return { cert: tls.cert, key: tls.key }
    case 'self-signed':
      return {
        cert: readFileSync(join(tls.folder, 'server.pem'), 'utf8'),
        key: readFileSync(join(tls.folder, 'server.key'), 'utf8'),
      }
  }
}
