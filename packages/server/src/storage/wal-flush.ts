// Puts a SQLite database's write-ahead log on the disk, off the event loop, as one system call for all who wait for it.
import { closeSync, fdatasync, fsync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const syncData = promisify(fdatasync)
const syncAll = promisify(fsync)

export interface WalFlush {
  /** Resolves once everything committed before the call is on the disk. @throws the disk said no. */
  flush(): Promise<void>
  close(): void
}

/**
 * The log of the database at `path`, which must be open in WAL mode for as long as this is: SQLite deletes the log when
 * the last connection closes. SQLite's locks are on the database and its index, so that a descriptor of the log's own
 * takes none of them away when it closes.
 */
export function openWalFlush(path: string): WalFlush {
  const log = openSync(`${path}-wal`, 'r+')
  let isNew = true
  return {
    async flush() {
      await syncData(log)
      // A file is there after a power cut once its folder says so.
      if (isNew) await syncFolder(dirname(path))
      isNew = false
    },
    close: () => closeSync(log),
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r')
  try {
    await syncAll(folder)
  } finally {
    closeSync(folder)
  }
}
