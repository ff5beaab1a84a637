// Instants as SAML writes them.
import type { EpochSeconds } from '../lib/time.ts'

// xs:dateTime in UTC (saml-core §1.3.3).
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?Z$/

/** @returns undefined for anything else than an instant in UTC. */
export function readInstant(text: string): EpochSeconds | undefined {
  const time = INSTANT.test(text) ? Date.parse(`${text.slice(0, 19)}Z`) : Number.NaN
  return Number.isNaN(time) ? undefined : time / 1000
}
