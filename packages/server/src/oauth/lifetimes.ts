// Lifetimes that no setting changes.

export const HOUR_SECONDS = 3600
/** Tokens "without" an end: the engine wants a number, and a century is one. */
export const FOREVER_SECONDS = 100 * 365 * 24 * HOUR_SECONDS
