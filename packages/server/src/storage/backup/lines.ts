// Lines of a compressed file, one at a time: memory holds a line and what the compression needs, however large the file.

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { BackupDamaged } from './format.ts'

const NEWLINE = 0x0a
/** No row of ours comes near it; a file that claims otherwise must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

/** The lines without their ends. @throws {BackupDamaged} no gzip, cut short, or a line without end. */
export async function* linesIn(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path)
  const plain = createGunzip()
  // A failure of either ends the loop below through `plain`.
  const fed = pipeline(file, plain).catch(() => {})
  let rest: Buffer[] = []
  let restBytes = 0
  try {
    for await (const chunk of plain) {
      const bytes: Buffer = chunk
      let start = 0
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        const piece = bytes.subarray(start, end)
        yield rest.length === 0 ? piece : Buffer.concat([...rest, piece])
        rest = []
        restBytes = 0
        start = end + 1
      }
      if (start === bytes.length) continue
      rest.push(bytes.subarray(start))
      restBytes += bytes.length - start
      if (restBytes > MAX_LINE_BYTES) throw new BackupDamaged('a line without end')
    }
  } catch (error) {
    throw isFromCompression(error) ? new BackupDamaged('it was cut short, or is no gzip file') : error
  } finally {
    file.destroy()
    plain.destroy()
    await fed
  }
  if (rest.length > 0) throw new BackupDamaged('it was cut short')
}

const isFromCompression = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
