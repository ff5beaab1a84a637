// Runs a transaction again when the vault found that another was faster.
import type { Repositories, Storage } from '../storage/storage.ts'
import { VaultConflict } from '../vault/keeping.ts'

const MAX_TRIES = 5

/** Like `storage.transaction`, for work that writes accounts of the vault. */
export async function transact<T>(storage: Storage, work: (tx: Repositories) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await storage.transaction(work)
    } catch (error) {
      if (!(error instanceof VaultConflict) || tries === MAX_TRIES) throw error
    }
  }
}
