// What the duplicates report leaves out.
import type { UserPair } from '../domain/duplicates.ts'
import type { KeptApart, Page } from './records.ts'

/** Pairs of users whom an operator keeps apart. User ids are never given again, so that a pair outlives a merge of either. */
export interface Apart {
  /** False when they were kept apart before. */
  put(pair: KeptApart): Promise<boolean>
  delete(pair: UserPair): Promise<boolean>
  deleteOfUser(userId: string): Promise<void>
  /** The newest first, of users who are here now. */
  list(window: { readonly offset: number; readonly limit: number }): Promise<Page<KeptApart>>
  /** The pairs in which both are among these. */
  listAmong(userIds: readonly string[]): Promise<readonly UserPair[]>
}
