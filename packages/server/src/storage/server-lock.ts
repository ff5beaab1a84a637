// One `serve` per SQLite file. The lock is a SQLite lock on a file of its own: the system drops it when the process
// ends, however it ends.
import { realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createPrivateFile, isBusy } from './sqlite-connection.ts'

export interface ServerLock {
  release(): void
}

/** A connection that nothing refers to is closed by the garbage collector, and its lock would go with it. */
const held = new Set<DatabaseSync>()

/** Another server holds this file. */
export class DatabaseInUse extends Error {
  readonly code = 'database_in_use'
  constructor(path: string) {
    super(`another server is using ${path}`)
  }
}

/**
 * Takes the server's lock on the SQLite file at `path`, in the process that starts the workers and in no other. Commands
 * beside the server do not take it.
 *
 * @throws {DatabaseInUse} while another process, or this one, holds it.
 */
export function openServerLock(path: string): ServerLock {
  const lockPath = `${realPath(path)}.lock`
  createPrivateFile(lockPath)
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    throw isBusy(error) ? new DatabaseInUse(path) : error
  }
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}

/** Two names of one file share its lock. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Not there yet.
    return path
  }
}
