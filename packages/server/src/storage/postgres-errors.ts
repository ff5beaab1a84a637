// PostgreSQL's error codes that mean something to us.

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** Serialisation failure and deadlock: another transaction was first, and the same work may succeed later. */
export const isOvertaken = (error: unknown): boolean => hasCode(error, '40001', '40P01')

/** A unique key that stands already. */
export const isTaken = (error: unknown): boolean => hasCode(error, '23505')
